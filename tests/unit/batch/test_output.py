"""A batch replaces nothing that a person may have written, and nothing that is not its own."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, write_raster
from tests.unit.batch.test_batch import OPTIONS, rows_of, run, stop_after
from xrayview.batch.journal import journal_path
from xrayview.batch.output import Output
from xrayview.batch.report import report_path
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import UsageError

COUNT = 12
Grid = list[list[str]]


@pytest.fixture
def films(tmp_path: Path) -> Path:
    return write_films(tmp_path / "films", COUNT)


@pytest.fixture
def table(engine: Engine, model: ModelRef, films: Path, tmp_path: Path) -> Path:
    out = tmp_path / "p.csv"
    run(engine, films, model, out)
    return out


def write_films(folder: Path, count: int, first: int = 0) -> Path:
    folder.mkdir()
    for n in range(count):
        write_raster(folder / f"{n:02}.png", (phantom(64, 64) // 16 + first + n).astype(np.uint8))
    return folder


def grid_of(path: Path) -> Grid:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def save(path: Path, grid: Grid, delimiter: str = ",", encoding: str = "utf-8") -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows(grid)
    path.write_bytes(stream.getvalue().encode(encoding))


def label_rows(grid: Grid, label: str = "Opacity") -> Grid:
    index = grid[0].index("label")
    return [grid[0], *([*row[:index], label, *row[index + 1 :]] for row in grid[1:])]


def labels(out: Path) -> dict[str, str]:
    return {name: row["label"] for name, row in rows_of(out).items() if row["label"]}


def copies(out: Path) -> list[Path]:
    return sorted(out.parent.glob(f"{out.stem}.2*{out.suffix}"))


def reordered(grid: Grid) -> Grid:
    return [row[::-1] for row in grid]


def with_excel_numbers(grid: Grid) -> Grid:
    def shown(cell: str) -> str:
        return f"{float(cell):.3f}".replace(".", ",") if re.fullmatch(r"-?\d\.\d+", cell) else cell

    return [grid[0], *([shown(cell) for cell in row] for row in grid[1:])]


def with_blank_lines(grid: Grid) -> Grid:
    return [*grid, [], [""] * len(grid[0]), []]


def with_other_case(grid: Grid) -> Grid:
    return [[f" {name.upper()} " if name in ("path", "label") else name for name in grid[0]],
            *grid[1:]]  # fmt: skip


SAVED: dict[str, tuple[Callable[[Grid], Grid], str, str]] = {
    "semicolons": (with_excel_numbers, ";", "utf-8"),
    "tabs in UTF-16": (list, "\t", "utf-16"),
    "UTF-16 without a mark": (list, ",", "utf-16-le"),
    "byte order mark": (list, ",", "utf-8-sig"),
    "Windows-1252": (list, ";", "cp1252"),
    "blank last lines": (with_blank_lines, ";", "cp1252"),
    "other order": (reordered, ",", "utf-8"),
    "other case": (with_other_case, ",", "utf-8"),
}


@pytest.mark.parametrize("how", SAVED)
def test_that_labels_survive_what_spreadsheets_save(
    engine: Engine, model: ModelRef, films: Path, table: Path, how: str
) -> None:
    change, delimiter, encoding = SAVED[how]
    save(table, change(label_rows(grid_of(table), "Größer")), delimiter, encoding)
    run(engine, films, model, table)
    assert labels(table) == {f"{n:02}.png": "Größer" for n in range(COUNT)}
    assert len(copies(table)) == (1 if encoding == "cp1252" else 0)  # its letters are a guess


def test_that_the_users_columns_stay_and_changed_cells_are_in_a_copy(
    engine: Engine, model: ModelRef, films: Path, table: Path
) -> None:
    header, *rows = label_rows(grid_of(table))
    rows = [[*row[:4], f"note {n}", *row[4:], "=1+1"] for n, row in enumerate(rows)]
    save(table, [[*header[:4], "comment", *header[4:], "score_reader"], *rows])
    run(engine, films, model, table)
    after = grid_of(table)
    assert after[0] == [*header, "comment", "score_reader"]
    assert [row[-2:] for row in after[1:]] == [[f"note {n}", "=1+1"] for n in range(COUNT)]
    assert not copies(table)

    after[3][after[0].index("status")] = "warn"
    save(table, after)
    _, _, finished = run(engine, films, model, table)
    (copy,) = copies(table)
    assert grid_of(copy) == after
    assert copy.name in " ".join(finished.notes)
    run(engine, films, model, table, restart=True)
    assert len(copies(table)) == 1
    assert [row[-2] for row in grid_of(table)[1:]] == [f"note {n}" for n in range(COUNT)]


def test_that_labels_survive_a_restart_that_is_interrupted(
    engine: Engine, model: ModelRef, films: Path, table: Path
) -> None:
    save(table, label_rows(grid_of(table)))
    labelled = table.read_bytes()
    cancel = threading.Event()
    options = BatchOptions(identity_key=OPTIONS.identity_key, restart=True)
    stop_after(1, run_batch(engine, films, model, table, options, cancel), cancel)
    assert len(labels(table)) < COUNT
    (copy,) = copies(table)
    assert copy.read_bytes() == labelled
    run(engine, films, model, table)
    assert len(labels(table)) == COUNT
    assert copies(table) == [copy]


def test_that_labels_of_another_folder_are_in_a_copy_and_never_on_another_film(
    engine: Engine, model: ModelRef, table: Path, tmp_path: Path
) -> None:
    save(table, label_rows(grid_of(table)))
    before = table.read_bytes()
    other = write_films(tmp_path / "other", 3, first=50)  # of the same names
    _, _, finished = run(engine, other, model, table)
    assert labels(table) == {}
    (copy,) = copies(table)
    assert copy.read_bytes() == before
    assert re.fullmatch(r"p\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.csv", copy.name)
    assert any(copy.name in note for note in finished.notes)
    assert copy.name in report_path(table).read_text()


def test_that_labels_follow_a_film_that_was_renamed(
    engine: Engine, model: ModelRef, films: Path, table: Path
) -> None:
    save(table, label_rows(grid_of(table)))
    (films / "03.png").rename(films / "x.png")
    run(engine, films, model, table)
    assert labels(table)["x.png"] == "Opacity"
    assert not copies(table)


def test_that_labels_written_during_the_run_stay(
    engine: Engine, model: ModelRef, films: Path, table: Path
) -> None:
    options = BatchOptions(identity_key=OPTIONS.identity_key, restart=True)
    events = run_batch(engine, films, model, table, options)
    next(events)
    save(table, label_rows(grid_of(table)), ";")
    list(events)
    assert len(labels(table)) == COUNT
    events = run_batch(engine, films, model, table, options)
    next(events)
    table.write_bytes(b"\x00\x01 broken")
    list(events)
    assert [copy.read_bytes() for copy in copies(table)] == [b"\x00\x01 broken"]


def break_quotes(grid: Grid) -> bytes:
    return b'"' + "\n".join(",".join(row) for row in grid).encode() + b'"x'


def unquoted_decimal_commas(grid: Grid) -> bytes:
    return "\n".join(",".join(row) for row in with_excel_numbers(grid)).encode()


def two_labels(grid: Grid) -> bytes:
    rows = [grid[0], *grid[1:], label_rows(grid[:2], "Normal")[1]]
    return "\n".join(",".join(row) for row in rows).encode()


def no_path(grid: Grid) -> bytes:
    return "\n".join(",".join(row[1:]) for row in grid).encode()


@pytest.mark.parametrize("broken", [
    break_quotes, unquoted_decimal_commas, two_labels, no_path,
    lambda _grid: b"path,label\na.png,Normal\n",
    lambda _grid: b"PK\x03\x04\x00\x00\x00 a workbook",
    lambda _grid: b"Dear diary",
])  # fmt: skip
def test_that_what_cannot_be_read_with_certainty_is_refused_before_the_batch(
    engine: Engine, model: ModelRef, films: Path, table: Path, broken: Callable[[Grid], bytes]
) -> None:
    data = broken(label_rows(grid_of(table)))
    table.write_bytes(data)
    for restart in (False, True):
        with pytest.raises(UsageError, match="not replaced"):
            run(engine, films, model, table, restart=restart)
    assert table.read_bytes() == data
    assert not Output(table).lock.exists()


def test_that_each_table_has_its_report_and_another_file_of_that_name_is_refused(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    (tmp_path / "run.json").write_text("of a training run")
    for name in ("a.csv", "b.csv"):
        run(engine, films, model, tmp_path / name)
    reports = [json.loads((tmp_path / f"{n}.run.json").read_text()) for n in "ab"]
    assert reports[0]["run_id"] != reports[1]["run_id"]
    assert (tmp_path / "run.json").read_text() == "of a training run"
    (tmp_path / "c.run.json").write_text('{"command": "train", "commit": "x"}')
    with pytest.raises(UsageError, match="not the report of a batch"):
        run(engine, films, model, tmp_path / "c.csv")
    assert report_path(tmp_path / "table") == tmp_path / "table.run.json"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_that_an_output_that_cannot_be_written_is_refused_before_the_first_film(
    engine: Engine, model: ModelRef, films: Path, table: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("")
    for name, why in {
        "folder.csv": "it is a folder",
        "pipe.csv": "a pipe",
        "file/p.csv": "does not exist",
        "n" * 250 + ".csv": "File name too long",
    }.items():
        with pytest.raises(UsageError, match=why):
            run(engine, films, model, tmp_path / name)
    table.chmod(0o444)
    with pytest.raises(UsageError, match="write-protected"):
        run(engine, films, model, table)
    table.chmod(0o644)
    (tmp_path / ".~lock.p.csv#").write_text(",someone,ward3,,")
    with pytest.raises(UsageError, match="open in a spreadsheet"):
        run(engine, films, model, table)


def test_that_a_second_run_with_the_same_output_is_refused_under_any_name(
    engine: Engine, model: ModelRef, films: Path, table: Path, tmp_path: Path
) -> None:
    (tmp_path / "link.csv").symlink_to(table)
    events = run_batch(engine, films, model, table, OPTIONS)
    next(events)
    for name in ("p.csv", "link.csv"):
        with pytest.raises(UsageError, match=rf"in use by another run.*process {os.getpid()}"):
            run(engine, films, model, tmp_path / name)
    list(events)
    run(engine, films, model, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()


def test_that_nothing_of_a_batch_is_a_film_of_its_folder(
    engine: Engine, model: ModelRef, films: Path
) -> None:
    out = films / "p.csv"
    run(engine, films, model, out)
    (films / "p.2026-11-30T19-05-52.csv").write_text("a copy")
    (films / "p.2026-11-30T19-05-52-2.csv").write_text("another")
    (films / "p.csv.partial").write_text("left by a power failure")
    (films / "p.2026.csv").write_text("not ours")
    started, _, _ = run(engine, films, model, out)
    assert started.files == COUNT + 1


def test_that_rows_without_a_report_and_journal_keep_their_labels(
    engine: Engine, model: ModelRef, films: Path, table: Path
) -> None:
    save(table, label_rows(grid_of(table)))
    journal_path(table).unlink()
    report_path(table).unlink()
    run(engine, films, model, table)
    assert len(labels(table)) == COUNT
