"""What people write into a table of predictions: labels, columns of their own, changed cells.

A table comes back from spreadsheets in their own form (delimiter, encoding, order, decimal commas).
What was written is matched to the films of the next table by path and frame, then by content; what
cannot be read with certainty is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xrayview.errors import Status, UsageError
from xrayview.io.tables.cells import unescape_formula
from xrayview.io.tables.parquet import is_parquet
from xrayview.io.tables.predictions import (
    AFTER_FINDINGS,
    BEFORE_FINDINGS,
    PER_FINDING,
    Row,
    columns,
    parquet_sheet,
)
from xrayview.io.tables.sheet import Sheet, read_sheet

Key = tuple[str, str]
"""`path` and `frame` of a row; the frame is empty for a whole file."""

FIXED = frozenset((*BEFORE_FINDINGS, *AFTER_FINDINGS))
MIN_SHARE = 0.5
"""Of the fixed columns; a table with fewer was made by something else."""
_NUMBER = re.compile(r"[+-]?(\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE]([+-]?\d+))?")
_RUN_ID = re.compile(r"[0-9a-f]{16}|\d[.,]\d+[eE][+-]?\d+")
"""A spreadsheet may take a run's id for a number."""


@dataclass(frozen=True)
class Annotation:
    """What a person has written into one row."""

    label: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Cells of the person's own columns; none is empty."""
    sha256: str = ""
    """The content of the film that the row is of; empty if unknown."""

    def __bool__(self) -> bool:
        return bool(self.label or self.extra)

    def is_of(self, row: Row) -> bool:
        """False where the row is of a film with other content."""
        return not self.sha256 or not row["sha256"] or self.sha256 == row["sha256"]


@dataclass(frozen=True)
class Annotations:
    """All that people have written, by row."""

    columns: tuple[str, ...] = ()
    """Their own columns, in order."""
    by_key: Mapping[Key, Annotation] = field(default_factory=dict)

    def updated(self, newer: Annotations) -> Annotations:
        """These, with the rows of `newer` in place of their own, also where those are empty."""
        names = dict.fromkeys((*self.columns, *newer.columns))
        return Annotations(tuple(names), {**self.by_key, **newer.by_key})

    def only(self, keys: Iterable[Key]) -> Annotations:
        """The annotations of these rows."""
        return Annotations(self.columns, {key: self.by_key[key] for key in keys})

    def assigned(self, rows: Sequence[Row]) -> tuple[list[Row], frozenset[Key]]:
        """The rows with what was written about their films, and the keys that no row has taken."""
        assignment = Assignment(self)
        for row in rows:
            assignment.see(row)
        annotated = [assignment.written(row) for row in rows]
        return annotated, assignment.lost()

    def key_of(self, row: Row) -> Key | None:
        """By frame, else by file: a file that failed has one row, without a frame."""
        path, frame = row["path"], row["frame"]
        keys = [(path, frame), (path, "")] if frame else [(path, frame), (path, "0")]
        for key in keys:
            note = self.by_key.get(key)
            if note and note.is_of(row):
                return key
        return None

    def by_content(self, taken: Collection[Key]) -> dict[Key, Key]:
        """Annotated rows by content and frame, where only one row has this content."""
        rows = [(note.sha256, key[1]) for key, note in self.by_key.items() if note.sha256]
        once = {content for content, count in Counter(rows).items() if count == 1}
        return {
            (note.sha256, key[1]): key
            for key, note in self.by_key.items()
            if note and key not in taken and (note.sha256, key[1]) in once
        }


class Assignment:
    """Which row gets which annotation, for rows that are seen twice, one by one.

    All rows are seen before the first one is written: a film that was renamed is known by its
    content, if no other row has it.
    """

    def __init__(self, annotations: Annotations) -> None:
        self._annotations = annotations
        self._taken: set[Key] = set()
        self._contents = Counter[Key]()
        """Rows without an annotation under their own name, by content and frame."""
        self._known = annotations.by_content(())
        self._moved: dict[Key, Key] | None = None

    def see(self, row: Row) -> None:
        """Take note of a row."""
        key = self._annotations.key_of(row)
        if key is not None:
            self._taken.add(key)
        elif (content := (row["sha256"], row["frame"])) in self._known:
            self._contents[content] += 1

    def note(self, row: Row) -> Annotation | None:
        """What was written about the film of a row; None for nothing, not even an empty label."""
        key = self._annotations.key_of(row)
        if key is None:
            key = self._moved_keys().get((row["sha256"], row["frame"]))
        return None if key is None else self._annotations.by_key[key]

    def written(self, row: Row) -> Row:
        """The row with what was written about its film, and all of the person's columns."""
        note = self.note(row) or Annotation()
        own = {name: note.extra.get(name, "") for name in self._annotations.columns}
        return {**own, **row, "label": note.label}

    def lost(self) -> frozenset[Key]:
        """The keys of annotations that no row has taken."""
        taken = self._taken.union(self._moved_keys().values())
        notes = self._annotations.by_key.items()
        return frozenset(key for key, note in notes if note and key not in taken)

    def _moved_keys(self) -> dict[Key, Key]:
        if self._moved is None:
            free = self._annotations.by_content(self._taken)
            once = (content for content, count in self._contents.items() if count == 1)
            self._moved = {content: free[content] for content in once if content in free}
        return self._moved


@dataclass(frozen=True)
class AnnotatedTable:
    """A table of predictions that people may have changed."""

    annotations: Annotations
    cells: Mapping[Key, Row]
    """The program's own cells of each row, as they are in the file."""
    has_strays: bool
    """There is text outside of the rows of films, or text whose encoding is a guess."""


def read_annotated(path: Path, data: bytes) -> AnnotatedTable:
    """Read a table of predictions in whatever form a spreadsheet has saved it.

    Raises:
        UsageError: it is not a table of predictions, or cannot be read with certainty.
    """
    try:
        sheet = parquet_sheet(path) if is_parquet(path) else read_sheet(data, FIXED)
    except ValueError as error:
        raise _uncertain(path, str(error)) from error
    names, own = _columns(path, sheet)
    notes: dict[Key, Annotation] = {}
    lines: dict[Key, int] = {}
    cells: dict[Key, Row] = {}
    has_strays = not sheet.is_unicode
    for i, line in enumerate(sheet.rows):
        row = {name: unescape_formula(line[index]) for name, index in names.items()}
        if i in sheet.overflowing and not _is_aligned(row):
            raise _uncertain(path, f"line {sheet.line_numbers[i]} has more cells than the header")
        if not row["path"].strip():
            has_strays = True
            continue
        key = row["path"], _frame(path, row.get("frame", ""), sheet.line_numbers[i])
        extra = {name: line[index] for name, index in own.items() if line[index].strip()}
        note = Annotation(row.get("label", ""), extra, row.get("sha256", "").strip())
        if key in notes:
            why = f"lines {lines[key]} and {sheet.line_numbers[i]} are of one film and differ"
            note = _merged(path, notes[key], note, why)
        notes[key], cells[key] = note, row
        lines.setdefault(key, sheet.line_numbers[i])
    used = {name for note in notes.values() for name in note.extra}
    named = {sheet.header[index] for index in own.values()}
    order = tuple(name for name in own if name in used or name in named)
    return AnnotatedTable(Annotations(order, notes), cells, has_strays)


def _columns(path: Path, sheet: Sheet) -> tuple[dict[str, int], dict[str, int]]:
    """The indices of the program's columns by name, and those of the person's own."""
    by_name: dict[str, list[int]] = {}
    for i, name in enumerate(sheet.header):
        by_name.setdefault(name.casefold(), []).append(i)
    known = {name: by_name[name.casefold()] for name in FIXED if name.casefold() in by_name}
    if "path" not in known or len(known) < MIN_SHARE * len(FIXED):
        raise _not_ours(path)
    for name, indices in known.items():
        if len(indices) > 1:
            raise _uncertain(path, f"it has {len(indices)} columns {name}")
    names = {name: indices[0] for name, indices in known.items()}
    for finding in _findings(sheet.header):
        for prefix in PER_FINDING:
            names[prefix + finding] = sheet.header.index(prefix + finding)
    ours = set(names.values())
    own: dict[str, int] = {}
    for i, name in enumerate(sheet.header):
        if i not in ours:
            own[_unused(name or "unnamed", own)] = i
    return names, own


def _findings(header: Sequence[str]) -> Iterator[str]:
    """Findings with all their columns; a lone `score_x` is a person's own column."""
    for name in header:
        finding = name.removeprefix("score_")
        if finding != name and all(prefix + finding in header for prefix in PER_FINDING):
            yield finding


def _unused(name: str, names: Mapping[str, int]) -> str:
    number, candidate = 1, name
    while candidate in names:
        number += 1
        candidate = f"{name} ({number})"
    return candidate


def _is_aligned(row: Row) -> bool:
    """False where an unquoted decimal comma, for example, has moved the cells of a row."""
    return row.get("status", "").strip() in {status.value for status in Status} and bool(
        _RUN_ID.fullmatch(row.get("run_id", "").strip())
    )


def _frame(path: Path, cell: str, line: int) -> str:
    text = cell.strip()
    if not text:
        return ""
    value = _number(text)
    if value is None or value < 0 or value != int(value):
        raise _uncertain(path, f"the frame in line {line} is not a number from 0")
    return str(int(value))


def _merged(path: Path, one: Annotation, other: Annotation, why: str) -> Annotation:
    pairs = [(one.label, other.label)]
    pairs += [(one.extra.get(name, ""), other.extra.get(name, "")) for name in other.extra]
    if any(a and b and a != b for a, b in pairs):
        raise _uncertain(path, why)
    return Annotation(
        one.label or other.label, {**one.extra, **other.extra}, one.sha256 or other.sha256
    )


def is_same_cell(cell: str, written: str) -> bool:
    """True where a cell is what was written, or a number that a spreadsheet has reformatted."""
    if cell.strip() == written.strip():
        return True
    shown, value = _number(cell.strip()), _number(written.strip())
    return shown is not None and value is not None and abs(shown - value) <= _unit(cell.strip())


def _number(text: str) -> float | None:
    match = _NUMBER.fullmatch(text)
    return float(text.replace(",", ".")) if match else None


def _unit(text: str) -> float:
    """The value of the last digit shown."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return 0.0
    decimals = len(re.split("[.,]", match[1] + ".")[1])
    exponent = int(match[2] or 0)
    return float(10.0 ** min(300, exponent - decimals)) if decimals or exponent else 0.5


def annotated_columns(findings: Iterable[str], own: Iterable[str]) -> tuple[str, ...]:
    """The person's own columns that do not collide with those of a table for `findings`."""
    ours = {name.casefold() for name in columns(findings)}
    return tuple(name for name in own if name.casefold() not in ours)


def _not_ours(path: Path) -> UsageError:
    return UsageError(
        "The file is not a table of predictions, and is not replaced",
        path=path,
        hint="Choose another name for the output.",
    )


def _uncertain(path: Path, why: str) -> UsageError:
    return UsageError(
        "The table that is already there cannot be read with certainty, and is not replaced",
        path=path,
        why=why,
        hint="Correct it, move it elsewhere, or choose another name for the output.",
    )
