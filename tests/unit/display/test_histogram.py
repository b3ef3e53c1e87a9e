"""The histogram of a film, and the transfer curve over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrayview.display.histogram import (
    MOST_BINS,
    MOST_PIXELS,
    film_histogram,
    transfer_curve,
    voi_range,
    window_over,
)
from xrayview.display.voi import window_to_drag
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Lut, Radiograph, VoiFunction, Window


def film(pixels_HW: npt.NDArray[Any], **greyscale: Any) -> Radiograph:
    return Radiograph(FilmRef(Path("film"), "film"), pixels_HW, Greyscale(**greyscale))


def noise(dtype: str, high: int = 4096, shape: tuple[int, int] = (200, 300)) -> npt.NDArray[Any]:
    return np.random.default_rng(1).integers(0, high, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint32", "float32"])
@pytest.mark.parametrize("slope", [1.0, -0.1, 2.5])
def test_that_every_pixel_is_counted_once(dtype: str, slope: float) -> None:
    radiograph = film(noise(dtype, 250), slope=slope, intercept=-1024.0)
    histogram = film_histogram(radiograph)
    assert histogram is not None
    assert histogram.counts.sum() == 200 * 300
    values = radiograph.modality_values()
    assert histogram.edges[0] <= values.min() <= values.max() <= histogram.edges[-1]


def test_that_counts_match_the_values() -> None:
    histogram = film_histogram(film(np.array([[1, 1, 3], [3, 3, 6]], np.uint16), slope=2.0))
    assert histogram is not None
    assert histogram.counts.tolist() == [2, 0, 3, 0, 0, 1]
    assert histogram.edges.tolist() == [1, 3, 5, 7, 9, 11, 13]


@pytest.mark.parametrize("levels", [256, 257, 1000, 4096])
def test_that_uniform_values_have_a_uniform_histogram(levels: int) -> None:
    histogram = film_histogram(film(np.arange(levels, dtype=np.uint16).repeat(8)[None]))
    assert histogram is not None
    assert histogram.counts.size <= MOST_BINS
    assert len(set(histogram.counts[:-1])) == 1  # the last bin may begin past the last value


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32"])
def test_that_padding_is_left_out(dtype: str) -> None:
    source = noise(dtype) + np.dtype(dtype).type(10)
    padded = source.copy()
    padded[:50] = 5
    histogram = film_histogram(film(padded, padding=(0.0, 9.0)))
    without = film_histogram(film(source[50:]))
    assert histogram is not None
    assert without is not None
    assert histogram.edges.tolist() == without.edges.tolist()
    assert histogram.counts.tolist() == without.counts.tolist()


def test_that_a_film_of_padding_only_has_no_histogram() -> None:
    assert film_histogram(film(np.zeros((9, 9), np.uint8), padding=(0.0, 0.0))) is None
    assert film_histogram(film(np.full((9, 9), np.nan, np.float32))) is None


def test_that_a_flat_film_has_one_bin() -> None:
    histogram = film_histogram(film(np.full((9, 9), 7, np.uint8)))
    assert histogram is not None
    assert (histogram.counts.tolist(), histogram.edges.tolist()) == ([81], [6.5, 7.5])


def test_that_a_large_film_is_sampled() -> None:
    histogram = film_histogram(film(noise("uint8", 200, (3000, 3000))))
    assert histogram is not None
    assert MOST_PIXELS / 4 < histogram.counts.sum() <= MOST_PIXELS
    assert histogram.counts == pytest.approx(histogram.counts.mean(), rel=0.1)


def test_that_a_thousand_pixels_are_visible_beside_a_million() -> None:
    source = np.zeros((1001, 1000), np.uint8)
    source[-1] = 1
    histogram = film_histogram(film(source))
    assert histogram is not None
    assert histogram.heights.tolist() == pytest.approx([1.0, 0.5], abs=0.01)


@given(
    st.sampled_from(list(VoiFunction)),
    st.floats(-1e4, 1e5),
    st.floats(1, 1e5),
)
def test_that_the_curve_of_a_window_rises_from_black_to_white(
    function: VoiFunction, center: float, width: float
) -> None:
    window = Window(center, width, function)
    low, high = voi_range(window)
    x, y = transfer_curve(window, low - 4 * width, high + 4 * width)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= 0).all()
    assert (y[0], y[-1]) == pytest.approx((0, 1), abs=1e-6)


def test_that_the_curve_of_a_lut_has_its_shape() -> None:
    lut = Lut(100, (np.linspace(0, 1, 256) ** 2 * 4095).astype(np.uint16), 12)
    assert voi_range(lut) == (100, 356)
    x, y = transfer_curve(lut, 0, 400)
    assert np.interp(100 + 255 / 2, x, y) == pytest.approx(0.25, abs=0.02)
    assert (y[0], y[-1]) == (0, 1)


def test_that_a_region_and_its_window_agree() -> None:
    window = Window(40.0, 400.0, VoiFunction.SIGMOID, "LUNG")
    assert window_over(*voi_range(window), window) == Window(40.0, 400.0, VoiFunction.SIGMOID)
    lut = Lut(0, np.arange(4096, dtype=np.uint16), 12)
    assert window_over(*voi_range(lut), lut) == window_to_drag(lut)
    assert window_over(7.0, 7.0, Window(5.0, 3.0)).width == 1.0
