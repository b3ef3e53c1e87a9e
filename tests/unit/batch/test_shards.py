"""The shards of an index together have the rows of one run on the folder."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, write_dicom
from tests.unit.batch.test_batch import OPTIONS, rows_of, run
from xrayview.batch.frozen_films import open_frozen
from xrayview.batch.index_folder import IndexOptions, index_folder
from xrayview.batch.output import Output
from xrayview.batch.report import report_path
from xrayview.batch.run import run_batch
from xrayview.domain.events import FilmFinished
from xrayview.domain.film_index import Shard
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import UsageError
from xrayview.io.tables.predictions import Row, read_predictions

OF_A_RUN = ("run_id", "time_utc")


def write_films(folder: Path, patients: int = 5) -> Path:
    folder.mkdir()
    for patient in range(patients):
        for view in range(2):
            grey = (phantom(64, 64) / 4095) ** (1 + patient / 10 + view / 4)
            pixels = (255 * grey).astype(np.uint8)
            write_dicom(
                folder / f"{view} of {patient}.dcm",
                pixels,
                PatientID=f"ID-{patient}",
                StudyInstanceUID=f"1.2.{patient}",
                ViewPosition="PA",
            )
    write_dicom(folder / "frames.dcm", np.stack([phantom(64, 64)] * 3), frames=3, PatientID="ID-0")
    (folder / "notes.txt").write_text("not a film")
    (folder / "link.dcm").symlink_to("/etc/hostname")
    return folder


@pytest.fixture
def films(tmp_path: Path) -> Path:
    return write_films(tmp_path / "films")


@pytest.fixture
def index(engine: Engine, films: Path, tmp_path: Path) -> Path:
    out = tmp_path / "index.parquet"
    list(index_folder(engine, films, out, IndexOptions(identity_key=OPTIONS.identity_key)))
    return out


def cells(out: Path) -> list[Row]:
    rows = read_predictions(out).rows
    return [{name: row[name] for name in row if name not in OF_A_RUN} for row in rows]


def test_that_shards_have_the_rows_of_the_folder(
    engine: Engine, model: ModelRef, films: Path, index: Path, tmp_path: Path
) -> None:
    run(engine, films, model, tmp_path / "whole.csv")
    parts: list[Row] = []
    for k in range(1, 4):
        frozen, out = open_frozen(index, Shard(k, 3)), tmp_path / f"part-{k}.parquet"
        started, _, finished = run(engine, frozen.root, model, out, frozen=frozen)
        assert started.files == len(frozen.files)
        assert finished.notes == ()
        report = json.loads(report_path(out).read_text(encoding="utf-8"))
        assert report["films"]["shard"] == f"{k}/3"
        assert report["films"]["run_key"]["model_sha256"] == model.sha256
        parts += cells(out)
    whole = {(row["path"], row["frame"]): row for row in cells(tmp_path / "whole.csv")}
    assert len(parts) == len(whole) == 15
    assert {(row["path"], row["frame"]): row for row in parts} == whole
    frozen = open_frozen(index)
    run(engine, frozen.root, model, tmp_path / "frozen.csv", frozen=frozen)
    assert cells(tmp_path / "frozen.csv") == cells(tmp_path / "whole.csv")  # in scan order


def test_that_a_shard_is_resumed_and_may_be_empty(
    engine: Engine, model: ModelRef, index: Path, tmp_path: Path
) -> None:
    frozen, out = open_frozen(index, Shard(2, 3)), tmp_path / "part.csv"
    _, events, _ = run(engine, frozen.root, model, out, frozen=frozen)
    started, again, _ = run(engine, frozen.root, model, out, frozen=frozen)
    assert started.resumed + len(again) == len(events) > 1
    assert {event.result.relative_path for event in again} <= {"link.dcm"}  # never opened
    empty = next(
        shard
        for shard in (open_frozen(index, Shard(k, 40)) for k in range(1, 41))
        if not shard.files
    )
    run(engine, empty.root, model, tmp_path / "empty.csv", frozen=empty)
    assert cells(tmp_path / "empty.csv") == []


def test_that_files_that_changed_since_are_reported_and_new_ones_are_left_out(
    engine: Engine, model: ModelRef, films: Path, index: Path, tmp_path: Path
) -> None:
    (films / "0 of 1.dcm").unlink()
    write_dicom(films / "0 of 2.dcm", phantom(80, 80))
    write_dicom(films / "new.dcm", phantom())
    frozen, out = open_frozen(index), tmp_path / "p.csv"
    _, _, finished = run(engine, frozen.root, model, out, frozen=frozen)
    assert finished.notes == ("2 files have changed since the index was written.",)
    rows = rows_of(out)
    assert rows["0 of 1.dcm"]["status"] == "error"
    assert (rows["0 of 2.dcm"]["Rows"], "new.dcm" in rows) == ("80", False)


def test_that_an_index_finds_its_folder_elsewhere(films: Path, index: Path, tmp_path: Path) -> None:
    shutil.move(films, tmp_path / "mounted")
    with pytest.raises(UsageError, match="--root"):
        open_frozen(index)
    assert open_frozen(index, root=tmp_path / "mounted").root == tmp_path / "mounted"


def test_that_a_shard_that_was_taken_over_is_left_to_the_other_run(
    engine: Engine, model: ModelRef, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xrayview.batch.run.SHARD_LEASE_S", 0.3)
    frozen, out = open_frozen(index), tmp_path / "p.csv"
    lock = Output(out).lock
    events = run_batch(engine, frozen.root, model, out, replace(OPTIONS, frozen=frozen))
    for event in events:
        if isinstance(event, FilmFinished):
            break
    holder = json.loads(lock.read_text()) | {"host": "another", "token": "of another run"}
    lock.write_text(json.dumps(holder))
    time.sleep(0.5)
    with pytest.raises(UsageError, match="Another run has taken over"):
        list(events)
    assert not out.exists()
    assert not report_path(out).exists()
    assert lock.exists()
