"""Films of several frames in a batch have a row per frame, also after interruptions."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames
from pydicom.uid import RLELossless

from tests.builders import phantom, write_dicom, write_encapsulated, write_raster
from xrayview.batch.journal import journal_path
from xrayview.batch.report import report_path
from xrayview.batch.rows import Rows
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import BatchFinished, BatchStarted, FilmFinished
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import UsageError
from xrayview.io.limits import MAX_FRAMES
from xrayview.io.tables.predictions import Row, read_predictions, write_predictions

FRAMES = np.stack([np.roll(phantom(60, 50), 5 * step, axis=0) for step in range(5)])
REAL = {"emri_small_RLE.dcm": 10, "SC_rgb_rle_2frame.dcm": 2, "rtdose.dcm": 15}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A film of five frames between two others, and a file that is not a film."""
    folder = tmp_path / "films"
    folder.mkdir()
    write_raster(folder / "a.png", phantom(64, 64, 8))
    write_dicom(folder / "b.dcm", FRAMES, frames=5, bits_stored=12)
    write_dicom(folder / "c.dcm", phantom())
    (folder / "d.txt").write_text("not a film")
    return folder


def run(
    engine: Engine, folder: Path, model: ModelRef, out: Path, **options: Any
) -> tuple[BatchStarted, list[FilmFinished], BatchFinished]:
    given = BatchOptions(identity_key=b"k" * 32, **options)
    started, *films, finished = run_batch(engine, folder, model, out, given)
    assert isinstance(started, BatchStarted)
    assert isinstance(finished, BatchFinished)
    return started, [event for event in films if isinstance(event, FilmFinished)], finished


def cells(out: Path, *names: str) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in names) for row in read_predictions(out).rows]


def rows_of(out: Path) -> list[Row]:
    """The rows without the columns that differ between runs."""
    own = ("run_id", "time_utc")
    return [{k: v for k, v in row.items() if k not in own} for row in read_predictions(out).rows]


PATHS_AND_FRAMES = [
    ("a.png", "0"),
    *(("b.dcm", str(n)) for n in range(5)),
    ("c.dcm", "0"),
    ("d.txt", ""),
]


def test_that_every_frame_has_a_row_in_order_and_the_total_grows(
    engine: Engine, model: ModelRef, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    started, films, finished = run(engine, folder, model, out)
    assert cells(out, "path", "frame") == PATHS_AND_FRAMES
    assert (started.files, started.total, started.resumed) == (4, 4, 0)
    assert [event.done for event in films] == list(range(1, 9))
    assert films[-1].total == 8
    assert [event.result.frame for event in films] == [0, 0, 1, 2, 3, 4, 0, None]
    assert finished.counts == {"ok": 7, "error": 1}
    scores = [cell for (cell,) in cells(out, "score_Opacity")]
    assert len(set(scores[1:6])) == 5
    hashes = cells(out, "sha256", "SOPInstanceUID", "Rows", "PatientID")[1:6]
    assert len(set(hashes)) == 1


@pytest.mark.parametrize("name", REAL)
def test_that_real_films_of_several_frames_have_as_many_rows(
    engine: Engine, model: ModelRef, tmp_path: Path, name: str
) -> None:
    source = get_testdata_file(name, download=False)
    assert isinstance(source, str)
    film = tmp_path / name
    shutil.copy(source, film)
    run(engine, film, model, tmp_path / "p.csv")
    expected = [(name, str(frame)) for frame in range(REAL[name])]
    assert cells(tmp_path / "p.csv", "path", "frame") == expected
    codes = {code for (code,) in cells(tmp_path / "p.csv", "status_code")}
    assert codes <= {"NOT_A_RADIOGRAPH", "OK"}


def test_that_a_broken_frame_is_the_only_error_of_its_film(
    engine: Engine, model: ModelRef, tmp_path: Path
) -> None:
    whole = write_dicom(tmp_path / "whole.dcm", FRAMES, frames=5, transfer_syntax=RLELossless)
    frames = list(generate_frames(dcmread(whole).PixelData, number_of_frames=5))
    frames[3] = frames[3][:80] + b"\xff" * 20
    (tmp_path / "films").mkdir()
    film = tmp_path / "films" / "broken.dcm"
    write_encapsulated(film, frames, FRAMES[0], transfer_syntax=RLELossless)
    run(engine, film, model, tmp_path / "p.csv")
    rows = read_predictions(tmp_path / "p.csv").rows
    assert [(row["frame"], row["status"]) for row in rows if row["status"] == "error"] == [
        ("3", "error")
    ]
    assert (rows[3]["status_code"], rows[3]["score_Opacity"]) == ("DECODE_FAILED", "")
    assert all(float(row["score_Opacity"]) > 0 for row in rows if row["frame"] != "3")
    assert len(rows) == 5


def test_that_a_truncated_film_has_errors_only_for_missing_frames(
    engine: Engine, model: ModelRef, tmp_path: Path
) -> None:
    film = write_dicom(tmp_path / "cut.dcm", FRAMES, frames=5)
    film.write_bytes(film.read_bytes()[: -FRAMES[0].nbytes - 10])
    run(engine, film, model, tmp_path / "p.csv")
    found = cells(tmp_path / "p.csv", "frame", "status")
    assert found == [("0", "warn"), ("1", "warn"), ("2", "warn"), ("3", "error"), ("4", "error")]
    assert all("incomplete" in text for (text,) in cells(tmp_path / "p.csv", "message"))


@pytest.mark.parametrize("claimed", [MAX_FRAMES + 1, 1_000_000])
def test_that_a_header_with_too_many_frames_is_a_single_error(
    engine: Engine, model: ModelRef, tmp_path: Path, claimed: int
) -> None:
    film = write_dicom(tmp_path / "lie.dcm", phantom(), NumberOfFrames=claimed)
    _, films, _ = run(engine, film, model, tmp_path / "p.csv")
    assert [(event.done, event.total) for event in films] == [(1, 1)]
    ((frame, status, code, text, score),) = cells(
        tmp_path / "p.csv", "frame", "status", "status_code", "message", "score_Opacity"
    )
    assert (frame, status, code, score) == ("", "error", "TOO_LARGE", "")
    assert f"{claimed:,}" in text
    assert f"{MAX_FRAMES:,}" in text
    assert "Split it" in text
    run(engine, film, model, tmp_path / "p.csv")
    assert len(rows_of(tmp_path / "p.csv")) == 1


@pytest.mark.parametrize("rows_before", range(9))
def test_that_a_run_killed_after_any_row_resumes_to_the_same_csv(
    engine: Engine, model: ModelRef, folder: Path, tmp_path: Path, rows_before: int
) -> None:
    out = tmp_path / "p.csv"
    run(engine, folder, model, out)
    whole = rows_of(out)
    journal = journal_path(out)
    lines = journal.read_bytes().splitlines(keepends=True)
    cut = lines[rows_before + 1][:40] if rows_before < 8 else b""
    journal.write_bytes(b"".join(lines[: rows_before + 1]) + cut)
    out.unlink()
    started, films, finished = run(engine, folder, model, out)
    assert (started.resumed, len(films)) == (rows_before, 8 - rows_before)
    assert rows_of(out) == whole
    assert not finished.cancelled
    assert run(engine, folder, model, out)[0].resumed == 8


def test_that_a_run_cancelled_inside_a_film_reports_it_as_incomplete(
    engine: Engine, model: ModelRef, tmp_path: Path
) -> None:
    film = write_dicom(tmp_path / "long.dcm", np.tile(FRAMES, (8, 1, 1)), frames=40)
    out, cancel = tmp_path / "p.csv", threading.Event()
    events = run_batch(engine, film, model, out, BatchOptions("none"), cancel)
    for event in events:
        if isinstance(event, FilmFinished) and event.done == 3:
            cancel.set()
    assert isinstance(event, BatchFinished)
    assert event.cancelled
    assert 3 <= len(rows_of(out)) < 40
    report = json.loads(report_path(out).read_text())
    assert report["cancelled"] is True
    assert any("1 incomplete file;" in w for w in report["warnings"])
    list(run_batch(engine, film, model, out, BatchOptions("none")))
    assert cells(out, "frame") == [(str(n),) for n in range(40)]
    assert json.loads(report_path(out).read_text())["cancelled"] is False


def test_that_a_film_that_changed_loses_all_its_earlier_rows(
    engine: Engine, model: ModelRef, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    run(engine, folder, model, out)
    write_dicom(folder / "b.dcm", FRAMES[:2], frames=2, bits_stored=12)
    started, films, _ = run(engine, folder, model, out)
    assert started.resumed == 3
    assert [event.result.frame for event in films] == [0, 1]
    assert cells(out, "path", "frame")[1:3] == [("b.dcm", "0"), ("b.dcm", "1")]
    assert len(rows_of(out)) == 5


def test_that_a_journal_of_an_older_schema_is_refused(
    engine: Engine, model: ModelRef, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    run(engine, folder, model, out)
    header, *rest = journal_path(out).read_text().splitlines()
    older = json.loads(header) | {"schema": 1}
    journal_path(out).write_text("\n".join([json.dumps(older), *rest]) + "\n")
    with pytest.raises(UsageError, match="another version of XrayView") as refused:
        run(engine, folder, model, out)
    assert "schema is 1" in refused.value.why
    assert "--restart" in refused.value.hint
    assert run(engine, folder, model, out, restart=True)[0].resumed == 0


def test_that_labels_of_frames_and_of_whole_files_are_kept(
    engine: Engine, model: ModelRef, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    run(engine, folder, model, out)
    table = read_predictions(out)
    text = {("b.dcm", "2"): "Opacity", ("c.dcm", ""): "Normal"}
    rows = [row | {"frame": "" if row["path"] == "c.dcm" else row["frame"]} for row in table.rows]
    labelled = [row | {"label": text.get((row["path"], row["frame"]), "")} for row in rows]
    write_predictions(out, table.findings, labelled)
    run(engine, folder, model, out, restart=True)
    found = [cell for cell in cells(out, "path", "frame", "label") if cell[2]]
    assert found == [("b.dcm", "2", "Opacity"), ("c.dcm", "0", "Normal")]


def test_that_a_file_is_either_a_film_or_not() -> None:
    rows = Rows(["a", "b"])
    rows.expect("a", 3)
    for frame in (2, 0):
        rows.add("a", frame, {"frame": str(frame)})
    assert (rows.done, rows.total, rows.count_incomplete()) == (2, 4, 2)
    assert [row["frame"] for row in rows] == ["0", "2"]
    rows.expect("a", 1)
    rows.add("a", None, {"frame": ""})
    assert (rows.done, rows.total, rows.count_incomplete()) == (1, 2, 1)
    rows.expect("a", 3)
    rows.add("a", 1, {"frame": "1"})
    assert [row["frame"] for row in rows] == ["1"]
    assert not rows.is_complete("a")
