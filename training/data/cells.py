"""Cells of labels: a state for each finding, or several labels in one cell."""

from __future__ import annotations

import ast

from training.data.layouts.model import State
from training.data.manifest import SEPARATOR
from training.data.table_file import as_number

BLANK = {"", "nan", "na", "n/a", "none", "null"}
_NO_LABEL = {"", "nan", "<na>", "#n/a", "null"}
"""What programs write for an empty cell; `none` may be a label."""
_WORDS = {
    "true": State.PRESENT, "yes": State.PRESENT, "present": State.PRESENT,
    "false": State.ABSENT, "no": State.ABSENT, "absent": State.ABSENT,
    "uncertain": State.UNCERTAIN,
}  # fmt: skip
_NUMBERS = {1.0: State.PRESENT, 0.0: State.ABSENT, -1.0: State.UNCERTAIN}


def state_of(cell: str) -> State | None:
    """Return what a cell says; None if it is neither 1, 0, -1, empty nor a word for these."""
    text = cell.strip().casefold()
    if text in BLANK:
        return State.NOT_MENTIONED
    if text in _WORDS:
        return _WORDS[text]
    number = as_number(text)
    return _NUMBERS.get(number) if number is not None else None


def split_labels(cell: str, separator: str = SEPARATOR) -> tuple[str, ...]:
    """Return the labels of a cell: joined by a separator, or a list as Python writes it."""
    text = cell.strip()
    if text.casefold() in _NO_LABEL:
        return ()
    if text[:1] + text[-1:] in {"[]", "()", "{}"}:
        try:
            items = ast.literal_eval(text)
            return tuple(filter(None, (str(item).strip() for item in items)))
        except (ValueError, SyntaxError, TypeError):
            pass
    return tuple(filter(None, map(str.strip, text.split(separator))))
