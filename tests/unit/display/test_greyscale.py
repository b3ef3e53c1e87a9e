"""Stored values to displayed grey: the formulas of PS3.3 C.11, their order and the background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from xrayview.display.greyscale import apply_lut, build_lut, displayed_grey, render, voi_unit
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Lut, Radiograph, VoiFunction, Window

FULL_8_BIT = Window(128.0, 256.0)


def film(pixels_HW: npt.NDArray[Any], greyscale: Greyscale | None = None) -> Radiograph:
    return Radiograph(FilmRef(Path("film"), "film"), pixels_HW, greyscale or Greyscale())


def ramp(dtype: str = "uint8", rows: int = 2) -> npt.NDArray[Any]:
    return np.tile(np.arange(256, dtype=dtype), (rows, 1))


def unit(values: list[float], window: Window | Lut) -> list[float]:
    return voi_unit(np.array(values, dtype=np.float64), window).tolist()


def test_that_linear_follows_the_standards_own_example() -> None:
    # PS3.3 C.11.2.1.2.1, notes: c=2048 w=4096 is the identity on 12 bits; c=0 w=100 runs from
    # -50 to 49; c=0 w=1 is a step above -0.5.
    assert unit([0, 4095], Window(2048, 4096)) == [0.0, 1.0]
    assert unit([1024], Window(2048, 4096)) == pytest.approx([1024 / 4095])
    assert unit([-51, -50, 49, 50], Window(0, 100)) == pytest.approx([0.0, 0.0, 1.0, 1.0])
    assert unit([-1, -0.5, 0, 1], Window(0, 1)) == [0.0, 0.0, 1.0, 1.0]


def test_that_linear_exact_spans_half_a_width_to_either_side() -> None:
    exact = Window(0, 100, VoiFunction.LINEAR_EXACT)
    assert unit([-51, -50, 0, 25, 50, 51], exact) == pytest.approx([0, 0, 0.5, 0.75, 1, 1])


def test_that_linear_exact_and_linear_are_not_the_same_function() -> None:
    linear = unit([10], Window(0, 100, VoiFunction.LINEAR))
    exact = unit([10], Window(0, 100, VoiFunction.LINEAR_EXACT))
    assert linear[0] - exact[0] == pytest.approx(10.5 / 99 - 10 / 100)


def test_that_sigmoid_follows_its_formula_and_never_overflows() -> None:
    sigmoid = Window(100, 50, VoiFunction.SIGMOID)
    assert unit([100, 125], sigmoid) == pytest.approx([0.5, 1 / (1 + np.exp(-2))])
    with np.errstate(over="raise"):
        assert unit([-1e9, 1e9], sigmoid) == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("function", list(VoiFunction))
def test_that_a_width_below_its_limit_is_raised_to_the_limit(function: VoiFunction) -> None:
    assert unit([-10, 10], Window(0, 0, function)) == pytest.approx([0.0, 1.0])
    assert unit([-10, 10], Window(0, -5, function)) == pytest.approx([0.0, 1.0])


def test_that_a_voi_lut_spans_its_bits_not_its_largest_entry() -> None:
    lut = Lut(10, np.array([0, 100, 512], dtype=np.uint16), bits=10)
    expected = np.array([0, 0, 100, 512, 512]) / 1023
    assert unit([-5, 10, 11, 12, 99], lut) == pytest.approx(expected)


def test_that_a_voi_lut_with_entries_past_its_bits_stays_in_range() -> None:
    assert unit([0, 1], Lut(0, np.array([0, 5000], dtype=np.uint16), bits=12)) == [0.0, 1.0]


def test_that_rescale_comes_before_the_window() -> None:
    rescaled = Greyscale(slope=4.0, intercept=-512.0)
    exact = VoiFunction.LINEAR_EXACT
    grey = displayed_grey(ramp("uint16"), rescaled, Window(0, 1024, exact))
    assert np.array_equal(
        grey, displayed_grey(ramp("uint16"), Greyscale(), Window(128, 256, exact))
    )


def test_that_a_modality_lut_comes_before_the_window_and_replaces_rescale() -> None:
    squares = Lut(0, (np.arange(256, dtype=np.uint16) ** 2).astype(np.uint16), 16)
    greyscale = Greyscale(slope=7.0, intercept=7.0, modality_lut=squares)
    grey = displayed_grey(ramp(), greyscale, Window(32512.5, 65025, VoiFunction.LINEAR_EXACT))
    expected = (np.arange(256, dtype=np.float64) ** 2 / 65025 * 255 + 0.5).astype(np.uint8)
    assert np.array_equal(grey[0], expected)


def test_that_the_voi_lut_acts_on_modality_values() -> None:
    lut = Lut(-100, np.array([0, 255], dtype=np.uint16), 8)
    grey = displayed_grey(np.array([[99, 100, 101]]), Greyscale(slope=2, intercept=-300), lut)
    assert grey.tolist() == [[0, 0, 255]]


def test_that_monochrome1_is_shown_bone_white() -> None:
    grey = render(film(ramp(), Greyscale("MONOCHROME1")), FULL_8_BIT)
    assert np.array_equal(grey, 255 - ramp())


@pytest.mark.parametrize(
    ("photometric", "inverse", "inverted"),
    [
        ("MONOCHROME2", False, False),
        ("MONOCHROME2", True, True),
        ("MONOCHROME1", False, True),
        ("MONOCHROME1", True, True),  # PS3.3 C.8.11.3: declared twice, inverted once
    ],
)
def test_that_a_film_is_inverted_at_most_once(
    photometric: str, inverse: bool, inverted: bool
) -> None:
    greyscale = Greyscale(photometric, presentation_inverse=inverse)
    assert greyscale.inverted is inverted
    assert render(film(ramp(), greyscale), FULL_8_BIT)[0, 0] == (255 if inverted else 0)


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
def test_that_padding_is_black_on_every_film(dtype: str, photometric: str, invert: bool) -> None:
    pixels = ramp(dtype)
    greyscale = Greyscale(photometric, padding=(100.0, 110.0))
    bare = Greyscale(photometric)
    grey = render(film(pixels, greyscale), FULL_8_BIT, invert=invert)
    assert (grey[:, 100:111] == 0).all()
    rest = np.r_[0:100, 111:256]
    assert np.array_equal(
        grey[:, rest], render(film(pixels, bare), FULL_8_BIT, invert=invert)[:, rest]
    )


def test_that_values_that_are_not_finite_are_background() -> None:
    pixels = np.array([[np.nan, np.inf, -np.inf, 0.0, 1.0]], dtype=np.float32)
    window = Window(0.5, 1.0, VoiFunction.LINEAR_EXACT)
    assert render(film(pixels), window).tolist() == [[0, 0, 0, 0, 255]]
    assert render(film(pixels), window, invert=True).tolist() == [[0, 0, 0, 255, 0]]


def test_that_a_table_cannot_be_applied_to_pixels_of_another_type() -> None:
    lut = build_lut(Greyscale(), FULL_8_BIT, np.uint16)
    with pytest.raises(ValueError, match="table for uint16 applied to int16 pixels"):
        apply_lut(ramp("int16"), lut)


@pytest.mark.parametrize(
    ("dtype", "entries"),
    [("uint8", 256), ("int16", 65536), ("uint16", 65536), ("int32", None), ("float32", None)],
)
def test_that_only_narrow_types_get_a_table(dtype: str, entries: int | None) -> None:
    table = build_lut(Greyscale(), FULL_8_BIT, dtype).table
    assert (None if table is None else table.size) == entries


def test_that_a_part_of_a_film_is_displayed_like_the_whole_film() -> None:
    pixels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    lut = build_lut(Greyscale(), Window(2048, 4096), pixels.dtype)
    whole = apply_lut(pixels, lut)
    assert np.array_equal(apply_lut(pixels[5:40:3, ::2], lut), whole[5:40:3, ::2])


def test_that_films_of_wide_types_larger_than_a_strip_are_complete() -> None:
    pixels = np.arange(1100 * 1000, dtype=np.int32).reshape(1100, 1000)
    window = Window(550_000, 1_100_000)
    assert np.array_equal(render(film(pixels), window), displayed_grey(pixels, Greyscale(), window))
