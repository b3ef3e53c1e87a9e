"""Tables of films: a CSV with a path, a label and more on each row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from training.config import ColumnsConfig, DataConfig
from training.data.manifest import SEPARATOR, FilmRow, Listing, Omission
from training.data.patients import notes_on, patient_of
from xrayview.errors import NothingUsable, UsageError

LABELS = "labels.csv"
NO_FINDING = "No Finding"
"""NIH's word, written where a table says 0 to every finding."""
_UNKNOWN = {"", "-1", "-1.0", "nan"}
_YES, _NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}


def read_labels(folder: Path, data: DataConfig) -> Listing:
    """The films of `labels.csv`: `path, dataset, split, label, patient_id` and more.

    Raises:
        UsageError: the table is missing or lacks a column.
        NothingUsable: no row is of this data set.
    """
    return read_films(find(folder, data, LABELS), data, ColumnsConfig())


def read_table(folder: Path, data: DataConfig) -> Listing:
    """The films of any CSV, whose columns `data.columns` names.

    Raises:
        UsageError: the table is missing, lacks a column, or a cell is no 0 or 1.
        NothingUsable: no row is of this data set.
    """
    return read_films(find(folder, data, LABELS), data, data.columns)


def find(folder: Path, data: DataConfig, usual: str) -> Path:
    """The table's path: as `data.table` says, below the folder or anywhere.

    Raises:
        UsageError: there is none.
    """
    path = folder / (data.table or usual)
    if not path.is_file():
        raise UsageError(
            f"There is no {path.name} in {path.parent}",
            hint="Point --data at the folder that holds it, or name it: --set data.table=FILE.",
        )
    return path


def records(path: Path, needed: set[str]) -> Iterator[dict[str, str]]:
    """The rows of a CSV.

    Raises:
        UsageError: a needed column is missing, or the file is no CSV in UTF-8.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            missing = needed.difference(reader.fieldnames or ())
            if missing:
                raise UsageError(
                    f"{path.name} lacks columns",
                    path=path,
                    why=", ".join(sorted(missing)),
                    hint="Add them, or say what they are called: --set data.columns.label=NAME.",
                )
            # A short row has None in its last cells.
            yield from ({k: v or "" for k, v in row.items() if k} for row in reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path.name} is no CSV in UTF-8", path=path, why=str(error), hint="Save it as one."
        ) from error


def read_films(path: Path, data: DataConfig, columns: ColumnsConfig) -> Listing:
    """The films of a table, in its order."""
    needed = {columns.path, *(columns.findings or [columns.label])}
    sources = set(filter(None, data.dataset.split(SEPARATOR)))
    rows, omitted = [], []
    for record in records(path, needed):
        if sources and record.get(columns.source, "") not in {*sources, ""}:
            continue
        row = _row(record, path, data, columns)
        if row.labels or row.unknown_labels:
            rows.append(row)
        else:
            omitted.append(Omission(row.path, "NO_LABEL", f"column {columns.label} is empty"))
    if not rows:
        raise NothingUsable(
            f"{path.name} has no labelled film" + (f" of {data.dataset}" if data.dataset else ""),
            path=path,
            hint=f"Look at its columns {columns.source} and {columns.label}, then use "
            "--set data.dataset=NAME.",
        )
    return Listing(tuple(rows), tuple(omitted), notes_on(rows))


def _row(record: dict[str, str], table: Path, data: DataConfig, columns: ColumnsConfig) -> FilmRow:
    path = record[columns.path].replace("\\", "/")
    labels, unknown = _labels(record, table, columns)
    return FilmRow(
        path=path,
        source=record.get(columns.source) or table.resolve().parent.name,
        patient=patient_of(path, record.get(columns.patient, ""), data),
        labels=labels,
        official_split=record.get(columns.split, ""),
        sex=record.get(columns.sex, ""),
        age=record.get(columns.age, ""),
        view=record.get(columns.view, ""),
        unknown_labels=unknown,
    )


def _labels(
    record: dict[str, str], table: Path, columns: ColumnsConfig
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of a row, and those of which it says nothing."""
    if not columns.findings:
        return tuple(filter(None, map(str.strip, record[columns.label].split(SEPARATOR)))), ()
    cells = {name: record[name].strip().casefold() for name in columns.findings}
    strange = [name for name, cell in cells.items() if cell not in _YES | _NO | _UNKNOWN]
    if strange:
        raise UsageError(
            f"Column {strange[0]} says {record[strange[0]]!r} of {record[columns.path]}",
            path=table,
            hint="A finding is 1 or 0, or empty or -1 where it is not known.",
        )
    present = tuple(name for name, cell in cells.items() if cell in _YES)
    unknown = tuple(name for name, cell in cells.items() if cell in _UNKNOWN)
    if not present and not unknown:
        return (NO_FINDING,), ()
    return present, unknown
