"""The placement of a film in the input, and its exact inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xrayview.domain.model import PreprocessSpec
from xrayview.preprocessing.geometry import placement_of, resize

FITS = ("letterbox", "stretch", "center_crop")
sides = st.integers(1, 5000)
specs = st.builds(
    PreprocessSpec,
    size=st.tuples(st.integers(8, 640), st.integers(8, 640)),
    fit=st.sampled_from(FITS),
)


@settings(deadline=None)
@given(st.tuples(sides, sides), specs, st.floats(0, 1), st.floats(0, 1))
def test_that_the_inverse_is_the_identity_within_a_pixel(
    film_size: tuple[int, int], spec: PreprocessSpec, v: float, u: float
) -> None:
    film_to_input = placement_of(film_size, spec).film_to_input
    point = (v * film_size[0], u * film_size[1])
    assert film_to_input.inverse().apply(*film_to_input.apply(*point)) == pytest.approx(
        point, abs=0.01
    )


@settings(deadline=None)
@given(st.tuples(sides, sides), specs)
def test_that_the_corners_of_the_filled_part_come_from_the_film(
    film_size: tuple[int, int], spec: PreprocessSpec
) -> None:
    placement = placement_of(film_size, spec)
    to_film = placement.film_to_input.inverse()
    (rows, columns), (input_rows, input_columns) = placement.film, placement.input
    assert 0 <= rows.start < rows.stop <= film_size[0]
    assert 0 <= columns.start < columns.stop <= film_size[1]
    assert 0 <= input_rows.start < input_rows.stop <= spec.size[0]
    assert 0 <= input_columns.start < input_columns.stop <= spec.size[1]
    top_left = to_film.apply(input_rows.start, input_columns.start)
    bottom_right = to_film.apply(input_rows.stop, input_columns.stop)
    assert top_left == pytest.approx((rows.start, columns.start), abs=0.01)
    assert bottom_right == pytest.approx((rows.stop, columns.stop), abs=0.01)


@settings(deadline=None)
@given(st.tuples(st.integers(200, 5000), st.integers(200, 5000)))
def test_that_letterbox_and_crop_keep_the_aspect_ratio(film_size: tuple[int, int]) -> None:
    for fit in ("letterbox", "center_crop"):
        affine = placement_of(film_size, PreprocessSpec(size=(224, 224), fit=fit)).film_to_input
        # Sizes are whole pixels, and the shorter side of the part has at least 8.
        assert affine.scale_y == pytest.approx(affine.scale_x, rel=1 / 16)


def spot(size: tuple[int, int], y: int, x: int, radius: int) -> np.ndarray:
    grey = np.zeros(size, np.float32)
    grey[y - radius : y + radius, x - radius : x + radius] = 1
    return grey


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(600, 400), (400, 600), (40, 64)])
def test_that_a_spot_on_the_film_is_where_the_map_says(fit: str, size: tuple[int, int]) -> None:
    spec = PreprocessSpec(size=(128, 96), fit=fit)
    y, x, radius = size[0] // 2 + size[0] // 8, size[1] // 2 - size[1] // 8, size[0] // 20
    input_HW, placement = resize(spot(size, y, x, radius), spec)
    rows, columns = np.mgrid[0:128, 0:96] + 0.5
    centre = ((rows * input_HW).sum(), (columns * input_HW).sum()) / input_HW.sum()
    assert tuple(centre) == pytest.approx(placement.film_to_input.apply(y, x), abs=0.05)


@pytest.mark.parametrize("interpolation", ["area", "linear", "cubic"])
def test_that_shrinking_averages_and_does_not_alias(interpolation: str) -> None:
    stripes = np.zeros((512, 512), np.float32)
    stripes[:, ::2] = 1
    spec = PreprocessSpec(size=(64, 64), interpolation=interpolation)
    input_HW, _ = resize(stripes, spec)
    np.testing.assert_allclose(input_HW, 0.5, atol=1e-6)


@pytest.mark.parametrize("interpolation", ["area", "linear", "cubic"])
def test_that_enlarging_stays_within_0_to_1(interpolation: str) -> None:
    checks = (np.indices((9, 7)).sum(0) % 2).astype(np.float32)
    spec = PreprocessSpec(size=(90, 90), fit="stretch", interpolation=interpolation)
    input_HW, _ = resize(checks, spec)
    assert input_HW.min() >= 0
    assert input_HW.max() <= 1
    assert len(np.unique(input_HW)) > 2


def test_that_an_axis_is_averaged_while_the_other_grows() -> None:
    stripes = np.zeros((4, 512), np.float32)
    stripes[:, ::2] = 1
    input_HW, _ = resize(stripes, PreprocessSpec(size=(64, 64), fit="stretch"))
    np.testing.assert_allclose(input_HW, 0.5, atol=1e-6)


def test_that_letterbox_leaves_background_around_the_film() -> None:
    input_HW, placement = resize(np.ones((100, 50), np.float32), PreprocessSpec(size=(64, 64)))
    assert placement.input == (slice(0, 64), slice(16, 48))
    assert input_HW[:, 16:48].min() == pytest.approx(1)
    assert np.count_nonzero(input_HW) == 64 * 32


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 60000), (60000, 1), (1, 1)])
def test_that_a_narrow_strip_gives_a_valid_input(fit: str, size: tuple[int, int]) -> None:
    input_HW, _ = resize(np.ones(size, np.float32), PreprocessSpec(size=(64, 48), fit=fit))
    assert input_HW.shape == (64, 48)
    assert input_HW.max() == pytest.approx(1)
