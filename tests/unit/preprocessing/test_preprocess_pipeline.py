"""The preprocessing is deterministic: one spec and one film give the same bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xrayview.domain.film import FilmRef
from xrayview.domain.model import PreprocessSpec
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.errors import ModelError
from xrayview.preprocessing.pipeline import Preprocessor

SPEC = PreprocessSpec(size=(64, 48))


def film(shape: tuple[int, int] = (90, 120), **greyscale: Any) -> Radiograph:
    stored = np.random.default_rng(7).integers(0, 4096, shape).astype(np.uint16)
    return Radiograph(
        FilmRef(Path("film.dcm"), "film.dcm"), stored, Greyscale(**greyscale), warnings=("cut",)
    )


specs = st.builds(
    PreprocessSpec,
    size=st.tuples(st.integers(8, 80), st.integers(8, 80)),
    channels=st.sampled_from([1, 3]),
    source=st.sampled_from(["percentile", "full_range"]),
    fit=st.sampled_from(["letterbox", "stretch", "center_crop"]),
    interpolation=st.sampled_from(["area", "linear", "cubic"]),
    equalize=st.sampled_from(["none", "histogram", "clahe"]),
    standardize=st.sampled_from(["fixed", "film"]),
    mean=st.just((0.5,)),
    std=st.just((0.25,)),
    value_range=st.sampled_from([(0.0, 1.0), (-1024.0, 1024.0), (0.0, 255.0)]),
)


@settings(deadline=None)
@given(specs, st.tuples(st.integers(1, 99), st.integers(1, 99)))
def test_that_finish_after_grey_equals_the_whole_bit_for_bit(
    spec: PreprocessSpec, shape: tuple[int, int]
) -> None:
    preprocessor, radiograph = Preprocessor(spec), film(shape)
    whole = preprocessor(radiograph)
    grey = preprocessor.grey(radiograph)
    assert grey.dtype == np.float32
    assert grey.shape == spec.size
    assert 0 <= grey.min() <= grey.max() <= 1
    assert whole.x_CHW.dtype == np.float32
    assert whole.x_CHW.shape == (spec.channels, *spec.size)
    assert whole.x_CHW.flags.c_contiguous
    assert np.isfinite(whole.x_CHW).all()
    assert whole.x_CHW.tobytes() == preprocessor.finish(grey).tobytes()


def test_that_an_input_has_its_film_id_map_and_preprocessing_id() -> None:
    preprocessor = Preprocessor(SPEC)
    model_input = preprocessor(film())
    assert model_input.film_id == "film.dcm#0"
    assert model_input.film_size == (90, 120)
    assert model_input.preprocessing_id == preprocessor.preprocessing_id
    assert model_input.warnings == ("cut",)
    assert model_input.film_to_input == preprocessor.film_to_input((90, 120))


def test_that_values_are_scaled_then_standardised() -> None:
    spec = replace(SPEC, value_range=(-1024.0, 1024.0), mean=(24.0,), std=(2.0,))
    finished = Preprocessor(spec).finish(np.full((64, 48), 0.75, np.float32))
    assert finished == pytest.approx((512 - 24) / 2)


def test_that_each_channel_has_its_own_mean_and_standard_deviation() -> None:
    spec = replace(SPEC, channels=3, mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 4.0))
    finished = Preprocessor(spec).finish(np.full((64, 48), 0.5, np.float32))
    np.testing.assert_allclose(finished[:, 0, 0], [0.4, 0.15, 0.05], rtol=1e-6)


def test_that_a_film_can_be_standardised_by_itself() -> None:
    finished = Preprocessor(replace(SPEC, standardize="film"))(film()).x_CHW
    assert finished.mean() == pytest.approx(0, abs=1e-5)
    assert finished.std() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("standardize", ["fixed", "film"])
def test_that_a_constant_film_is_zero_with_a_warning(standardize: Any) -> None:
    flat = replace(film(), pixels_HW=np.full((90, 120), 9, np.uint16))
    model_input = Preprocessor(replace(SPEC, standardize=standardize))(flat)
    assert not model_input.x_CHW.any()
    assert "same grey" in model_input.warnings[-1]


def test_that_background_around_the_film_does_not_affect_equalisation() -> None:
    narrow = film((100, 40))
    boxed = Preprocessor(PreprocessSpec(size=(100, 100), equalize="histogram")).grey(narrow)
    without_background = Preprocessor(PreprocessSpec(size=(100, 40), equalize="histogram")).grey(
        narrow
    )
    np.testing.assert_array_equal(boxed[:, 30:70], without_background)
    assert not boxed[:, :30].any()


def test_that_the_film_is_not_modified() -> None:
    radiograph = film()
    before = radiograph.pixels_HW.copy()
    Preprocessor(replace(SPEC, equalize="clahe"))(radiograph)
    np.testing.assert_array_equal(radiograph.pixels_HW, before)


def test_that_equal_specs_share_an_id_and_every_field_changes_it() -> None:
    same = PreprocessSpec(size=(64, 48), mean=(0,), std=(1,))
    changes: list[dict[str, Any]] = [
        {"size": (64, 64)}, {"channels": 3}, {"source": "full_range"}, {"percentiles": (1.0, 99.0)},
        {"fit": "stretch"}, {"interpolation": "cubic"}, {"equalize": "clahe"},
        {"standardize": "film"}, {"mean": (0.5,)}, {"std": (2.0,)}, {"value_range": (0.0, 255.0)},
    ]  # fmt: skip
    ids = [Preprocessor(replace(SPEC, **change)).preprocessing_id for change in changes]
    assert Preprocessor(same).preprocessing_id == Preprocessor(SPEC).preprocessing_id
    assert len({*ids, Preprocessor(SPEC).preprocessing_id}) == len(changes) + 1


def test_that_the_id_of_a_spec_never_changes_between_versions() -> None:
    assert Preprocessor(SPEC).preprocessing_id == "50f649a3c9ed"


def test_that_an_unknown_version_of_the_spec_is_refused() -> None:
    with pytest.raises(ModelError, match="version 2 is not supported"):
        Preprocessor(replace(SPEC, version=2))


def test_that_a_real_dicom_and_its_8_bit_copy_agree() -> None:
    from pydicom.data import get_testdata_file

    from xrayview.io.readers import read_film, read_header

    path = Path(str(get_testdata_file("RG1_UNCR.dcm")))
    dicom = read_film(read_header(path, path.parent))
    stored = dicom.pixels_HW.astype(np.float64)
    copied = np.rint(255 * (1 - stored / stored.max())).astype(np.uint8)
    copy = Radiograph(FilmRef(Path("copy.png"), "copy.png"), copied, Greyscale(bits_stored=8))
    preprocessor = Preprocessor(PreprocessSpec(size=(224, 224)))
    grey, grey_of_copy = preprocessor.grey(dicom), preprocessor.grey(copy)
    assert dicom.greyscale.photometric == "MONOCHROME1"
    assert np.abs(grey - grey_of_copy).max() < 2 / 255
    assert grey.std() > 0.1
