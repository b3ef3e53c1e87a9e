"""The files of a finished run follow the operating points in force, without a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, write_raster
from xrayview.batch.report import report_path
from xrayview.batch.rewrite import RunFiles, Settled
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import FilmFinished, FilmResult
from xrayview.domain.model import OperatingPoint
from xrayview.domain.operating_points import OWN, apply_own_points
from xrayview.domain.stated import NOTHING_STATED
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import UsageError
from xrayview.io.model.bundle import read_card
from xrayview.io.tables.predictions import Row, read_predictions

OPTIONS = BatchOptions(identity="none")


@pytest.fixture
def run(engine: Engine, model: ModelRef, tmp_path: Path) -> tuple[Path, list[FilmResult]]:
    """The CSV of a run over three films, and its results."""
    folder = tmp_path / "films"
    folder.mkdir()
    for n in range(3):
        write_raster(folder / f"{n}.png", (phantom(64, 64) // 16 + n).astype(np.uint8))
    (folder / "notes.txt").write_text("not a film")
    out = tmp_path / "predictions.csv"
    events = list(run_batch(engine, folder, model, out, OPTIONS))
    return out, [event.result for event in events if isinstance(event, FilmFinished)]


def settled(threshold: float) -> Settled:
    return Settled((OperatingPoint("Opacity", OWN, threshold, "your own"),), NOTHING_STATED)


def at(results: list[FilmResult], model: ModelRef, threshold: float) -> list[FilmResult]:
    card = read_card(model.path)
    return [
        replace(r, prediction=apply_own_points(r.prediction, card, {"Opacity": threshold}))
        if r.prediction
        else r
        for r in results
    ]


def rows_of(path: Path) -> list[Row]:
    return list(read_predictions(path).rows)


def test_that_flags_and_thresholds_change_and_all_else_stays(
    run: tuple[Path, list[FilmResult]], model: ModelRef
) -> None:
    out, results = run
    before = rows_of(out)
    RunFiles(out, settled(0.5)).update(settled(0.0), at(results, model, 0.0), 1)
    after = rows_of(out)
    assert [row["flag_Opacity"] for row in after] == ["1", "1", "1", ""]
    changed = {name for old, new in zip(before, after, strict=True) for name in new
               if old[name] != new[name]}  # fmt: skip
    assert changed <= {"threshold_Opacity", "flag_Opacity", "predicted", "threshold_Normal",
                       "flag_Normal"}  # fmt: skip
    report = json.loads(report_path(out).read_text())
    assert report["operating_points"][0]["origin"] == "user"
    # The next run knows the table as its own.
    RunFiles(out, settled(0.0)).update(settled(0.5), at(results, model, 0.5), 1)
    assert {row["threshold_Opacity"] for row in rows_of(out)} == {"0.5", ""}


def test_that_an_older_update_does_not_undo_a_newer_one(
    run: tuple[Path, list[FilmResult]], model: ModelRef
) -> None:
    out, results = run
    files = RunFiles(out, settled(0.5))
    files.update(settled(0.1), at(results, model, 0.1), 2)
    files.update(settled(0.2), at(results, model, 0.2), 1)
    assert {row["threshold_Opacity"] for row in rows_of(out)} == {"0.1", ""}


def test_that_an_edited_table_is_left_alone_and_saved_with_the_edits(
    run: tuple[Path, list[FilmResult]], model: ModelRef, tmp_path: Path
) -> None:
    out, results = run
    header, first, *rest = out.read_bytes().split(b"\r\n")
    lines = [header + b",comment", first + b",seen by me", *(line + b"," for line in rest if line)]
    edited = b"\r\n".join(lines)
    out.write_bytes(edited)
    files = RunFiles(out, settled(0.5))
    with pytest.raises(UsageError, match="changed by another program"):
        files.update(settled(0.0), at(results, model, 0.0), 1)
    assert out.read_bytes() == edited
    copy = tmp_path / "copy.csv"
    files.save_as(copy, settled(0.0), at(results, model, 0.0))
    rows = rows_of(copy)
    assert rows[0]["comment"] == "seen by me"
    assert {row["threshold_Opacity"] for row in rows} == {"0.0", ""}
