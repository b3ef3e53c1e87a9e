"""Breaking text into rows, given a function that measures widths; nothing is drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

WidthOf = Callable[[str], float]
_Break = tuple[re.Pattern[str], str]
"""Where a row may end, and what joins the pieces within a row."""
_AT_SPACES: _Break = re.compile(" "), " "
_AT_HYPHENS: _Break = re.compile(r"(?<=-)(?=\w)"), ""


def rows_of(
    text: str, separator: str, width_of: WidthOf, room: float, most: int | None = None
) -> tuple[str, ...]:
    """Break a text into rows, each within `room` where possible.

    Rows end between the parts that `separator` joins. A part that is too wide by itself is broken
    between its words, into rows of similar width, and within a word after a hyphen.

    Args:
        text: the text.
        separator: joins its parts.
        width_of: measures a text.
        room: width of a row, in the unit of `width_of`.
        most: maximum of rows for one part; the last row takes the rest, and may be too wide.
    """
    if not text:
        return ()
    if width_of(text) <= room:
        return (text,)
    rows: list[str] = []
    for part in text.split(separator):
        longer = separator.join((*rows[-1:], part))
        if rows and width_of(longer) <= room:
            rows[-1] = longer
        else:
            rows += _at_most(most, _balanced(part, width_of, room), part)
    return tuple(rows)


def _at_most(most: int | None, rows: list[str], part: str) -> list[str]:
    if most is None or len(rows) <= most:
        return rows
    remainder = part
    for row in rows[: most - 1]:
        remainder = remainder.removeprefix(row).lstrip()
    return [*rows[: most - 1], remainder]


def _balanced(part: str, width_of: WidthOf, room: float) -> list[str]:
    """Break into as few rows as possible, none much shorter than the others."""
    rows = candidate = _broken(part, (_AT_SPACES, _AT_HYPHENS), width_of, room)
    while len(candidate) == len(rows) > 1 and max(map(width_of, candidate)) <= room:
        rows, room = candidate, max(map(width_of, candidate)) - 1
        candidate = _broken(part, (_AT_SPACES, _AT_HYPHENS), width_of, room)
    return rows


def _broken(text: str, breaks: Sequence[_Break], width_of: WidthOf, room: float) -> list[str]:
    if not breaks or width_of(text) <= room:
        return [text]
    (pattern, joint), *finer = breaks
    rows: list[str] = []
    for piece in pattern.split(text):
        longer = joint.join((*rows[-1:], piece))
        if rows and width_of(longer) <= room:
            rows[-1] = longer
        else:
            rows += _broken(piece, finer, width_of, room)
    return rows
