"""Tables of films: a CSV with a path, a label and more in each row."""

from __future__ import annotations

import csv
import posixpath
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from training.config import ColumnsConfig, DataConfig
from training.data.manifest import SEPARATOR, FilmRow, Listing, Omission
from training.data.negatives import is_finding, is_negative
from training.data.patients import patient_id, patient_notes
from xrayview.domain.finding_names import NO_FINDING
from xrayview.errors import NothingUsable, UsageError

LABELS = "labels.csv"
_BLANK = {"", "nan", "na", "n/a", "none", "null"}
_UNCERTAIN = {"-1", "-1.0"}
_SHOWN = 3
_YES, _NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}


def read_labels(folder: Path, data: DataConfig) -> Listing:
    """List the films of `labels.csv`: `path, dataset, split, label, patient_id` and more.

    `data.columns` names other columns.

    Raises:
        UsageError: the table is missing, lacks a column, or a finding is not 0 or 1.
        NothingUsable: no row belongs to this data set.
    """
    return read_films(find_table(folder, data, LABELS), data)


read_table = read_labels
"""The reader of any other CSV, which `data.table` names."""


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
            header = list(reader.fieldnames or ())
            repeated = [name for name in header if name in needed and header.count(name) > 1]
            if repeated:
                raise UsageError(
                    f"{path.name} has two columns {repeated[0]}",
                    path=path,
                    hint="Rename or remove one of them.",
                )
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


def read_films(path: Path, data: DataConfig) -> Listing:
    """List the films of a table, in its order, a row for each of its rows."""
    columns = data.columns
    needed = {columns.path, *(columns.findings or [columns.label]), *_named(columns)}
    sources = {source.casefold() for source in data.dataset.split(SEPARATOR) if source}
    rows, omitted = [], []
    others: Counter[str] = Counter()
    for record in read_records(path, needed):
        source = record.get(columns.source, "")
        if sources and source and source.casefold() not in sources:
            others[source] += 1
            continue
        row = _row(record, path, data)
        if not record[columns.path].strip():
            omitted.append(Omission("", "NO_PATH", f"column {columns.path} is empty"))
        elif row.labels or row.unknown_labels:
            rows.append(row)
        else:
            omitted.append(Omission(row.path, "NO_LABEL", f"column {columns.label} is empty"))
    if not rows:
        raise NothingUsable(
            f"{path.name} has no labelled film" + (f" of {data.dataset}" if data.dataset else ""),
            path=path,
            why=_of_other_sources(others) if others else "",
            hint=f"Check its columns {columns.source} and {columns.label}, then use "
            "--set data.dataset=NAME.",
        )
    notes = patient_notes(rows)
    if others:
        notes += (f"{_of_other_sources(others)} are not used (data.dataset is {data.dataset}).",)
    return Listing(tuple(rows), tuple(omitted), notes)


def _of_other_sources(others: Counter[str]) -> str:
    listed = ", ".join(f"{source} ({count})" for source, count in others.most_common(_SHOWN))
    return f"{others.total()} rows of other sources, {listed},"


def _named(columns: ColumnsConfig) -> set[str]:
    """Return the columns that were named by the user, which must exist."""
    optional = ("patient", "split", "source", "sex", "age", "view")
    usual = ColumnsConfig()
    return {
        getattr(columns, name) for name in optional
        if getattr(columns, name) != getattr(usual, name)
    }  # fmt: skip


def _row(record: dict[str, str], table: Path, data: DataConfig) -> FilmRow:
    columns = data.columns
    path = posixpath.normpath(record[columns.path].strip().replace("\\", "/"))
    labels, unknown = _labels(record, table, data)
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
    record: dict[str, str], table: Path, data: DataConfig
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels of a row, and the labels that it leaves open."""
    columns = data.columns
    if not columns.findings:
        return tuple(filter(None, map(str.strip, record[columns.label].split(SEPARATOR)))), ()
    cells = {name: record[name].strip().casefold() for name in columns.findings}
    invalid = [name for name, cell in cells.items() if cell not in _YES | _NO | _BLANK | _UNCERTAIN]
    if invalid:
        raise UsageError(
            f"Column {invalid[0]} is {record[invalid[0]]!r} for {record[columns.path]}",
            path=table,
            hint="Write 1 or 0 for a finding, or leave it empty (or -1) if it is not known.",
        )
    negative = [name for name in cells if is_negative(name)]
    states = {
        name: _state(cell, DataConfig() if name in negative else data)
        for name, cell in cells.items()
    }
    if any(cells[name] in _YES for name in negative):
        # An empty or uncertain cell beside `No Finding` means that the finding is absent.
        open_cells = {name for name in cells if cells[name] in _BLANK | _UNCERTAIN}
        states |= dict.fromkeys((n for n in open_cells if is_finding(n)), False)
    present = tuple(name for name, state in states.items() if state)
    unknown = tuple(name for name, state in states.items() if state is None)
    if present or unknown:
        return present, unknown
    # `No Finding` is 0 like all other columns: the film has something that has no column.
    return ((), tuple(negative)) if negative else ((NO_FINDING,), ())


def _state(cell: str, data: DataConfig) -> bool | None:
    """Return whether the finding of a cell is present; None if that is left open."""
    policy = {"ignore": None, "zeros": False, "ones": True}
    if cell in _BLANK:
        return policy[data.blank]
    return policy[data.uncertain] if cell in _UNCERTAIN else cell in _YES
