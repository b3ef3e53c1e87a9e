"""Guesses which table of a folder lists the films, and what its columns are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training.config import ColumnsConfig, DataConfig
from training.data.cells import BLANK, state_of
from training.data.layouts.folder import FilmFolder
from training.data.layouts.model import State
from training.data.splits import NAMES
from training.data.table_file import Table, canonical

_SAMPLE = 2000
"""Rows by which a table's columns are recognised."""
_FEWEST_FOUND = 0.5
"""Share of the rows whose film must be in the folder."""
_MOST_CLASSES = 60
_LABELS = (
    "label", "labels", "class", "class name", "finding labels", "finding label", "finding",
    "findings", "diagnosis", "dx", "ground truth", "groundtruth", "gt", "target", "category",
    "condition", "disease", "annotation", "y",
)  # fmt: skip
_OTHERS: dict[str, tuple[str, ...]] = {
    "patient": ("patient id", "patientid", "patient", "subject id", "subject", "pid", "patient no",
                "case id", "mrn"),
    "split": ("split", "set", "subset", "partition", "data split", "dataset type"),
    "source": ("dataset", "source", "site", "hospital", "institution", "origin"),
    "sex": ("sex", "gender", "patient sex", "patient gender"),
    "age": ("age", "patient age", "age years", "age at study"),
    "view": ("view", "view position", "viewposition", "projection", "ap/pa"),
}  # fmt: skip
_SEPARATORS = ("|", ";", ",")
_NO_FINDINGS = {canonical(name) for names in _OTHERS.values() for name in names}


@dataclass(frozen=True)
class TableGuess:
    """A table and the meaning of its columns."""

    data: DataConfig
    rows: int
    found: int
    """Rows whose film is in the folder, among the first ones."""


def guess_table(folder: FilmFolder, data: DataConfig) -> TableGuess | None:
    """Return the table that lists most films of the folder; None if none lists enough."""
    guesses = []
    for path in [data.table] if data.table else folder.headers:
        table = folder.table(path)
        column, found = _path_column(folder, table)
        sampled = min(len(table.rows), _SAMPLE)
        if column and found >= _FEWEST_FOUND * sampled:
            columns, separator = _columns(table, column)
            if columns.findings or columns.label != column:
                chosen = DataConfig(table=path, columns=columns, label_separator=separator)
                guesses.append(TableGuess(chosen, len(table.rows), found))
    return max(guesses, key=lambda guess: guess.found, default=None)


def _path_column(folder: FilmFolder, table: Table) -> tuple[str, int]:
    """Return the column whose values are names or paths of most films, and for how many."""
    best, most = "", 0
    for i, name in enumerate(table.header):
        values = [cells[i].strip() for cells in table.rows[:_SAMPLE]]
        if not name or len(set(values)) < len(values) / 8 or not all(map(_like_a_path, values[:5])):
            continue
        find = folder.finder(filter(None, values))
        found = sum(find(value) is not None for value in values)
        if found > most:
            best, most = name, found
    return best, most


def _like_a_path(value: str) -> bool:
    return len(value) < 500 and "\n" not in value


def _columns(table: Table, path: str) -> tuple[ColumnsConfig, str]:
    usual = ColumnsConfig()
    values = {name: list(_values(table, i)) for i, name in enumerate(table.header) if name}
    named: dict[str, str] = {}
    for field, names in _OTHERS.items():
        for name, cells in values.items():
            fits = canonical(name) in names and name != path
            if field == "split":
                fits = fits and {cell.casefold() for cell in cells} <= set(NAMES)
            if fits:
                named.setdefault(field, name)
    taken = {path, *named.values()}
    label = _label_column(values, taken)
    findings = () if label else _finding_columns(values, taken)
    if not label and not findings:
        label = _any_classes(values, taken) or path
    others = {field: named.get(field, getattr(usual, field)) for field in _OTHERS}
    columns = ColumnsConfig(path=path, label=label or usual.label, findings=findings, **others)
    return columns, _separator(values.get(label, [])) if label else "|"


def _values(table: Table, i: int) -> Iterator[str]:
    return (cell for row in table.rows[:_SAMPLE] if (cell := row[i].strip()))


def _label_column(values: dict[str, list[str]], taken: set[str]) -> str:
    for wanted in _LABELS:
        for name, cells in values.items():
            if canonical(name) == wanted and name not in taken and _are_classes(cells):
                return name
    return ""


def _are_classes(cells: Sequence[str]) -> bool:
    single = Counter(part.strip() for cell in cells for part in cell.split(_separator(cells)))
    return 2 <= len(single) <= max(2, min(_MOST_CLASSES, len(cells) // 2))


def _finding_columns(values: dict[str, list[str]], taken: set[str]) -> tuple[str, ...]:
    """Return the columns of 1, 0, -1 and empty cells that are not all the same."""
    return tuple(
        name
        for name, cells in values.items()
        if name not in taken
        and canonical(name) not in _NO_FINDINGS
        and cells
        and all(state_of(cell) is not None for cell in cells)
        and any(state_of(cell) is State.PRESENT for cell in cells)
        and not all(cell.casefold() in BLANK for cell in cells)
    )


def _any_classes(values: dict[str, list[str]], taken: set[str]) -> str:
    """Return a column of few different texts, whatever its name."""
    for name, cells in values.items():
        texts = set(cells)
        few = 2 <= len(texts) <= 20 and len(texts) * 4 <= len(cells)
        numbers = all(text.replace(".", "").isdigit() for text in texts)
        if few and not numbers and name not in taken and canonical(name) not in _NO_FINDINGS:
            return name
    return ""


def _separator(cells: Sequence[str]) -> str:
    """Return what separates several labels in a cell, if some cells have several."""
    for separator in _SEPARATORS:
        with_it = [cell for cell in cells if separator in cell and not cell.startswith("[")]
        parts = {part.strip() for cell in with_it for part in cell.split(separator)}
        alone = {cell for cell in cells if separator not in cell}
        if with_it and parts & alone:
            return separator
    return "|"
