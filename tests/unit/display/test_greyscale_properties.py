"""Properties of every window, every LUT and every pixel type."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xrayview.display import greyscale as greyscale_module
from xrayview.display.greyscale import apply_lut, build_lut, displayed_grey, voi_unit
from xrayview.domain.radiograph import Greyscale, Lut, VoiFunction, Window

DTYPES = ("uint8", "uint16", "int16", "int32", "uint32", "float32")
reals = st.floats(-1e5, 1e5, allow_nan=False)

windows = st.builds(
    Window,
    center=reals,
    width=st.floats(0, 1e5),
    function=st.sampled_from(list(VoiFunction)),
)
luts = st.builds(
    lambda first, entries, bits: Lut(first, np.array(entries, dtype=np.uint16), bits),
    first=st.integers(-40_000, 40_000),
    entries=st.lists(st.integers(0, 65_535), min_size=1, max_size=40),
    bits=st.integers(8, 16),
)
greyscales = st.builds(
    Greyscale,
    photometric=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    slope=st.floats(-10, 10),
    intercept=st.floats(-5000, 5000),
    modality_lut=st.none() | luts,
    presentation_inverse=st.booleans(),
    padding=st.none() | st.tuples(st.just(-50.0), st.floats(-50, 300)),
)


@st.composite
def stored(draw: st.DrawFn) -> npt.NDArray[Any]:
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    low, high = (-1000, 70_000) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    values = draw(st.lists(st.integers(int(low), int(high)), min_size=1, max_size=24))
    return np.array([values], dtype=dtype)


@given(windows, st.lists(reals, min_size=2, max_size=50))
def test_that_windows_are_monotone_and_bounded(window: Window, values: list[float]) -> None:
    unit = voi_unit(np.sort(np.array(values, dtype=np.float64)), window)
    assert (np.diff(unit) >= 0).all()
    assert unit.min() >= 0.0
    assert unit.max() <= 1.0


@settings(deadline=None)
@given(stored(), greyscales, windows | luts, st.booleans())
def test_that_the_table_equals_the_direct_computation(
    pixels: npt.NDArray[Any], greyscale: Greyscale, voi: Window | Lut, invert: bool
) -> None:
    shown = apply_lut(pixels, build_lut(greyscale, voi, pixels.dtype, invert=invert))
    assert shown.dtype == np.uint8
    assert np.array_equal(shown, displayed_grey(pixels, greyscale, voi, invert=invert))


@settings(deadline=None)
@given(stored(), greyscales, windows | luts)
def test_that_inverting_twice_changes_nothing(
    pixels: npt.NDArray[Any], greyscale: Greyscale, voi: Window | Lut
) -> None:
    upright = displayed_grey(pixels, greyscale, voi)
    inverted = displayed_grey(pixels, greyscale, voi, invert=True)
    padding = greyscale_module.background_mask(pixels, greyscale)
    film = np.ones(pixels.shape, dtype=bool) if padding is None else ~padding
    assert np.array_equal(255 - inverted[film], upright[film])
    assert (upright[~film] == 0).all()
    assert (inverted[~film] == 0).all()


def test_that_an_opencv_without_wide_tables_shows_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.arange(-32_768, 32_768).astype(np.int16).reshape(256, 256)
    window = Window(0, 50_000)
    monkeypatch.setattr(greyscale_module, "_WIDE_LUT", False)
    shown = apply_lut(pixels, build_lut(Greyscale(), window, pixels.dtype))
    assert np.array_equal(shown, displayed_grey(pixels, Greyscale(), window))
