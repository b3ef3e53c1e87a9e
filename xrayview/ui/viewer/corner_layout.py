"""Layout of the texts over the film, so that none covers another; geometry without painting."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF

from xrayview.display.corners import PART_SEPARATOR, CornerTexts, EdgeLetters
from xrayview.ui.viewer.text_rows import WidthOf, rows_of

MARGIN_PX = 8
SEPARATOR = " · "
"""Between the parts of a caption."""
COVERED = 0.6
"""Share of a view's height that text may cover on either side before optional parts are dropped."""
MOST_ROWS = 3
"""Rows of a line that does not fit into one."""

LEFT = Qt.AlignmentFlag.AlignLeft
RIGHT = Qt.AlignmentFlag.AlignRight
MIDDLE = Qt.AlignmentFlag.AlignHCenter


@dataclass(frozen=True)
class Line:
    """One line of text, aligned and elided in its box."""

    box: QRectF
    align: Qt.AlignmentFlag
    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Layout:
    """All lines, and the free area between the right corners and left of the letter there."""

    lines: tuple[Line, ...]
    room_at_right: QRectF


@dataclass(frozen=True)
class _Corners:
    """The rows of each corner."""

    top_left: tuple[str, ...]
    top_right: tuple[str, ...]
    bottom_left: tuple[str, ...]
    bottom_right: tuple[str, ...]

    @property
    def row_count(self) -> int:
        """Rows of the side that has more."""
        left = len(self.top_left) + len(self.bottom_left)
        return max(left, len(self.top_right) + len(self.bottom_right))


def lay_out(
    view: QRectF,
    metrics: QFontMetricsF,
    texts: CornerTexts,
    letters: EdgeLetters,
    caption: str = "",
    warnings: tuple[str, ...] = (),
) -> Layout:
    """Lay out warnings along the top, the caption along the bottom, corners between them, and
    letters in the middle of the edges."""
    line_height = metrics.lineSpacing()

    # Each attempt to fit the corners measures the same texts again. A wrapper, because `cache` on
    # Qt's method itself would build its documentation, which takes longer than the whole layout.
    @cache
    def width_of(text: str) -> float:
        return metrics.horizontalAdvance(text)

    area = view.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
    # The last part of a caption may be a warning: neither of them is ever cut off.
    caption_rows = rows_of(caption, SEPARATOR, width_of, area.width())
    warning_rows = [row for text in warnings for row in rows_of(text, " ", width_of, area.width())]

    def column(
        rows: Sequence[str],
        box: QRectF,
        top: float,
        align: Qt.AlignmentFlag,
        *,
        is_warning: bool = False,
    ) -> list[Line]:
        boxes = (
            QRectF(box.left(), top + index * line_height, box.width(), line_height)
            for index in range(len(rows))
        )
        return [
            Line(row_box, align, text, is_warning)
            for row_box, text in zip(boxes, rows, strict=True)
            if text
        ]

    warning_lines = column(warning_rows, area, area.top(), MIDDLE, is_warning=True)
    area.setTop(area.top() + len(warning_rows) * line_height)
    area.setBottom(area.bottom() - len(caption_rows) * line_height)
    middle, last = area.center().y() - line_height / 2, area.bottom() - line_height
    left, right = QRectF(area), QRectF(area)
    gap = max(width_of(letters.top), width_of(letters.bottom)) + metrics.height()
    width = max(0.0, (area.width() - gap) / 2)
    left.setWidth(width)
    right.setLeft(area.right() - width)
    corners = _fitted(texts, width_of, width, int(COVERED * area.height() / line_height))

    def top_of(rows: tuple[str, ...]) -> float:
        return area.bottom() - len(rows) * line_height

    lines = (
        *warning_lines,
        *column(corners.top_left, left, area.top(), LEFT),
        *column(corners.top_right, right, area.top(), RIGHT),
        *column(corners.bottom_left, left, top_of(corners.bottom_left), LEFT),
        *column(corners.bottom_right, right, top_of(corners.bottom_right), RIGHT),
        *column((letters.left,), area, middle, LEFT),
        *column((letters.right,), area, middle, RIGHT),
        *column((letters.top,), area, area.top(), MIDDLE),
        *column((letters.bottom,), area, last, MIDDLE),
        *column(caption_rows, area, area.bottom(), MIDDLE),
    )
    room = area.adjusted(
        0, len(corners.top_right) * line_height, 0, -len(corners.bottom_right) * line_height
    )
    room.setRight(area.right() - width_of(letters.right))
    return Layout(lines, room)


def _fitted(texts: CornerTexts, width_of: WidthOf, width: float, most_rows: int) -> _Corners:
    """Break the corners into at most `most_rows` rows a side, if necessary without some parts.

    A line that is too wide continues in the next row. If that takes too many rows, each line gets
    fewer of them, then optional parts are dropped; the rest is elided in the middle of each line.
    """
    optional = texts.optional
    attempts = [(MOST_ROWS, 0), *((2, dropped) for dropped in range(len(optional) + 1))]
    for rows_per_line, dropped in attempts:
        corners = _broken(texts, optional[:dropped], width_of, width, rows_per_line)
        if corners.row_count <= most_rows:
            return corners
    return _broken(texts, optional, width_of, width, 1)


def _broken(
    texts: CornerTexts,
    dropped: Collection[str],
    width_of: WidthOf,
    width: float,
    rows_per_line: int,
) -> _Corners:
    def rows(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            row
            for line in lines
            for row in rows_of(
                _without(line, dropped), PART_SEPARATOR, width_of, width, rows_per_line
            )
        )

    return _Corners(
        rows(texts.top_left),
        rows(texts.top_right),
        rows(texts.bottom_left),
        rows(texts.bottom_right),
    )


def _without(line: str, dropped: Collection[str]) -> str:
    parts = line.split(PART_SEPARATOR)
    return PART_SEPARATOR.join(part for part in parts if part not in dropped)
