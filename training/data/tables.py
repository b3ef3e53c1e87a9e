"""Tables of films: a CSV with a path, a label and more in each row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from training.config import ColumnsConfig, DataConfig
from training.data.manifest import SEPARATOR, FilmRow, Listing, Omission
from training.data.patients import patient_id, patient_notes
from xrayview.errors import NothingUsable, UsageError

LABELS = "labels.csv"
NO_FINDING = "No Finding"
"""NIH's label for a film whose findings are all 0."""
_UNKNOWN = {"", "-1", "-1.0", "nan"}
_YES, _NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}


def read_labels(folder: Path, data: DataConfig) -> Listing:
    """List the films of `labels.csv`: `path, dataset, split, label, patient_id` and more.

    Raises:
        UsageError: the table is missing or lacks a column.
        NothingUsable: no row belongs to this data set.
    """
    return read_films(find_table(folder, data, LABELS), data, ColumnsConfig())


def read_table(folder: Path, data: DataConfig) -> Listing:
    """List the films of any CSV; `data.columns` names its columns.

    Raises:
        UsageError: the table is missing, lacks a column, or a finding is not 0 or 1.
        NothingUsable: no row belongs to this data set.
    """
    return read_films(find_table(folder, data, LABELS), data, data.columns)


def find_table(folder: Path, data: DataConfig, default: str) -> Path:
    """Return the table's path: `data.table`, below the folder or absolute, or `default`.

    Raises:
        UsageError: the file does not exist.
    """
    path = folder / (data.table or default)
    if not path.is_file():
        raise UsageError(
            f"There is no {path.name} in {path.parent}",
            hint="Point --data at its folder, or name it: --set data.table=FILE.",
        )
    return path


def read_records(path: Path, needed: set[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV.

    Raises:
        UsageError: a needed column is missing, or the file is not a CSV in UTF-8.
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
                    hint="Add them, or name the columns to use: --set data.columns.label=NAME.",
                )
            # A short row has None in its last cells.
            yield from ({k: v or "" for k, v in row.items() if k} for row in reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path.name} is not a CSV in UTF-8", path=path, why=str(error), hint="Save it as one."
        ) from error


def read_films(path: Path, data: DataConfig, columns: ColumnsConfig) -> Listing:
    """List the films of a table, in its order."""
    needed = {columns.path, *(columns.findings or [columns.label])}
    sources = set(filter(None, data.dataset.split(SEPARATOR)))
    rows, omitted = [], []
    for record in read_records(path, needed):
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
            hint=f"Check its columns {columns.source} and {columns.label}, then use "
            "--set data.dataset=NAME.",
        )
    return Listing(tuple(rows), tuple(omitted), patient_notes(rows))


def _row(record: dict[str, str], table: Path, data: DataConfig, columns: ColumnsConfig) -> FilmRow:
    path = record[columns.path].replace("\\", "/")
    labels, unknown = _labels(record, table, columns)
    return FilmRow(
        path=path,
        source=record.get(columns.source) or table.resolve().parent.name,
        patient=patient_id(path, record.get(columns.patient, ""), data),
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
    """Return the labels of a row, and the labels that it leaves open."""
    if not columns.findings:
        return tuple(filter(None, map(str.strip, record[columns.label].split(SEPARATOR)))), ()
    cells = {name: record[name].strip().casefold() for name in columns.findings}
    invalid = [name for name, cell in cells.items() if cell not in _YES | _NO | _UNKNOWN]
    if invalid:
        raise UsageError(
            f"Column {invalid[0]} is {record[invalid[0]]!r} for {record[columns.path]}",
            path=table,
            hint="Write 1 or 0 for a finding, or leave it empty (or -1) if it is not known.",
        )
    present = tuple(name for name, cell in cells.items() if cell in _YES)
    unknown = tuple(name for name, cell in cells.items() if cell in _UNKNOWN)
    if not present and not unknown:
        return (NO_FINDING,), ()
    return present, unknown
