"""A long heat map reports how far it is, and ends within one step when nobody waits for it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.builders import phantom, write_raster
from tests.bundles import Slow, write_bundle
from xrayview.batch.heat_maps import Explainer, HeatMapOptions
from xrayview.engine.client import Engine
from xrayview.engine.progress import ProgressFile, reporting_to
from xrayview.engine.protocol import Classify, Explain, LoadModel, ModelRef, PrepareInput
from xrayview.engine.scan import scan_folder
from xrayview.errors import Cancelled
from xrayview.io.model.bundle import sha256_of

WAIT_S = 120


def test_that_the_worker_is_stopped_and_stays_alive(engine: Engine, tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "slow.pt", Slow)
    model = ModelRef(path, sha256_of(path), "cpu")
    folder = tmp_path / "films"
    folder.mkdir()
    write_raster(folder / "a.png", phantom(64, 64, 8))
    (film,) = scan_folder(engine, folder)
    ready = engine.submit(LoadModel(model)).result(WAIT_S)
    prepared = engine.submit(PrepareInput(film, ready.card.preprocessing)).result(WAIT_S)  # type: ignore[arg-type]
    before = _worker_ids(engine)
    progress = ProgressFile()
    future = engine.submit(
        Explain(model, prepared.model_input, "Opacity", "occlusion", progress.path)
    )
    until = time.monotonic() + WAIT_S
    while not progress.fraction:
        assert time.monotonic() < until
        time.sleep(0.01)
    progress.stop()
    with pytest.raises(Cancelled):
        future.result(WAIT_S)
    assert progress.fraction is not None
    assert progress.fraction < 1
    engine.submit(Classify(model, (prepared.model_input,))).result(WAIT_S)
    assert _worker_ids(engine) == before


def _worker_ids(engine: Engine) -> set[int]:
    pool = engine._lanes["model"]._pool
    return set(pool._pool_manager.worker_manager.workers)


def test_that_both_ends_share_the_counts(tmp_path: Path) -> None:
    progress = ProgressFile()
    assert progress.fraction is None
    with reporting_to(progress.path) as report:
        report(1, 4)
        assert progress.fraction == 0.25
        progress.stop()
        with pytest.raises(Cancelled):
            report(2, 4)
    path = progress.path
    progress.close()
    progress.close()
    assert progress.fraction is None
    assert path is not None
    assert not path.exists()


def test_that_a_request_whose_file_is_gone_has_nobody_who_waits(tmp_path: Path) -> None:
    with pytest.raises(Cancelled), reporting_to(tmp_path / "gone"):
        pytest.fail("it must not run")


def test_that_without_a_temporary_folder_there_is_no_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    progress = ProgressFile()
    assert progress.path is None
    progress.stop()
    with reporting_to(progress.path) as report:
        report(1, 2)
    assert progress.fraction is None


def test_that_pictures_that_are_cancelled_end_their_heat_maps(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[float | None] = []

    class Noted(ProgressFile):
        def stop(self) -> None:
            stopped.append(self.fraction)
            super().stop()

    monkeypatch.setattr("xrayview.batch.heat_maps.ProgressFile", Noted)
    path = write_bundle(tmp_path / "slow.pt", Slow)
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(3):
        write_raster(folder / f"{number}.png", phantom(64, 64, 8))
    model = ModelRef(path, sha256_of(path), "cpu")
    options, cancel = HeatMapOptions(model, method="occlusion"), threading.Event()
    explainer = Explainer(engine, options, cancel)
    explained = explainer.explain(scan_folder(engine, folder), lambda _: True)
    next(explained)
    until = time.monotonic() + WAIT_S
    while not any(file.fraction for file in tuple(explainer._progress)):
        assert time.monotonic() < until
        time.sleep(0.01)
    explained.close()
    assert stopped
    while explainer._progress:  # the worker is free again
        assert time.monotonic() < until
        time.sleep(0.01)
