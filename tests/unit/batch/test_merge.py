"""Merged parts are the table of one run, or the merge says what is missing or wrong."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.unit.batch.test_batch import OPTIONS, run
from tests.unit.batch.test_shards import cells, write_films
from xrayview.batch.frozen_films import open_frozen
from xrayview.batch.index_folder import IndexOptions, index_folder
from xrayview.batch.merge import IncompleteParts, MergeOptions, merge_parts
from xrayview.batch.report import report_path
from xrayview.cli import main
from xrayview.domain.film_index import Shard
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import Cancelled, ExitCode, UsageError
from xrayview.io import external_sort
from xrayview.io.tables.predictions import columns, read_predictions, write_predictions

SHARDS = 4


@pytest.fixture(scope="module")
def made(engine: Engine, model: ModelRef, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with films, index, parts of four shards, and the table of one run."""
    root = tmp_path_factory.mktemp("made")
    films = write_films(root / "films")
    index = root / "index.parquet"
    list(index_folder(engine, films, index, IndexOptions(identity_key=OPTIONS.identity_key)))
    (root / "parts").mkdir()
    for k in range(1, SHARDS + 1):
        frozen = open_frozen(index, Shard(k, SHARDS))
        suffix = "csv" if k % 2 else "parquet"
        run(engine, films, model, root / "parts" / f"part-{k}.{suffix}", frozen=frozen)
    run(engine, films, model, root / "whole.csv", studies=root / "studies.csv")
    return root


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(made, tmp_path / "work", symlinks=True)
    return tmp_path / "work"


def merge(work: Path, out: str = "merged.csv", **options: object) -> object:
    given = MergeOptions(**options)  # type: ignore[arg-type]
    return merge_parts(work / "parts", work / "index.parquet", work / out, given)


@pytest.mark.parametrize("name", ["merged.csv", "merged.parquet"])
def test_that_a_merge_is_the_table_of_one_run(
    work: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_sort, "BUFFER", 100)  # so that files are used
    merged = merge(work, name, studies=work / "s.csv")
    assert cells(work / name) == cells(work / "whole.csv")
    assert (work / "s.csv").read_bytes() == (work / "studies.csv").read_bytes()
    assert (merged.parts, merged.gaps) == (SHARDS, ())  # type: ignore[attr-defined]
    report = json.loads(report_path(work / name).read_text(encoding="utf-8"))
    whole = json.loads(report_path(work / "whole.csv").read_text(encoding="utf-8"))
    for field in ("model", "counts", "identity", "operating_points", "versions"):
        assert report[field] == whole[field]
    assert [part["shard"] for part in report["parts"]] == [f"{k}/4" for k in range(1, 5)]
    assert (report["missing"], report["cancelled"], report["films"]["files"]) == ([], False, 13)
    left = {path.name for path in work.iterdir()}
    assert not {path for path in left if "sort" in path or "partial" in path or "lock" in path}


def test_that_a_study_has_the_highest_and_the_mean_score_of_its_films(work: Path) -> None:
    lines = [line.split(",") for line in (work / "studies.csv").read_text().splitlines()]
    study = dict(zip(lines[0], next(line for line in lines if line[0] == "1.2.3"), strict=True))
    rows = [row for row in cells(work / "whole.csv") if row["StudyInstanceUID"] == "1.2.3"]
    scores = [float(row["score_Opacity"]) for row in rows]
    assert len(scores) == 2
    assert scores[0] != scores[1]
    assert float(study["max_Opacity"]) == max(scores)
    assert float(study["mean_Opacity"]) == pytest.approx(sum(scores) / 2, abs=1e-15)
    assert (study["films"], study["scored"], study["views"]) == ("2", "2", "PA")
    assert study["PatientID"] == rows[0]["PatientID"] != ""


def test_that_missing_shards_and_films_are_named_and_nothing_is_written(work: Path) -> None:
    (part,) = (work / "parts").glob("part-2.parquet")
    part.unlink()
    report_path(part).unlink()
    third = work / "parts" / "part-3.csv"
    table = read_predictions(third)
    gone = table.rows[0]["path"]
    write_predictions(third, table.findings, [r for r in table.rows if r["path"] != gone])
    with pytest.raises(IncompleteParts) as raised:
        merge(work)
    assert [gap.text for gap in raised.value.gaps] == ["shard 2/4", f"shard 3/4: {gone}"]
    assert f"shard 3/4: {gone}" in str(raised.value)
    assert not list(work.glob("merged*"))
    merged = merge(work, allow_missing=True)
    assert len(merged.gaps) == 2  # type: ignore[attr-defined]
    whole = {(row["path"], row["frame"]): row for row in cells(work / "whole.csv")}
    found = cells(work / "merged.csv")
    assert 0 < len(found) < len(whole)
    assert all(whole[row["path"], row["frame"]] == row for row in found)
    report = json.loads(report_path(work / "merged.csv").read_text(encoding="utf-8"))
    assert report["missing"] == ["shard 2/4", f"shard 3/4: {gone}"]
    assert report["cancelled"] is True


def test_that_a_frame_that_is_missing_is_noticed(work: Path) -> None:
    for part in (work / "parts").glob("*.csv"):
        table = read_predictions(part)
        rows = [row for row in table.rows if (row["path"], row["frame"]) != ("frames.dcm", "1")]
        write_predictions(part, table.findings, rows)
    for part in (work / "parts").glob("*.parquet"):
        table = read_predictions(part)
        rows = [row for row in table.rows if (row["path"], row["frame"]) != ("frames.dcm", "1")]
        write_predictions(part, table.findings, rows)
    with pytest.raises(IncompleteParts, match=r"shard ./4: frames.dcm"):
        merge(work)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("twice", "There are two parts of shard 1/4"),
        ("row twice", "it occurs twice"),
        ("row of another", "not a file of shard 3/4"),
        ("no report", "not a part of an index"),
        ("another index", "of another index"),
        ("another division", "different divisions"),
        ("another model", "different model_sha256 from part-1.csv"),
        ("another device", "different device from part-1.csv.*--allow-mixed"),
        ("no parts", "contains no parts"),
    ],
)
def test_that_parts_that_do_not_belong_together_are_refused(
    work: Path, change: str, text: str
) -> None:
    parts = work / "parts"
    third = parts / "part-3.csv"
    table, report = read_predictions(third), json.loads(report_path(third).read_text())
    rows = list(table.rows)
    if change == "twice":
        shutil.copy(parts / "part-1.csv", parts / "zz.csv")
        shutil.copy(report_path(parts / "part-1.csv"), parts / "zz.run.json")
    elif change == "row twice":
        write_predictions(third, table.findings, [*rows, rows[0]])
    elif change == "row of another":
        write_predictions(third, table.findings, [*rows, {**rows[0], "path": "other.dcm"}])
    elif change == "no report":
        report_path(third).unlink()
    elif change == "another index":
        report["films"]["index_id"] = "0" * 64
    elif change == "another division":
        report["films"]["shard"] = "3/5"
    elif change == "another model":
        report["films"]["run_key"]["model_sha256"] = "0" * 64
    elif change == "another device":
        report["films"]["run_key"]["device"] = "cuda:0"
    else:
        shutil.rmtree(parts)
        parts.mkdir()
    if change not in ("no report", "no parts"):
        report_path(third).write_text(json.dumps(report))
    with pytest.raises(UsageError, match=text):
        merge(work)
    assert not list(work.glob("merged*"))


def test_that_parts_of_different_devices_are_merged_on_request(work: Path) -> None:
    third = report_path(work / "parts" / "part-3.csv")
    report = json.loads(third.read_text())
    report["films"]["run_key"]["device"] = "cuda:0"
    third.write_text(json.dumps(report))
    merge(work, allow_mixed=True)
    report = json.loads(report_path(work / "merged.csv").read_text())
    assert report["mixed"] == {
        "device": [{"value": "cpu", "parts": 3}, {"value": "cuda:0", "parts": 1}]
    }
    assert "the parts differ in device" in report["warnings"]


def write_into(out: Path, path: str, **cells: str) -> None:
    """Write into a table, as a person does; columns of their own come last."""
    table = read_predictions(out)
    known = columns(table.findings)
    own = [name for name in dict.fromkeys((*table.rows[0], *cells)) if name not in known]
    rows = [{**dict.fromkeys(own, ""), **row} for row in table.rows]
    for row in rows:
        if row["path"] == path:
            row.update(cells)
    write_predictions(out, table.findings, rows, own)


@pytest.mark.parametrize("name", ["merged.csv", "merged.parquet"])
def test_that_what_people_wrote_into_table_and_parts_stays(work: Path, name: str) -> None:
    merge(work, name)
    write_into(work / name, "0 of 1.dcm", label="normal", reader="A")
    part = work / "parts" / "part-3.csv"
    write_into(part, read_predictions(part).rows[0]["path"], label="of a part")
    for _ in range(2):  # also where the table is unchanged since the last merge
        merged = merge(work, name)
        assert merged.notes == ()  # type: ignore[attr-defined]
        rows = {row["path"]: row for row in read_predictions(work / name).rows}
        assert (rows["0 of 1.dcm"]["label"], rows["0 of 1.dcm"]["reader"]) == ("normal", "A")
        assert sum(row["label"] == "of a part" for row in rows.values()) == 1
    assert not list(work.glob("merged.2*"))
    write_into(work / name, "0 of 1.dcm", score_Opacity="0.125")
    merged = merge(work, name)
    (copy,) = work.glob("merged.2*")
    assert copy.name in merged.notes[0]  # type: ignore[attr-defined]
    assert read_predictions(copy).scores("Opacity").count(0.125) == 1
    if name.endswith("parquet"):
        assert pq.read_table(work / name).num_rows == 15


def test_that_a_merge_is_refused_over_other_files_and_can_be_cancelled(work: Path) -> None:
    (work / "merged.csv").write_text("someone's notes\n")
    with pytest.raises(UsageError, match="not a table of predictions"):
        merge(work)
    with pytest.raises(UsageError, match="not a table of studies"):
        merge(work, "new.csv", studies=work / "whole.csv")
    with pytest.raises(UsageError, match="the same name"):
        merge(work, "new.csv", studies=work / "new.csv")
    assert (work / "merged.csv").read_text() == "someone's notes\n"
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        merge_parts(work / "parts", work / "index.parquet", work / "new.csv", cancel=cancel)
    assert not list(work.glob("new*"))


def test_that_the_command_lists_what_is_missing(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["merge", str(work / "parts"), "--index", str(work / "index.parquet")]
    command += ["--out", str(work / "m.csv"), "--studies", str(work / "s.csv")]
    assert main(command) == ExitCode.SOME_FAILED  # two files are not films
    assert "15 rows from 4 parts" in capsys.readouterr().err
    (work / "parts" / "part-1.csv").unlink()
    assert main(command) == ExitCode.USAGE
    assert capsys.readouterr().out == "shard 1/4\n"
    assert main([*command, "--allow-missing"]) == ExitCode.SOME_FAILED
    assert capsys.readouterr().out == "shard 1/4\n"


def test_that_a_film_that_was_indexed_unread_may_have_any_number_of_frames(tmp_path: Path) -> None:
    from xrayview.batch.parts import has_all_rows
    from xrayview.domain.film_index import IndexedFile

    read = IndexedFile(0, "a", 1, 1, "", "", 3, 0)
    unread = IndexedFile(0, "a", 1, 1, "", "", 1, 0, "TIMED_OUT")
    assert has_all_rows(read, {0, 1, 2})
    assert has_all_rows(read, {-1})
    assert not any(has_all_rows(read, frames) for frames in ({0, 2}, {0, 1}, set(), {0, 1, 2, 3}))
    assert has_all_rows(unread, {0, 1, 2})
    assert not any(has_all_rows(unread, frames) for frames in ({1, 2}, set(), {-1, 0}))
