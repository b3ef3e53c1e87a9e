"""The sample study: what it holds, where it comes from, and that it can be made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless

from tests.sample_study import CHILDREN, FILMS, OUT, SOURCE, SampleFilm, dataset_of, pixels_of
from xrayview.domain.age import age_in_years
from xrayview.domain.model import Scope
from xrayview.domain.radiograph import Radiograph
from xrayview.domain.stated import NOTHING_STATED
from xrayview.engine.scan import list_files
from xrayview.inference.gate import check_description
from xrayview.io.readers import read_film, read_header
from xrayview.services.priors import Prior, find_prior
from xrayview.services.resources import resource, sample_study

MOST_BYTES = 8_000_000
CHILDREN_AP = Scope(age_years=(1.0, 5.0), view_positions=("AP",))
films = pytest.mark.parametrize("film", CHILDREN, ids=lambda film: film.path)
here = pytest.mark.skipif(not FILMS.is_dir(), reason="the published JPEG files are not here")


def shipped(film: SampleFilm) -> Path:
    return sample_study() / film.path


def test_that_it_is_small_and_holds_only_films() -> None:
    assert sample_study() == OUT
    every = [path for path in resource("samples").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in every) <= MOST_BYTES
    found = [str(path.relative_to(OUT).as_posix()) for path in list_files(sample_study())]
    assert found == [
        *(film.path for film in CHILDREN),
        "others/adult_RG1_J2KI.dcm",
        "others/ankle_RG3_J2KI.dcm",
    ]


@films
def test_that_a_child_is_in_the_scope_of_the_default_model(film: SampleFilm) -> None:
    ref = read_header(shipped(film), sample_study())
    verdict = check_description(ref, CHILDREN_AP, NOTHING_STATED)
    assert (verdict.flags, verdict.facts, verdict.refused) == ((), (), False)
    dataset = dcmread(shipped(film), stop_before_pixels=True)
    assert dataset.file_meta.TransferSyntaxUID == JPEG2000Lossless
    assert SOURCE in dataset.ImageComments
    born, made = int(dataset.PatientBirthDate), int(dataset.StudyDate)
    assert (made - born) // 10_000 == age_in_years(dataset.PatientAge)


def test_that_two_children_have_a_prior() -> None:
    refs = [read_header(shipped(film), sample_study()) for film in CHILDREN]
    priors = {
        ref.relative_path: found.film.relative_path
        for ref in refs
        if isinstance(found := find_prior(ref, refs), Prior)
    }
    assert priors == {
        "child-1/current.dcm": "child-1/prior.dcm",
        "child-2/current.dcm": "child-2/prior.dcm",
    }


@here
@films
def test_that_the_grey_values_are_those_that_were_published(film: SampleFilm) -> None:
    radiograph = read_film(read_header(shipped(film), sample_study()))
    assert isinstance(radiograph, Radiograph)
    np.testing.assert_array_equal(radiograph.pixels_HW, pixels_of(FILMS / film.source))


@here
def test_that_the_headers_can_be_made_again() -> None:
    film = CHILDREN[0]
    made, stored = dataset_of(film, FILMS), dcmread(shipped(film))
    del made.PixelData, stored.PixelData  # the bytes differ between versions of the encoder
    assert made == stored
