"""The engine with real workers, a small real model and real files."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, write_dicom, write_raster
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.model import HeatMap
from xrayview.engine.client import Engine
from xrayview.engine.protocol import (
    Classify,
    DecodeFilm,
    Explain,
    Limits,
    LoadModel,
    MakeThumbnail,
    ModelRef,
    PrepareInput,
)
from xrayview.engine.scan import scan_folder
from xrayview.errors import DeviceUnavailable, ModelError, StatusCode, UnreadableFilm
from xrayview.io.model.bundle import read_card, sha256_of
from xrayview.io.readers import read_film
from xrayview.preprocessing.pipeline import Preprocessor

WAIT_S = 120


@pytest.fixture
def film(engine: Engine, tmp_path: Path) -> FilmRef:
    path = write_dicom(
        tmp_path / "film.dcm", phantom(600, 400), PatientID="4711", PatientName="DOE^JANE"
    )
    (found,) = scan_folder(engine, path)
    assert isinstance(found, FilmRef)
    return found


def test_that_a_folder_is_listed_in_order_and_without_pixels(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    write_dicom(tmp_path / "b" / "2.dcm", phantom())
    write_raster(tmp_path / "c.png", phantom().astype(np.uint16))
    (tmp_path / "a.txt").write_text("not a film")
    found = list(scan_folder(engine, tmp_path))
    assert [entry.relative_path for entry in found] == ["a.txt", "b/2.dcm", "c.png"]
    assert [isinstance(entry, FilmRef) for entry in found] == [False, True, True]
    assert isinstance(found[0], RejectedFile)
    assert found[0].code is StatusCode.NOT_AN_IMAGE
    assert found[0].hint


def test_that_many_files_come_in_scan_order(engine: Engine, tmp_path: Path) -> None:
    for n in range(150):
        (tmp_path / f"{n:03}.dcm").write_bytes(b"x" * 200)
    found = [entry.relative_path for entry in scan_folder(engine, tmp_path)]
    assert found == [f"{n:03}.dcm" for n in range(150)]


def test_that_a_decoded_film_equals_that_of_the_reader(engine: Engine, film: FilmRef) -> None:
    decoded = engine.submit(DecodeFilm(film)).result(WAIT_S)
    assert np.array_equal(decoded.pixels_HW, read_film(film).pixels_HW)
    assert decoded.ref.film_id == film.film_id
    assert len(decoded.sha256) == 64


def test_that_a_thumbnail_is_small_and_grey(engine: Engine, film: FilmRef) -> None:
    thumbnail = engine.submit(MakeThumbnail(film, 96)).result(WAIT_S)
    assert thumbnail.film_id == film.film_id
    assert thumbnail.grey_HW.shape == (96, 64)
    assert thumbnail.grey_HW.dtype == np.uint8
    assert np.ptp(thumbnail.grey_HW) > 100


def test_that_a_missing_film_is_reported(engine: Engine, tmp_path: Path) -> None:
    gone = FilmRef(tmp_path / "gone.dcm", "gone.dcm")
    error = engine.submit(DecodeFilm(gone)).exception(WAIT_S)
    assert isinstance(error, UnreadableFilm)
    assert error.path == gone.path
    assert error.hint


def test_that_the_limits_of_the_engine_apply_where_a_request_has_none(film: FilmRef) -> None:
    with Engine(1, Limits(max_megapixels=0.01), spare_workers=0) as strict:
        error = strict.submit(DecodeFilm(film)).exception(WAIT_S)
        assert isinstance(error, UnreadableFilm)
        assert error.code is StatusCode.TOO_LARGE
        generous = DecodeFilm(film, Limits(max_megapixels=1))
        assert strict.submit(generous).result(WAIT_S).pixels_HW.shape == (600, 400)


def test_that_a_prepared_film_equals_that_of_the_preprocessor(
    engine: Engine, model: ModelRef, film: FilmRef
) -> None:
    spec = read_card(model.path).preprocessing
    prepared = engine.submit(PrepareInput(film, spec)).result(WAIT_S)
    expected = Preprocessor(spec)(read_film(film))
    assert np.array_equal(prepared.model_input.x_CHW, expected.x_CHW)
    assert prepared.model_input.film_id == film.film_id
    assert (prepared.film.rows, prepared.film.columns) == (600, 400)
    assert prepared.sha256 == sha256_of(film.path)


def test_that_the_gate_checks_the_header(engine: Engine, model: ModelRef, tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "lateral.dcm", phantom(), ViewPosition="LL")
    (film,) = scan_folder(engine, path)
    assert isinstance(film, FilmRef)
    spec = read_card(model.path).preprocessing
    gate = engine.submit(PrepareInput(film, spec)).result(WAIT_S).gate
    assert gate.refused
    assert gate.flags == ("NOT_FRONTAL",)


def test_that_a_model_is_loaded_classifies_and_explains(
    engine: Engine, model: ModelRef, film: FilmRef
) -> None:
    ready = engine.submit(LoadModel(model)).result(WAIT_S)
    assert ready.model == model
    assert ready.card.name == "tiny"
    assert ready.device == "cpu"
    assert "grad-cam" in ready.explain_methods
    prepared = engine.submit(PrepareInput(film, ready.card.preprocessing)).result(WAIT_S)
    (prediction,) = engine.submit(Classify(model, (prepared.model_input,))).result(WAIT_S)
    assert prediction.film_id == film.film_id
    assert prediction.model_sha256 == model.sha256
    assert prediction.findings == ("Opacity",)
    heat_map = engine.submit(Explain(model, prepared.model_input, "Opacity")).result(WAIT_S)
    assert isinstance(heat_map, HeatMap)
    assert heat_map.film_id == film.film_id


def test_that_a_new_model_worker_loads_the_bundle_by_itself(
    engine: Engine, model: ModelRef, film: FilmRef
) -> None:
    ready = engine.submit(LoadModel(model)).result(WAIT_S)
    prepared = engine.submit(PrepareInput(film, ready.card.preprocessing)).result(WAIT_S)
    request = Classify(model, (prepared.model_input,))
    before = engine.submit(request).result(WAIT_S)
    for child in multiprocessing.active_children():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
    time.sleep(0.3)
    assert engine.submit(request).result(WAIT_S) == before


def test_that_a_file_other_than_the_trusted_one_is_refused(engine: Engine, model: ModelRef) -> None:
    error = engine.submit(LoadModel(ModelRef(model.path, "0" * 64, "cpu"))).exception(WAIT_S)
    assert isinstance(error, ModelError)
    assert error.path == model.path


def test_that_a_file_that_is_not_a_model_is_refused_and_the_worker_survives(
    engine: Engine, model: ModelRef, tmp_path: Path
) -> None:
    path = tmp_path / "no.pt"
    path.write_text("not a model")
    error = engine.submit(LoadModel(ModelRef(path, sha256_of(path), "cpu"))).exception(WAIT_S)
    assert isinstance(error, ModelError)
    assert engine.submit(LoadModel(model)).result(WAIT_S).card.name == "tiny"


def test_that_a_missing_device_is_an_error_but_not_for_auto(
    engine: Engine, model: ModelRef
) -> None:
    auto = engine.submit(LoadModel(ModelRef(model.path, model.sha256, "auto"))).result(WAIT_S)
    if auto.device != "cpu":
        pytest.skip("this machine has a CUDA device")
    request = LoadModel(ModelRef(model.path, model.sha256, "cuda"))
    assert isinstance(engine.submit(request).exception(WAIT_S), DeviceUnavailable)
