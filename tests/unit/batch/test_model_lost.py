"""A model that changes while a folder is classified ends the run, and its rows stay of one card."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, write_raster
from tests.bundles import export, network_for, tiny_card
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import FilmFinished
from xrayview.domain.model import Calibration
from xrayview.engine.client import Engine
from xrayview.engine.protocol import Classify, LoadModel, ModelRef, PrepareInput
from xrayview.engine.scan import scan_folder
from xrayview.errors import ExitCode, ModelLost
from xrayview.io.model.bundle import card_to_json, sha256_of, sidecar_of
from xrayview.io.tables.predictions import read_predictions

WAIT_S = 120
FILMS = 120
CARD = tiny_card()


@pytest.fixture
def model(tmp_path: Path) -> ModelRef:
    """A model whose card is beside it."""
    path = export(network_for(CARD), tmp_path / "net.pt", CARD, extra={})
    write_card(path, 1.0)
    return ModelRef(path, sha256_of(path), "cpu")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(FILMS):
        grey = np.minimum(
            phantom(64, 64, 8).astype(int) + number, 255
        )  # equal inputs share a score
        write_raster(folder / f"{number:03}.png", grey.astype(np.uint8))
    return folder


def write_card(path: Path, temperature: float) -> None:
    plain = card_to_json(replace(CARD, calibration=Calibration("temperature", (temperature,))))
    sidecar_of(path).write_text(json.dumps(plain), encoding="utf-8")


def scores(engine: Engine, films: Path, model: ModelRef, out: Path) -> dict[str, str]:
    """The scores of an undisturbed run, by path."""
    list(run_batch(engine, films, model, out, BatchOptions("none")))
    return {row["path"]: row["score_Opacity"] for row in read_predictions(out).rows}


def kill_model_worker(engine: Engine) -> None:
    manager = engine._lanes["model"]._pool._pool_manager.worker_manager
    for pid in tuple(manager.workers):
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.3)


def change_card(path: Path) -> None:
    write_card(path, 3.0)


def remove_card(path: Path) -> None:
    sidecar_of(path).unlink()


def change_network(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"x")


def remove_network(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [change_card, remove_card, change_network, remove_network])
def test_that_a_run_stops_where_the_model_is_not_the_same_after_a_crash(
    engine: Engine,
    model: ModelRef,
    films: Path,
    tmp_path: Path,
    change: Callable[[Path], None],
) -> None:
    expected = scores(engine, films, model, tmp_path / "undisturbed.csv")
    out, seen = tmp_path / "p.csv", 0

    def run() -> None:
        nonlocal seen
        for event in run_batch(engine, films, model, out, BatchOptions("none")):
            seen += isinstance(event, FilmFinished)
            if seen == 1:
                change(model.path)
                kill_model_worker(engine)

    with pytest.raises(ModelLost) as caught:
        run()
    assert caught.value.exit_code == ExitCode.MODEL
    assert caught.value.hint
    rows = read_predictions(out).rows
    assert 0 < len(rows) == seen < FILMS
    assert {row["status"] for row in rows} == {"ok"}
    assert {row["path"]: row["score_Opacity"] for row in rows}.items() <= expected.items()


def test_that_a_crash_alone_changes_nothing(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    expected = scores(engine, films, model, tmp_path / "undisturbed.csv")
    out, seen = tmp_path / "p.csv", 0
    for event in run_batch(engine, films, model, out, BatchOptions("none")):
        seen += isinstance(event, FilmFinished)
        if seen == 1:
            kill_model_worker(engine)
    assert {r["path"]: r["score_Opacity"] for r in read_predictions(out).rows} == expected


def test_that_a_request_of_the_earlier_card_is_refused_after_the_model_was_loaded_again(
    engine: Engine, model: ModelRef, films: Path
) -> None:
    earlier = engine.submit(LoadModel(model)).result(WAIT_S)
    film = next(iter(scan_folder(engine, films)))
    prepared = engine.submit(PrepareInput(film, earlier.card.preprocessing)).result(WAIT_S)  # type: ignore[arg-type]
    write_card(model.path, 3.0)
    later = engine.submit(LoadModel(model)).result(WAIT_S)
    inputs = (prepared.model_input,)
    engine.submit(Classify(later.model, inputs)).result(WAIT_S)
    with pytest.raises(ModelLost, match="card beside the model has changed"):
        engine.submit(Classify(earlier.model, inputs)).result(WAIT_S)


def test_that_work_does_not_move_to_another_device(
    engine: Engine, model: ModelRef, films: Path
) -> None:
    ready = engine.submit(LoadModel(model)).result(WAIT_S)
    film = next(iter(scan_folder(engine, films)))
    prepared = engine.submit(PrepareInput(film, ready.card.preprocessing)).result(WAIT_S)  # type: ignore[arg-type]
    on_gpu = replace(ready.model, device_in_use="cuda:0")
    with pytest.raises(ModelLost, match="cuda:0 does not work"):
        engine.submit(Classify(on_gpu, (prepared.model_input,))).result(WAIT_S)
