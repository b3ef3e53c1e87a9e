"""A film resampled to screen pixels: the right values at the right position, without padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xrayview.display.buffers import Buffers
from xrayview.display.resample import resample
from xrayview.display.stretch import MOST_OFF_PX, stretched
from xrayview.domain.radiograph import Greyscale

DTYPES = ("uint8", "uint16", "int16", "int32", "uint32", "float32")
PLAIN = Greyscale()


def pixels(dtype: str, rows: int = 30, columns: int = 40) -> npt.NDArray[Any]:
    low = -100 if np.dtype(dtype).kind in "if" else 0
    return np.random.default_rng(5).integers(low, 120, (rows, columns)).astype(dtype)


def enlarged(zoom: float, left: float = 0.0, top: float = 0.0) -> npt.NDArray[np.float64]:
    """Map screen pixels to those of a film whose point (left, top) is at the screen's corner."""
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
def test_that_smooth_interpolates_linearly_between_pixels(dtype: str) -> None:
    source = np.arange(0, 120, 3).astype(dtype)[None].repeat(4, 0)
    shown = resample(source, enlarged(2.5), (10, 100), PLAIN, smooth=True)
    positions = (np.arange(100) + 0.5) / 2.5 - 0.5
    # Older OpenCV places a pixel to 1/32.
    assert np.abs(shown - np.interp(positions, np.arange(40), source[0])).max() <= 0.5 + 3 / 32


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


# A film in motion


def ramp(dtype: str) -> npt.NDArray[Any]:
    """From pixel to pixel 2 more down, and 3 more to the right; a signed one starts below zero."""
    rows, columns = np.mgrid[:300, :400]
    low = -500 if np.dtype(dtype).kind in "if" else 0
    made: npt.NDArray[Any] = (low + 2 * rows + 3 * columns).astype(dtype)
    return made


@given(
    st.sampled_from(("uint16", "int16", "int32", "float32")),
    st.floats(0.5, 4),
    st.floats(0, 220),
    st.floats(0, 170),
    st.sampled_from([(1, 1), (1, -1), (-1, 1), (-1, -1)]),
    st.booleans(),
)
@example("uint16", 0.994140625, 0.0, 0.0, (1, 1), False)
def test_that_a_film_in_motion_is_displaced_by_less_than_is_visible(
    dtype: str, zoom: float, left: float, top: float, ways: tuple[int, int], turned: bool
) -> None:
    source, size_HW = ramp(dtype), (50, 70)
    to_source = enlarged(zoom, left, top)
    for axis, (way, count) in enumerate(zip(ways, size_HW[::-1], strict=True)):
        if way < 0:
            to_source[axis, 2] += to_source[axis, axis] * (count - 1)
            to_source[axis, axis] *= -1
    if turned:
        to_source, size_HW = to_source[:, [1, 0, 2]], size_HW[::-1]
    at_rest = resample(source, to_source, size_HW, PLAIN, smooth=True)
    moving = resample(source, to_source, size_HW, PLAIN, smooth=True, in_motion=Buffers())
    assert (moving.shape, moving.dtype) == (at_rest.shape, at_rest.dtype)
    off = np.abs(moving.astype(np.float64) - at_rest)
    assert off.max() <= (2 + 3) * MOST_OFF_PX * min(1, 1 / zoom) + 1


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
@pytest.mark.parametrize("zoom", [0.53, 1.7])
def test_that_a_film_in_motion_whose_edge_is_in_view_is_not_displaced(
    dtype: str, zoom: float
) -> None:
    source, to_source = ramp(dtype), enlarged(zoom)
    at_rest = resample(source, to_source, (30, 40), PLAIN, smooth=True)
    moving = stretched(source, to_source, (30, 40), Buffers())
    assert moving is not None
    assert np.abs(moving.astype(np.float64) - at_rest).max() <= 1


def test_that_most_positions_of_a_film_in_motion_are_quick_to_draw() -> None:
    source, rng = np.zeros((1500, 1500), np.uint16), np.random.default_rng(3)
    steps, positions = rng.uniform(0.5, 2, 200), rng.uniform(100, 300, (200, 2))
    views = (
        stretched(source, enlarged(1 / step, *position), (300, 400), Buffers())
        for step, position in zip(steps, positions, strict=True)
    )
    assert sum(view is not None for view in views) >= 180


@pytest.mark.parametrize("position", [(-3.0, 0.0), (0.0, 250.0), (380.0, 0.0)])
def test_that_a_view_past_the_films_edge_is_left_to_the_warp(position: tuple[float, float]) -> None:
    source, to_source = ramp("uint16"), enlarged(1.3, *position)
    assert stretched(source, to_source, (80, 60), Buffers()) is None
    at_rest = resample(source, to_source, (80, 60), PLAIN, smooth=True)
    moving = resample(source, to_source, (80, 60), PLAIN, smooth=True, in_motion=Buffers())
    assert np.abs(moving.astype(int) - at_rest).max() <= 1


@pytest.mark.parametrize("zoom", [0.001, 0.002, 0.01, 0.04])
def test_that_a_film_in_motion_may_shrink_to_a_point(zoom: float) -> None:
    size_HW = max(1, round(300 * zoom)), max(1, round(400 * zoom))
    views = [
        resample(ramp("uint16"), enlarged(zoom), size_HW, PLAIN, smooth=True, in_motion=scratch)
        for scratch in (Buffers(), None)
    ]
    assert views[0].shape == size_HW
    assert np.abs(views[0].astype(int) - views[1]).max() <= 1


def test_that_padding_does_not_bleed_into_a_film_in_motion() -> None:
    source = np.full((265, 290), 50, dtype=np.uint16)
    source[:13] = source[:, 200:] = 120
    padded = Greyscale(padding=(120.0, 120.0))
    shown = resample(
        source, enlarged(1.7, 3.3, 4.4), (120, 340), padded, smooth=True, in_motion=Buffers()
    )
    assert set(np.unique(shown)) == {50, 120}


def test_that_pictures_with_the_same_buffers_share_their_memory() -> None:
    scratch = Buffers()
    first = scratch.array((30, 40), np.uint16)
    assert scratch.array((20, 20), np.uint8).base is first.base
    assert scratch.array((30, 41), np.uint16).base is not first.base
