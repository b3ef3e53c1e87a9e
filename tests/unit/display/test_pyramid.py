"""The film at several resolutions, and its thumbnail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from xrayview.display.greyscale import apply_lut, build_lut, render
from xrayview.display.pyramid import build_pyramid, shrink, thumbnail
from xrayview.display.voi import default_voi
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Radiograph, Shutter, Window

DTYPES = ("uint8", "uint16", "int16", "int32", "uint32", "float32")


def film(pixels_HW: npt.NDArray[Any], greyscale: Greyscale | None = None) -> Radiograph:
    return Radiograph(FilmRef(Path("film"), "film"), pixels_HW, greyscale or Greyscale())


def pixels(dtype: str, rows: int = 64, columns: int = 96) -> npt.NDArray[Any]:
    low = -100 if np.dtype(dtype).kind in "if" else 0
    return np.random.default_rng(5).integers(low, 120, (rows, columns)).astype(dtype)


def block_means(pixels_HW: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    rows, columns = pixels_HW.shape
    return pixels_HW.astype(float).reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))


@pytest.mark.parametrize("dtype", DTYPES)
def test_that_a_level_is_the_area_mean_in_the_stored_type(dtype: str) -> None:
    source = pixels(dtype)
    level = build_pyramid(film(source), smallest_side=48).levels[1]
    assert level.pixels_HW.dtype == source.dtype
    assert np.abs(level.pixels_HW - block_means(source)).max() <= 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_that_one_table_fits_all_levels(dtype: str) -> None:
    radiograph = film(pixels(dtype))
    lut = build_lut(radiograph.greyscale, Window(20, 150), dtype)
    shown = [apply_lut(level.pixels_HW, lut) for level in build_pyramid(radiograph, 16).levels]
    assert [grey.shape for grey in shown] == [(64, 96), (32, 48), (16, 24), (8, 12)]


def test_that_the_first_level_is_the_film_itself() -> None:
    radiograph = film(pixels("uint16"))
    assert build_pyramid(radiograph).levels[0].pixels_HW is radiograph.pixels_HW


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (901, 3), (257, 255)])
def test_that_levels_of_odd_films_never_vanish(shape: tuple[int, int]) -> None:
    levels = build_pyramid(film(np.zeros(shape, np.uint16)), smallest_side=4).levels
    assert max(levels[-1].pixels_HW.shape) <= 4
    assert min(levels[-1].pixels_HW.shape) >= 1


@pytest.mark.parametrize(
    ("scale", "level"), [(8.0, 1.0), (1.0, 1.0), (0.6, 1.0), (0.5, 0.5), (0.3, 0.5), (0.01, 0.25)]
)
def test_that_the_level_has_a_pixel_for_each_screen_pixel(scale: float, level: float) -> None:
    pyramid = build_pyramid(film(np.zeros((1000, 800), np.uint8)), smallest_side=256)
    assert pyramid.level_for(scale).scale == level


@pytest.mark.parametrize("dtype", DTYPES)
def test_that_padding_does_not_bleed_into_the_film(dtype: str) -> None:
    source = np.full((65, 90), 50, dtype=dtype)
    source[:13] = 120
    source[:, 77:] = 120
    for level in build_pyramid(film(source, Greyscale(padding=(120.0, 120.0))), 24).levels:
        assert set(np.unique(level.pixels_HW)) <= {50, 120}
    assert (level.pixels_HW[-1, 0], level.pixels_HW[0, -1]) == (50, 120)


def test_that_missing_numbers_do_not_bleed_into_the_film() -> None:
    source = np.full((64, 64), 0.5, dtype=np.float32)
    source[:16] = np.nan
    source[30, 30] = np.inf
    small = shrink(source, (8, 8), Greyscale())
    assert np.isnan(small[:2]).all()
    assert (small[2:] == 0.5).all()


@pytest.mark.parametrize("shape", [(300, 200), (200, 300), (900, 20)])
def test_that_a_thumbnail_keeps_the_films_shape(shape: tuple[int, int]) -> None:
    grey = thumbnail(film(pixels("uint16", *shape)), 100)
    assert grey.dtype == np.uint8
    assert max(grey.shape) == 100
    assert grey.shape[0] / grey.shape[1] == pytest.approx(shape[0] / shape[1], rel=0.2)


def test_that_a_small_film_is_not_enlarged_for_its_thumbnail() -> None:
    radiograph = film(pixels("uint16", 30, 40), Greyscale("MONOCHROME1"))
    assert np.array_equal(thumbnail(radiograph, 160), render(radiograph))


def test_that_a_thumbnail_has_the_window_of_its_film() -> None:
    ramp = np.tile(np.arange(512, dtype=np.uint16) * 8, (512, 1))
    radiograph = film(ramp, Greyscale("MONOCHROME1"))
    small = thumbnail(radiograph, 128).astype(int)
    whole = render(radiograph, default_voi(radiograph))
    assert np.abs(small - block_means(block_means(whole))).max() <= 2


def test_that_the_shutter_is_applied_to_a_thumbnail() -> None:
    shutter = Shutter(rectangle=(16, 47, 0, 95), presentation_value=0)
    shown = replace(film(pixels("uint16") + 50), shutter=shutter)
    grey_HW = thumbnail(shown, 48)
    assert grey_HW.shape == (32, 48)
    assert not grey_HW[:8].any()
    assert not grey_HW[24:].any()
    assert grey_HW[9:23].mean() > 50
