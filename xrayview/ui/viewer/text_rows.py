"""Text in more than one row where one does not hold it; widths are asked for, nothing is drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

WidthOf = Callable[[str], float]
_Break = tuple[re.Pattern[str], str]
"""Where a row may end, and what joins the pieces while they share one."""
_AT_SPACES: _Break = re.compile(" "), " "
_AT_HYPHENS: _Break = re.compile(r"(?<=-)(?=\w)"), ""


def rows_of(
    text: str, separator: str, width_of: WidthOf, room: float, most: int | None = None
) -> tuple[str, ...]:
    """The rows of a text, each within `room` as far as breaks allow.

    Rows end between the parts that `separator` joins; inside of a part only where it alone is too
    wide: between its words, in rows of much the same width, and inside of a word after a hyphen.

    Args:
        most: so many rows for one part; the last has all that is left, and may be too wide.
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
            rows += _at_most(most, _evened(part, width_of, room), part)
    return tuple(rows)


def _at_most(most: int | None, rows: list[str], part: str) -> list[str]:
    if most is None or len(rows) <= most:
        return rows
    left = part
    for row in rows[: most - 1]:
        left = left.removeprefix(row).lstrip()
    return [*rows[: most - 1], left]


def _evened(part: str, width_of: WidthOf, room: float) -> list[str]:
    """As many rows as it needs, and none much shorter than the others."""
    rows = even = _broken(part, (_AT_SPACES, _AT_HYPHENS), width_of, room)
    while len(even) == len(rows) > 1 and max(map(width_of, even)) <= room:
        rows, room = even, max(map(width_of, even)) - 1
        even = _broken(part, (_AT_SPACES, _AT_HYPHENS), width_of, room)
    return rows


def _broken(text: str, breaks: Sequence[_Break], width_of: WidthOf, room: float) -> list[str]:
    if not breaks or width_of(text) <= room:
        return [text]
    (place, joint), *finer = breaks
    rows: list[str] = []
    for piece in place.split(text):
        longer = joint.join((*rows[-1:], piece))
        if rows and width_of(longer) <= room:
            rows[-1] = longer
        else:
            rows += _broken(piece, finer, width_of, room)
    return rows
