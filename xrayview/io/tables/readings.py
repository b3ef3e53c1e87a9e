"""Read a reader study: a long table with one row per reader, condition and film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from xrayview.errors import UsageError
from xrayview.io.tables.sheet import Sheet, read_sheet

COLUMNS: dict[str, tuple[str, ...]] = {
    "reader": ("reader", "rater", "observer", "radiologist"),
    "condition": ("condition", "treatment", "modality", "arm"),
    "film": ("film", "case", "path", "file", "image", "image_id", "sopinstanceuid"),
    "truth": ("truth", "label", "reference", "status"),
    "rating": ("rating", "score", "confidence", "response"),
}
"""The columns, and the names by which each is found; the first match is used."""
OPTIONAL = ("condition",)
PRESENT = frozenset({"1", "1.0", "true", "yes", "present", "positive"})
ABSENT = frozenset({"0", "0.0", "false", "no", "absent", "negative"})


@dataclass(frozen=True)
class Reading:
    """A reader's rating of a film in one condition."""

    reader: str
    condition: str
    """Empty where the table has no such column."""
    film: str
    truth: bool
    rating: float


def read_readings(path: Path, columns: Mapping[str, str] | None = None) -> list[Reading]:
    """Read the readings of a table.

    Args:
        path: CSV with any delimiter and encoding that spreadsheets save.
        columns: the name of a column in this table by its role in `COLUMNS`.

    Raises:
        UsageError: a column is missing, a cell cannot be read, a film has two truths, or a reader
            rated a film twice in one condition; the line is named.
        OSError: the file cannot be read.
    """
    chosen = dict(columns or {})
    names = {name for synonyms in COLUMNS.values() for name in synonyms} | set(chosen.values())
    try:
        sheet = read_sheet(path.read_bytes(), names)
    except ValueError as error:
        raise UsageError(
            "The readings cannot be read", path=path, why=str(error), hint="Save them as CSV."
        ) from error
    index = {role: _column(path, sheet, role, chosen.get(role)) for role in COLUMNS}
    readings: list[Reading] = []
    for line, row in zip(sheet.line_numbers, sheet.rows, strict=True):
        cells = {role: row[i].strip() if i is not None else "" for role, i in index.items()}
        readings.append(_reading(path, line, cells))
    _check(path, readings, sheet.line_numbers)
    return readings


def _column(path: Path, sheet: Sheet, role: str, name: str | None) -> int | None:
    header = [cell.casefold() for cell in sheet.header]
    for wanted in (name.casefold(),) if name else COLUMNS[role]:
        if wanted in header:
            return header.index(wanted)
    if role in OPTIONAL and name is None:
        return None
    raise UsageError(
        f"The table has no column {name!r}" if name else f"The table has no column for the {role}",
        path=path,
        why=f"its columns are {', '.join(filter(None, sheet.header))}",
        hint=f"Name it with --column {role}=NAME.",
    )


def _reading(path: Path, line: int, cells: Mapping[str, str]) -> Reading:
    for role in ("reader", "film"):
        if not cells[role]:
            raise _unreadable(path, line, f"has no {role}", "Fill in the cell or remove the line.")
    truth = cells["truth"].casefold()
    if truth not in PRESENT | ABSENT:
        raise _unreadable(
            path, line, f"has the truth {cells['truth']!r}", "Write 1 (present) or 0 (absent)."
        )
    try:
        rating = float(cells["rating"])
    except ValueError:
        rating = float("nan")
    if not isfinite(rating):
        raise _unreadable(
            path, line, f"has the rating {cells['rating']!r}",
            "Write a number, or leave out the line of a film that was not rated.",
        )  # fmt: skip
    return Reading(cells["reader"], cells["condition"], cells["film"], truth in PRESENT, rating)


def _check(path: Path, readings: list[Reading], lines: tuple[int, ...]) -> None:
    if not readings:
        raise UsageError("The table has no readings", path=path, hint="Check the file.")
    truths: dict[str, bool] = {}
    first_line: dict[tuple[str, str, str], int] = {}
    for line, reading in zip(lines, readings, strict=True):
        if truths.setdefault(reading.film, reading.truth) != reading.truth:
            raise _unreadable(
                path, line, f"contradicts the truth of {reading.film} in another line",
                "A film has one truth: correct it.",
            )  # fmt: skip
        key = (reading.reader, reading.condition, reading.film)
        if key in first_line:
            raise _unreadable(
                path, line, f"rates {reading.film} again after line {first_line[key]}",
                "Keep one rating per reader, condition and film; a second session is a condition.",
            )  # fmt: skip
        first_line[key] = line


def _unreadable(path: Path, line: int, what: str, hint: str) -> UsageError:
    return UsageError(f"Line {line} {what}", path=path, hint=hint)
