"""A film on the pixels of a screen: the same values in the right place, and no padding in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrayview.display.resample import resample
from xrayview.domain.radiograph import Greyscale

DTYPES = ("uint8", "uint16", "int16", "int32", "uint32", "float32")
PLAIN = Greyscale()


def pixels(dtype: str, rows: int = 30, columns: int = 40) -> npt.NDArray[Any]:
    low = -100 if np.dtype(dtype).kind in "if" else 0
    return np.random.default_rng(5).integers(low, 120, (rows, columns)).astype(dtype)


def enlarged(zoom: float, left: float = 0.0, top: float = 0.0) -> npt.NDArray[np.float64]:
    """From pixels of a screen to those of a film whose point (left, top) is at its corner."""
    half = 0.5 / zoom - 0.5
    return np.array([[1 / zoom, 0.0, left + half], [0.0, 1 / zoom, top + half]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("zoom", [1, 5, 8])
def test_that_the_nearest_pixel_is_the_films_own(dtype: str, zoom: int) -> None:
    source = pixels(dtype)
    shown = resample(source, enlarged(zoom, 3, 7), (zoom * 10, zoom * 12), PLAIN, smooth=False)
    assert shown.dtype == source.dtype
    assert np.array_equal(shown, source[7:17, 3:15].repeat(zoom, 0).repeat(zoom, 1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_that_smooth_is_the_straight_line_between_pixels(dtype: str) -> None:
    source = np.arange(0, 120, 3).astype(dtype)[None].repeat(4, 0)
    shown = resample(source, enlarged(2.5), (10, 100), PLAIN, smooth=True)
    places = (np.arange(100) + 0.5) / 2.5 - 0.5
    # Older OpenCV places a pixel to 1/32.
    assert np.abs(shown - np.interp(places, np.arange(40), source[0])).max() <= 0.5 + 3 / 32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("smooth", [False, True])
def test_that_a_turned_film_is_the_film_turned(dtype: str, smooth: bool) -> None:
    source = pixels(dtype)
    upright = resample(source, enlarged(2, 1.3, 2.6), (40, 50), PLAIN, smooth=smooth)
    turned = resample(source, enlarged(2, 1.3, 2.6)[:, [1, 0, 2]], (50, 40), PLAIN, smooth=smooth)
    assert np.array_equal(turned, upright.T)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("zoom", [0.6, 1.7, 3.9])
def test_that_padding_does_not_bleed_into_the_film(dtype: str, zoom: float) -> None:
    source = np.full((65, 90), 50, dtype=dtype)
    source[:13] = 120
    source[:, 77:] = 120
    shown = resample(
        source, enlarged(zoom), (120, 40), Greyscale(padding=(120.0, 120.0)), smooth=True
    )
    assert set(np.unique(shown)) == {50, 120}
    assert (shown[0, 0], shown[-1, 0]) == (120, 50)


def test_that_missing_numbers_do_not_bleed_into_the_film() -> None:
    source = np.full((20, 20), 0.5, dtype=np.float32)
    source[:7] = np.nan
    shown = resample(source, enlarged(1.5), (30, 30), PLAIN, smooth=True)
    assert np.isnan(shown[:10]).all()
    assert (shown[11:] == 0.5).all()


@given(
    st.sampled_from(DTYPES),
    st.floats(0.4, 60),
    st.floats(-50, 90),
    st.floats(-50, 90),
    st.booleans(),
    st.booleans(),
)
def test_that_no_value_is_outside_those_of_the_film(
    dtype: str, zoom: float, left: float, top: float, smooth: bool, padded: bool
) -> None:
    source = pixels(dtype)
    greyscale = Greyscale(padding=(5.0, 9.0)) if padded else PLAIN
    shown = resample(source, enlarged(zoom, left, top), (7, 9), greyscale, smooth=smooth)
    assert shown.shape == (7, 9)
    assert source.min() <= shown.min() <= shown.max() <= source.max()
