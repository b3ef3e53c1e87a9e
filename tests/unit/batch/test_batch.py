"""A batch has a row for every file, can be resumed, and reports failures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.builders import phantom, write_dicom, write_raster
from tests.bundles import tiny_card, write_bundle
from tests.fragile import start_fragile_model
from xrayview.batch.journal import journal_path
from xrayview.batch.report import report_path
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import BatchEvent, BatchFinished, BatchStarted, FilmFinished
from xrayview.domain.stated import stated_films
from xrayview.engine.client import Engine
from xrayview.engine.protocol import Classify, ModelRef, PrepareInput
from xrayview.engine.scan import scan_folder
from xrayview.errors import NothingUsable, Status, UsageError
from xrayview.io.model.bundle import sha256_of
from xrayview.io.tables.predictions import Row, read_predictions, write_predictions

OPTIONS = BatchOptions(identity_key=b"k" * 32)
FILMS = 20


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for n in range(FILMS):
        write_raster(folder / f"{n:02}.png", (phantom(64, 64) // 16 + n).astype(np.uint8))
    return folder


def run(
    engine: Engine, folder: Path, model: ModelRef, out: Path, **options: Any
) -> tuple[BatchStarted, list[FilmFinished], BatchFinished]:
    given = BatchOptions(**{"identity_key": OPTIONS.identity_key, **options})
    started, *films, finished = run_batch(engine, folder, model, out, given)
    assert isinstance(started, BatchStarted)
    assert isinstance(finished, BatchFinished)
    return started, [event for event in films if isinstance(event, FilmFinished)], finished


def stop_after(count: int, events: Iterator[BatchEvent], cancel: threading.Event) -> BatchFinished:
    seen = 0
    for event in events:
        seen += isinstance(event, FilmFinished)
        if seen == count:
            cancel.set()
    assert isinstance(event, BatchFinished)
    return event


def rows_of(out: Path) -> dict[str, Row]:
    return {row["path"]: row for row in read_predictions(out).rows}


def test_that_every_file_has_a_row(engine: Engine, model: ModelRef, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    (folder / "deeper").mkdir(parents=True)
    identity = {"PatientID": "4711", "PatientName": "DOE^JANE", "PatientBirthDate": "19500101"}
    film = write_dicom(folder / "film.dcm", phantom(200, 150), **identity)
    (folder / "cut.dcm").write_bytes(film.read_bytes()[:-20_000])
    (folder / "empty.dcm").write_bytes(b"")
    (folder / "notes.txt").write_text("DOE^JANE came back")
    write_dicom(folder / "deeper" / "side.dcm", phantom(), ViewPosition="LL", **identity)
    (folder / "link.dcm").symlink_to("/etc/hostname")
    out = tmp_path / "predictions.csv"

    started, films, finished = run(engine, folder, model, out)

    names = ["cut.dcm", "deeper/side.dcm", "empty.dcm", "film.dcm", "link.dcm", "notes.txt"]
    assert started.total == len(names)
    assert [event.result.relative_path for event in films] == names
    assert [event.done for event in films] == [1, 2, 3, 4, 5, 6]
    rows = rows_of(out)
    assert list(rows) == names
    codes = {name: (row["status"], row["status_code"]) for name, row in rows.items()}
    assert codes["deeper/side.dcm"] == ("refused", "NOT_FRONTAL")
    assert codes["empty.dcm"] == ("error", "NOT_AN_IMAGE")
    assert codes["notes.txt"] == ("error", "NOT_AN_IMAGE")
    assert codes["link.dcm"] == ("error", "NOT_AN_IMAGE")
    assert codes["film.dcm"] == ("ok", "OK")
    assert codes["cut.dcm"][0] in ("error", "warn")
    assert float(rows["film.dcm"]["score_Opacity"]) > 0
    assert {rows[n]["score_Opacity"] for n in names if codes[n][0] in ("error", "refused")} == {""}
    assert all(row["message"] for row in rows.values() if row["status"] != "ok")
    assert rows["film.dcm"]["PatientID"] == rows["deeper/side.dcm"]["PatientID"] != ""
    assert finished.counts == {"error": 4, "refused": 1, "ok": 1}
    for path in (out, journal_path(out), report_path(out)):
        content = path.read_bytes()
        for secret in (b"JANE", b"19500101", b"4711"):
            assert secret not in content


def test_that_the_report_says_what_ran(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "predictions.csv"
    started, _, finished = run(engine, films, model, out, command=("xrayview", "classify"))
    report = json.loads(report_path(out).read_text())
    assert report["run_id"] == started.run_id
    assert report["command"] == ["xrayview", "classify"]
    assert report["counts"] == finished.counts == {"ok": FILMS}
    assert report["model"]["sha256"] == model.sha256
    assert report["model"]["card"]["name"] == "tiny"
    assert report["cancelled"] is False
    assert report["versions"]["torch"]


def test_that_own_operating_points_flag_the_rows_and_are_in_the_report(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "predictions.csv"
    run(engine, films, model, out, own_points={"Opacity": 0.0})
    assert {(r["threshold_Opacity"], r["flag_Opacity"]) for r in rows_of(out).values()} == {
        ("0.0", "1")
    }
    points = json.loads(report_path(out).read_text())["operating_points"]
    of = {point["finding"]: point for point in points}
    assert (of["Opacity"]["threshold"], of["Opacity"]["origin"]) == (0.0, "user")
    with pytest.raises(UsageError, match="own_points"):
        run(engine, films, model, out)  # rows of other thresholds do not belong into one CSV


def test_that_a_statement_about_the_films_is_in_the_rows_and_in_the_report(
    engine: Engine, model: ModelRef, tmp_path: Path
) -> None:
    folder, out = tmp_path / "films", tmp_path / "predictions.csv"
    folder.mkdir()
    write_raster(folder / "a.png", phantom(64, 64))
    write_dicom(folder / "b.dcm", phantom(), PatientAge="41 Y", ViewPosition="PA")
    write_dicom(folder / "c.dcm", phantom(), PatientBirthDate="20200101", StudyDate="20240601")
    run(engine, folder, model, out)
    flags = {name: row["gate_flags"].split("|") for name, row in rows_of(out).items()}
    assert flags["a.png"] == ["VIEW_UNKNOWN", "BODY_PART_UNKNOWN", "MODALITY_UNKNOWN"]
    assert "AGE_FROM_BIRTH_DATE" in flags["c.dcm"]
    assert rows_of(out)["a.png"]["message"] == "View, body part, modality: not in the file"
    assert json.loads(report_path(out).read_text())["stated"] == {}

    stated = stated_films("1-5", "AP")
    with pytest.raises(UsageError, match="stated"):
        run(engine, folder, model, out, stated=stated)
    run(engine, folder, model, out, stated=stated, restart=True)
    rows = rows_of(out)
    assert "AGE_STATED|VIEW_STATED" in rows["a.png"]["gate_flags"]
    assert rows["b.dcm"]["status"] == "warn"
    assert "STATED_AGE_CONTRADICTED|STATED_VIEW_CONTRADICTED" in rows["b.dcm"]["gate_flags"]
    assert "41 Y; stated for the folder is 1 to 5 years" in rows["b.dcm"]["message"]
    assert rows["c.dcm"]["status"] == "ok"
    assert rows["c.dcm"]["PatientAge"] == ""
    report = json.loads(report_path(out).read_text())
    assert report["stated"] == {"age_years": [1, 5], "view_position": "AP"}
    for path in (out, journal_path(out), report_path(out)):
        assert b"20200101" not in path.read_bytes()


def test_that_a_row_equals_that_of_a_single_film(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    run(engine, films, model, tmp_path / "p.csv")
    rows = rows_of(tmp_path / "p.csv")
    spec = tiny_card().preprocessing
    for film in list(scan_folder(engine, films))[::7]:
        prepared = engine.submit(PrepareInput(film, spec)).result()  # type: ignore[arg-type]
        (single,) = engine.submit(Classify(model, (prepared.model_input,))).result()
        assert float(rows[film.relative_path]["score_Opacity"]) == pytest.approx(
            single.scores[0], abs=1e-6
        )


def test_that_a_cancelled_run_has_a_valid_csv_and_can_be_resumed(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    cancel = threading.Event()
    end = stop_after(3, run_batch(engine, films, model, out, OPTIONS, cancel), cancel)
    assert end.cancelled
    before = rows_of(out)
    assert 3 <= len(before) < FILMS
    assert json.loads(report_path(out).read_text())["cancelled"] is True

    started, events, finished = run(engine, films, model, out)
    assert started.resumed == len(before)
    assert len(events) == FILMS - len(before)
    assert not finished.cancelled
    after = rows_of(out)
    assert list(after) == [f"{n:02}.png" for n in range(FILMS)]
    assert {name: after[name] for name in before} == before


def test_that_a_caller_who_stops_listening_leaves_a_valid_csv(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    events = run_batch(engine, films, model, out, OPTIONS)
    assert isinstance(events, Iterator)
    next(events)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert list(rows_of(out)) == ["00.png"]


def test_that_only_changed_and_new_files_are_classified_again(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    first, _, _ = run(engine, films, model, out)
    write_raster(films / "03.png", phantom(64, 64).astype(np.uint8))
    write_raster(films / "99.png", phantom(64, 64).astype(np.uint8))
    (films / "05.png").unlink()
    _, events, _ = run(engine, films, model, out)
    assert [event.result.relative_path for event in events] == ["03.png", "99.png"]
    rows = rows_of(out)
    assert "05.png" not in rows
    assert rows["00.png"]["run_id"] == first.run_id != rows["03.png"]["run_id"]


def test_that_a_truncated_journal_loses_one_film(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    run(engine, films, model, out)
    journal = journal_path(out)
    journal.write_bytes(journal.read_bytes()[:-30])
    out.unlink()
    started, events, _ = run(engine, films, model, out)
    assert started.resumed == FILMS - 1
    assert [event.result.relative_path for event in events] == [f"{FILMS - 1:02}.png"]
    started, _, _ = run(engine, films, model, out)
    assert started.resumed == FILMS


def test_that_rows_of_a_different_kind_of_run_are_not_mixed_in(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    run(engine, films, model, out)
    before = out.read_bytes()
    with pytest.raises(UsageError, match="identity"):
        run(engine, films, model, out, identity="full")
    other = write_bundle(tmp_path / "other.pt", version="2")
    other_model = ModelRef(other, sha256_of(other), "cpu")
    with pytest.raises(UsageError, match="model_sha256"):
        run(engine, films, other_model, out)
    assert out.read_bytes() == before
    started, events, _ = run(engine, films, other_model, out, restart=True)
    assert (started.resumed, len(events)) == (0, FILMS)
    assert {row["model_sha256"] for row in rows_of(out).values()} == {other_model.sha256}


@pytest.mark.parametrize("content", ["{", "[]\n", '{"a": 1\n', "\udcff\n"])
def test_that_a_damaged_journal_is_refused(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path, content: str
) -> None:
    out = tmp_path / "p.csv"
    journal_path(out).write_bytes(content.encode("utf-8", "surrogateescape"))
    if content.endswith("\n"):
        with pytest.raises(UsageError, match="--restart"):
            run(engine, films, model, out)
    started, _, _ = run(engine, films, model, out, restart=content.endswith("\n"))
    assert started.resumed == 0


def test_that_labels_survive_a_new_run(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    run(engine, films, model, out)
    table = read_predictions(out)
    rows = [{**row, "label": "Opacity" if row["path"] == "04.png" else ""} for row in table.rows]
    write_predictions(out, table.findings, rows)
    run(engine, films, model, out, restart=True)
    assert {name for name, row in rows_of(out).items() if row["label"]} == {"04.png"}


def test_that_the_csv_inside_the_folder_is_left_out(
    engine: Engine, model: ModelRef, films: Path
) -> None:
    out = films / "predictions.csv"
    run(engine, films, model, out)
    started, _, finished = run(engine, films, model, out, restart=True)
    assert started.total == FILMS
    assert finished.counts == {"ok": FILMS}


def test_that_a_single_file_can_be_classified(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    run(engine, films / "02.png", model, tmp_path / "p.csv")
    assert list(rows_of(tmp_path / "p.csv")) == ["02.png"]


def test_that_an_empty_folder_and_a_missing_output_folder_are_refused(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(NothingUsable):
        list(run_batch(engine, tmp_path / "nothing", model, tmp_path / "p.csv", OPTIONS))
    with pytest.raises(UsageError, match="cannot be written"):
        list(run_batch(engine, films, model, tmp_path / "missing" / "p.csv", OPTIONS))


def test_that_a_model_that_crashes_on_one_film_classifies_the_others(
    model: ModelRef, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (films / "05.png").rename(films / "05 crash.png")
    monkeypatch.setattr("xrayview.engine.client.start_model_worker", start_fragile_model)
    with Engine(1, spare_workers=0) as engine:
        run(engine, films, model, tmp_path / "p.csv")
    rows = rows_of(tmp_path / "p.csv")
    assert len(rows) == FILMS
    failed = {name: row for name, row in rows.items() if row["status"] == Status.ERROR}
    assert list(failed) == ["05 crash.png"]
    assert failed["05 crash.png"]["status_code"] == "MODEL_FAILED"
    assert failed["05 crash.png"]["score_Opacity"] == ""
    assert {row["score_Opacity"] for name, row in rows.items() if name not in failed} == {"0.5"}


def test_that_only_chosen_files_are_classified_and_the_report_says_so(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    started, events, finished = run(
        engine, films, model, out, only=frozenset({"03.png", "11.png", "gone.png"})
    )
    assert started.total == len(events) == 2
    assert list(rows_of(out)) == ["03.png", "11.png"]
    assert finished.notes == ("1 chosen film can no longer be found.",)
    report = json.loads(report_path(out).read_text(encoding="utf-8"))
    assert report["chosen_files"] == 2
    assert f"2 of {FILMS} files were chosen" in report["warnings"]
    with pytest.raises(NothingUsable, match="None of the chosen films"):
        run(engine, films, model, out, only=frozenset({"gone.png"}))
    run(engine, films, model, out)
    assert json.loads(report_path(out).read_text(encoding="utf-8"))["chosen_files"] is None
    assert len(rows_of(out)) == FILMS
