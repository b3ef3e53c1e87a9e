"""Tables of films: a CSV with a path, a label and more in each row."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from training.config import ColumnsConfig, DataConfig
from training.data.cells import split_labels, state_of
from training.data.joining import Row, as_rows, fill, is_template, join, template_columns
from training.data.layouts.folder import FilmFolder
from training.data.manifest import SEPARATOR, FilmRow, Listing, Omission
from training.data.patients import patient_id, patient_notes
from training.data.policies import labels_of
from training.data.row_filter import conditions, unmet
from training.data.table_file import canonical, read_table
from xrayview.errors import NothingUsable, UsageError

LABELS = "labels.csv"
_OPTIONAL = ("patient", "split", "source", "sex", "age", "view")
"""Fields of `data.columns` that a table may lack, unless they are named."""
_SHOWN = 3


def read_labels(folder: Path, data: DataConfig) -> Listing:
    """List the films of `labels.csv`: `path, dataset, split, label, patient_id` and more.

    `data.columns` names other columns.

    Raises:
        UsageError: the table is missing, lacks a column, or a finding is not 0 or 1.
        NothingUsable: no row belongs to this data set.
    """
    return read_films(find_table(folder, data, LABELS), data, folder)


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


def read_records(path: Path, needed: set[str], data: DataConfig) -> list[Row]:
    """Return the rows of a table, joined with those that `data.join` names.

    Columns are found in any case; cells have the names of `needed` and of `data.columns`.

    Raises:
        UsageError: a needed column is missing or is there twice, or the file is not a table.
    """
    table = read_table(path)
    header = {canonical(name): name for name in reversed(table.header)}
    folded = [canonical(name) for name in table.header]
    repeated = sorted(
        name for name in needed
        if table.header.count(name) > 1
        or (name not in table.header and folded.count(canonical(name)) > 1)
    )  # fmt: skip
    if repeated:
        raise UsageError(
            f"{path.name} has two columns {repeated[0]}",
            path=path,
            hint="Rename or remove one of them.",
        )
    rows = as_rows(table)
    for name in data.join:
        other = read_table(_existing(path.parent / name, name))
        rows = join(rows, other, data.join_on)
        header |= {canonical(n): n for n in other.header if canonical(n) not in header}
    missing = sorted(name for name in needed if canonical(name) not in header)
    if missing:
        raise UsageError(
            f"{path.name} lacks columns",
            path=path,
            why=", ".join(missing),
            hint=f"It has: {', '.join(filter(None, table.header))}. Add them, or name the columns "
            "to use: --set data.columns.label=NAME.",
        )
    names = {*needed, *(getattr(data.columns, name) for name in _OPTIONAL)}
    renamed = {name: h for name in names if (h := header.get(canonical(name), name)) != name}
    return [_renamed(row, renamed) for row in rows]


def _renamed(row: Row, renamed: Mapping[str, str]) -> Row:
    if not renamed:
        return row
    return row | {name: row[column] for name, column in renamed.items()}


def _existing(path: Path, name: str) -> Path:
    if not path.is_file():
        raise UsageError(
            f"There is no {path.name} in {path.parent}", hint=f"data.join names it: {name}."
        )
    return path


def read_films(path: Path, data: DataConfig, folder: Path | None = None) -> Listing:
    """List the films of a table, in its order, a row for each of its rows.

    A path that leads nowhere is looked for by its end below `folder`, in any case and with any
    suffix of a film.
    """
    columns = data.columns
    own = template_columns(columns.path) if is_template(columns.path) else {columns.path}
    label = set() if data.label_pattern else {*(columns.findings or [columns.label])}
    records = read_records(path, own | label | _named(columns), data)
    wanted = conditions(data.rows)
    sources = {source.casefold() for source in data.dataset.split(SEPARATOR) if source}
    rows, omitted = [], []
    others: Counter[str] = Counter()
    for record in records:
        source = record.get(columns.source, "")
        if sources and source and source.casefold() not in sources:
            others[source] += 1
            continue
        film = _path(record, data)
        row = _row(record, film, path, data)
        if not film:
            omitted.append(Omission("", "NO_PATH", f"column {columns.path} is empty"))
        elif reason := unmet(record, wanted):
            omitted.append(Omission(row.path, "FILTERED", f"not {reason} (data.rows)"))
        elif row.labels or row.unknown_labels:
            rows.append(row)
        else:
            omitted.append(Omission(row.path, "NO_LABEL", _no_label(data)))
    if not rows:
        raise NothingUsable(
            f"{path.name} has no labelled film" + (f" of {data.dataset}" if data.dataset else ""),
            path=path,
            why=_of_other_sources(others) if others else "",
            hint=f"Check its columns {columns.source} and {columns.label}, then use "
            "--set data.dataset=NAME.",
        )
    rows = _found_elsewhere(rows, folder) if folder else rows
    notes = patient_notes(rows)
    if others:
        notes += (f"{_of_other_sources(others)} are not used (data.dataset is {data.dataset}).",)
    return Listing(tuple(rows), tuple(omitted), notes)


def _no_label(data: DataConfig) -> str:
    if data.label_pattern:
        return f"data.label_pattern {data.label_pattern} does not match its path"
    return f"column {data.columns.label} is empty"


def _path(record: Row, data: DataConfig) -> str:
    column = data.columns.path
    text = fill(column, record) if is_template(column) else record[column]
    return text.strip().replace("\\", "/")


def _found_elsewhere(rows: list[FilmRow], folder: Path) -> list[FilmRow]:
    """Return the rows with the paths of their files, where the table's lead nowhere."""
    absent = [row.path for row in rows if not (folder / row.path).is_file()]
    if not absent or not folder.is_dir():
        return rows
    # Of all rows, so that `p1/view.png` is not taken for a missing `p2/view.png`.
    found = FilmFolder(folder).finder(row.path for row in rows)
    moved = {path: where for path in absent if (where := found(path))}
    return [replace(row, path=moved.get(row.path, row.path)) for row in rows]


def _of_other_sources(others: Counter[str]) -> str:
    listed = ", ".join(f"{source} ({count})" for source, count in others.most_common(_SHOWN))
    return f"{others.total()} rows of other sources, {listed},"


def _named(columns: ColumnsConfig) -> set[str]:
    """Return the columns that were named by the user, which must exist."""
    usual = ColumnsConfig()
    return {
        getattr(columns, name) for name in _OPTIONAL
        if getattr(columns, name) != getattr(usual, name)
    }  # fmt: skip


def _row(record: Row, film: str, table: Path, data: DataConfig) -> FilmRow:
    columns = data.columns
    path = posixpath.normpath(film)
    labels, unknown = _labels(record, path, table, data)
    return FilmRow(
        path=path,
        source=record.get(columns.source) or table.resolve().parent.name,
        patient=patient_id(path, record.get(columns.patient, "").strip(), data),
        labels=labels,
        official_split=record.get(columns.split, ""),
        sex=record.get(columns.sex, ""),
        age=record.get(columns.age, ""),
        view=record.get(columns.view, ""),
        unknown_labels=unknown,
    )


def label_in_path(path: str, data: DataConfig) -> tuple[str, ...]:
    """Return the label that `data.label_pattern` finds in a path."""
    match = re.search(data.label_pattern, path)
    label = (match[1] if match.re.groups else match[0]) if match else ""
    return (label,) if label else ()


def _labels(
    record: Row, path: str, table: Path, data: DataConfig
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels of a row, and the labels that it leaves open."""
    columns = data.columns
    if data.label_pattern:
        return label_in_path(path, data), ()
    if not columns.findings:
        return split_labels(record[columns.label], data.label_separator), ()
    states = {}
    for name in columns.findings:
        state = state_of(record[name])
        if state is None:
            raise UsageError(
                f"Column {name} is {record[name]!r} for {path}",
                path=table,
                hint="Write 1 or 0 for a finding, or leave it empty (or -1) if it is not known.",
            )
        states[name] = state
    return labels_of(states, data)
