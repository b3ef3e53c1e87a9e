"""Copies are scored once and have a row each; groups follow the model's rate; no score moves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import phantom, write_dicom, write_raster
from xrayview.batch import grouping
from xrayview.batch.grouping import LEAST_FILMS, MOST_FILMS, GroupSize
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import FilmFinished
from xrayview.engine.client import Engine
from xrayview.engine.protocol import Classify, ModelRef
from xrayview.io.tables.predictions import read_predictions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty films of ten kinds, and the same pixels as a DICOM file."""
    root = tmp_path / "films"
    root.mkdir()
    for i in range(10):
        write_raster(root / f"{i:02}.png", phantom() // (i + 1))
    for i in range(10):
        shutil.copy(root / f"{i:02}.png", root / f"1{i:02} copy.png")
    write_dicom(root / "same.dcm", pixels=phantom())
    return root


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The number of films of each request to the model."""
    sizes: list[int] = []
    submit = Engine.submit

    def counted(self: Engine, request: object, **options: object) -> object:
        if isinstance(request, Classify):
            sizes.append(len(request.inputs))
        return submit(self, request, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Engine, "submit", counted)
    return sizes


def rows_by_name(engine: Engine, folder: Path, model: ModelRef, out: Path) -> dict[str, dict]:
    options = BatchOptions(identity="none")
    events = list(run_batch(engine, folder, model, out, options))
    results = {e.result.relative_path: e.result for e in events if isinstance(e, FilmFinished)}
    for name, result in results.items():
        assert result.prediction
        assert name in result.prediction.film_id
    return {row["path"]: row for row in read_predictions(out).rows}


def test_that_copies_are_scored_once_and_each_has_its_row(
    engine: Engine, model: ModelRef, folder: Path, tmp_path: Path, sent: list[int]
) -> None:
    rows = rows_by_name(engine, folder, model, tmp_path / "once.csv")
    assert len(rows) == 21
    assert sum(sent) < 21
    for i in range(10):
        original, copy = rows[f"{i:02}.png"], rows[f"1{i:02} copy.png"]
        assert original["logit_Opacity"] == copy["logit_Opacity"]


def test_that_no_score_depends_on_the_size_of_the_groups(
    engine: Engine, model: ModelRef, folder: Path, tmp_path: Path, sent: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    found = []
    for size in (1, 5, 64):
        monkeypatch.setattr(grouping, "LEAST_FILMS", size)
        monkeypatch.setattr(grouping, "MOST_FILMS", size)
        sent.clear()
        rows = rows_by_name(engine, folder, model, tmp_path / f"{size}.csv")
        assert max(sent) <= size
        found.append({name: row["logit_Opacity"] for name, row in rows.items()})
    assert found[0] == found[1] == found[2]


def test_that_groups_grow_for_a_fast_model_and_shrink_for_a_slow_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(grouping.time, "monotonic", lambda: now[0])
    size = GroupSize()
    assert size.films == LEAST_FILMS
    now[0] += 0.04
    size.measure(LEAST_FILMS, 100.0)  # 200 films/s
    assert size.films == 50
    now[0] += 0.05
    size.measure(50, 100.0)  # 1,000 films/s, though it has waited for the group before it
    assert size.films == MOST_FILMS
    now[0] += 10
    size.measure(0, 100.0)
    assert size.films == MOST_FILMS
    now[0] += 8
    size.measure(16, now[0] - 8)
    assert size.films == LEAST_FILMS
