"""Stored values to grey in 0..1, where bright is dense, for every file format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xrayview.domain.film import FilmRef
from xrayview.domain.model import PreprocessSpec
from xrayview.domain.radiograph import Greyscale, Lut, Radiograph
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.preprocessing.intensity import EQUALIZE, percentiles, to_grey

SPEC = PreprocessSpec(size=(32, 32))
FULL = PreprocessSpec(size=(32, 32), source="full_range")


def film(pixels_HW: npt.NDArray[Any], **greyscale: Any) -> Radiograph:
    return Radiograph(FilmRef(Path("film.dcm"), "film.dcm"), pixels_HW, Greyscale(**greyscale))


def ramp(dtype: str, top: int, shape: tuple[int, int] = (40, 60)) -> npt.NDArray[Any]:
    return np.linspace(0, top, shape[0] * shape[1]).reshape(shape).astype(dtype)


def test_that_an_8_bit_and_a_14_bit_copy_of_one_film_agree() -> None:
    fine = to_grey(film(ramp("uint16", 16383), bits_stored=14), SPEC)
    coarse = to_grey(film(ramp("uint8", 255), bits_stored=8), SPEC)
    assert np.abs(fine - coarse).max() < 1 / 255


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint32", "float32"])
@pytest.mark.parametrize("spec", [SPEC, FULL], ids=["percentile", "full_range"])
def test_that_every_stored_type_becomes_float32_in_0_to_1(dtype: str, spec: PreprocessSpec) -> None:
    grey = to_grey(film(ramp(dtype, 200), bits_stored=8), spec)
    assert grey.dtype == np.float32
    assert grey.shape == (40, 60)
    assert grey.min() >= 0
    assert grey.max() <= 1
    assert np.all(np.diff(grey.ravel()) >= 0)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "float32"])
def test_that_the_lookup_equals_the_formula(dtype: str) -> None:
    stored = np.random.default_rng(3).integers(0, 4000, (50, 40)).astype(dtype)
    values = stored.astype(np.float64) * 2 - 1000
    low, high = np.percentile(values, SPEC.percentiles)
    expected = (np.clip(values, low, high) - low) / (high - low)
    grey = to_grey(film(stored, slope=2.0, intercept=-1000.0), SPEC)
    np.testing.assert_allclose(grey, expected, atol=1e-6)


def test_that_negative_stored_values_keep_their_order() -> None:
    stored = np.arange(-500, 500, dtype=np.int16).reshape(20, 50)
    assert np.all(np.diff(to_grey(film(stored), SPEC).ravel()) >= 0)


@pytest.mark.parametrize(
    "inverting", [{"photometric": "MONOCHROME1"}, {"presentation_inverse": True}]
)
def test_that_an_inverted_film_is_bright_where_it_is_dense(inverting: dict[str, Any]) -> None:
    stored = ramp("uint16", 4095)
    straight = to_grey(film(stored), SPEC)
    np.testing.assert_allclose(to_grey(film(stored, **inverting), SPEC), 1 - straight, atol=1e-6)


def test_that_a_negative_slope_inverts_the_film() -> None:
    stored = ramp("uint16", 4095)
    turned = to_grey(film(stored, slope=-1.0, intercept=4095.0), SPEC)
    np.testing.assert_allclose(turned, 1 - to_grey(film(stored), SPEC), atol=1e-6)


def test_that_the_modality_lut_comes_first() -> None:
    stored = ramp("uint16", 255)
    lut = Lut(0, np.arange(255, -1, -1, dtype=np.uint16), 8)
    turned = to_grey(film(stored, modality_lut=lut), FULL)
    np.testing.assert_allclose(turned, 1 - stored / 255, atol=1e-6)


def test_that_full_range_is_the_range_of_the_stored_bits() -> None:
    stored = np.array([[0, 100, 255]], np.uint8)
    np.testing.assert_allclose(to_grey(film(stored, bits_stored=8), FULL), stored / 255, atol=1e-7)
    signed = np.array([[-2048, 0, 2047]], np.int16)
    expected = [[0, 2048 / 4095, 1]]
    np.testing.assert_allclose(to_grey(film(signed, bits_stored=12), FULL), expected, atol=1e-7)


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_that_padding_is_background_and_not_in_the_statistics(dtype: str, photometric: str) -> None:
    stored = ramp(dtype, 1000)
    padded = np.pad(stored, 20, constant_values=-2000)
    grey = to_grey(film(padded, padding=(-2000, -2000), photometric=photometric), SPEC)
    assert np.all(grey[:20] == 0)
    inner = to_grey(film(stored, photometric=photometric), SPEC)
    np.testing.assert_array_equal(grey[20:-20, 20:-20], inner)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("spec", [SPEC, FULL], ids=["percentile", "full_range"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_that_a_constant_film_is_all_background(
    dtype: str, spec: PreprocessSpec, photometric: str
) -> None:
    constant = film(np.full((8, 9), 77, dtype), photometric=photometric)
    assert not to_grey(constant, spec).any()


def test_that_a_film_of_only_padding_is_all_background() -> None:
    assert not to_grey(film(np.zeros((8, 9), np.uint16), padding=(0, 0)), SPEC).any()


def test_that_a_few_bright_pixels_survive_on_an_otherwise_constant_film() -> None:
    stored = np.zeros((100, 100), np.uint16)
    stored[50, 50] = 900
    assert to_grey(film(stored), SPEC)[50, 50] == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("spec", [SPEC, FULL], ids=["percentile", "full_range"])
def test_that_a_film_with_nan_or_infinity_is_refused(value: float, spec: PreprocessSpec) -> None:
    stored = ramp("float32", 10)
    stored[3, 4] = value
    with pytest.raises(UnreadableFilm, match=r"film\.dcm.*not numbers") as caught:
        to_grey(film(stored), spec)
    assert caught.value.code is StatusCode.DECODE_FAILED


@settings(deadline=None)
@given(
    hnp.arrays(np.int16, st.tuples(st.integers(1, 12), st.integers(1, 12))),
    st.floats(-100, 100),
    st.sampled_from(["percentile", "full_range"]),
)
def test_that_any_film_has_finite_grey_in_0_to_1(
    stored: npt.NDArray[np.int16], slope: float, source: Any
) -> None:
    grey = to_grey(film(stored, slope=slope), PreprocessSpec(size=(4, 4), source=source))
    assert np.isfinite(grey).all()
    assert grey.min() >= 0
    assert grey.max() <= 1


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(-50, 50), st.integers(1, 20), min_size=1),
    st.tuples(st.floats(0, 100), st.floats(0, 100)),
)
def test_that_percentiles_of_counts_equal_those_of_the_pixels(
    occurrences: dict[int, int], percents: tuple[float, float]
) -> None:
    values = np.array(list(occurrences), np.float64)
    counts = np.array(list(occurrences.values()))
    np.testing.assert_allclose(
        percentiles(values, counts, percents),
        np.percentile(np.repeat(values, counts), percents),
        atol=1e-9,
    )


@pytest.mark.parametrize("name", sorted(EQUALIZE))
def test_that_equalising_stays_within_0_to_1_and_accepts_a_constant_film(name: str) -> None:
    for grey in (np.zeros((32, 32), np.float32), ramp("float32", 1, (32, 32)) ** 3):
        equalised = EQUALIZE[name](grey)
        assert equalised.dtype == np.float32
        assert equalised.shape == grey.shape
        assert np.isfinite(equalised).all()
        assert equalised.min() >= 0
        assert equalised.max() <= 1


def test_that_histogram_equalisation_spreads_a_dark_film_evenly() -> None:
    dark = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64) ** 4
    spread = np.sort(EQUALIZE["histogram"](dark).ravel())
    # Ranks are even except where 16 bits cannot distinguish the darkest greys.
    assert np.abs(spread - np.linspace(0, 1, 4096)).max() < 0.1
