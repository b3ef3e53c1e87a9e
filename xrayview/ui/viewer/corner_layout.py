"""Where each line over the film goes, so that none covers another; geometry without painting."""

from __future__ import annotations

from collections.abc import Collection
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
"""So much of a view's height may be written on at either side, before words are left out."""
MOST_ROWS = 3
"""Of a line that does not fit into one."""

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
    """All lines, and what is free between the right corners and left of the letter there."""

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
    def high(self) -> int:
        """Rows of the fuller side."""
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
    """Warnings along the top, caption along the bottom, corners between them, letters in the
    middle of the edges."""
    high = metrics.lineSpacing()

    # Each try to fit the corners asks for the same words again. Of Qt's own method `cache` would
    # have the documentation made, which takes longer than the whole layout.
    @cache
    def width_of(text: str) -> float:
        return metrics.horizontalAdvance(text)

    area = view.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
    # The last part of a caption may be a warning: nothing of either is cut off.
    rows = rows_of(caption, SEPARATOR, width_of, area.width())
    alarm = [row for text in warnings for row in rows_of(text, " ", width_of, area.width())]
    warned = [
        Line(QRectF(area.left(), area.top() + number * high, area.width(), high), MIDDLE, row, True)
        for number, row in enumerate(alarm)
    ]
    area.setTop(area.top() + len(alarm) * high)
    area.setBottom(area.bottom() - len(rows) * high)
    middle, last = area.center().y() - high / 2, area.bottom() - high
    left, right = QRectF(area), QRectF(area)
    between = max(width_of(letters.top), width_of(letters.bottom)) + metrics.height()
    wide = max(0.0, (area.width() - between) / 2)
    left.setWidth(wide)
    right.setLeft(area.right() - wide)
    corners = _fitted(texts, width_of, wide, int(COVERED * area.height() / high))

    def column(
        lines: tuple[str, ...], box: QRectF, top: float, align: Qt.AlignmentFlag
    ) -> list[Line]:
        return [
            Line(QRectF(box.left(), top + number * high, box.width(), high), align, text)
            for number, text in enumerate(lines)
            if text
        ]

    def top_of(lines: tuple[str, ...]) -> float:
        return area.bottom() - len(lines) * high

    lines = (
        *warned,
        *column(corners.top_left, left, area.top(), LEFT),
        *column(corners.top_right, right, area.top(), RIGHT),
        *column(corners.bottom_left, left, top_of(corners.bottom_left), LEFT),
        *column(corners.bottom_right, right, top_of(corners.bottom_right), RIGHT),
        *column((letters.left,), area, middle, LEFT),
        *column((letters.right,), area, middle, RIGHT),
        *column((letters.top,), area, area.top(), MIDDLE),
        *column((letters.bottom,), area, last, MIDDLE),
        *column(rows, area, area.bottom(), MIDDLE),
    )
    room = area.adjusted(0, len(corners.top_right) * high, 0, -len(corners.bottom_right) * high)
    room.setRight(area.right() - width_of(letters.right))
    return Layout(lines, room)


def _fitted(texts: CornerTexts, width_of: WidthOf, wide: float, room: int) -> _Corners:
    """The corners in at most `room` rows a side, if need be without some words.

    What is too wide goes on in the next row. Where there are too few rows for that, lines have
    fewer of them, then the spare words go; what is left is shortened, each line in its middle.
    """
    spares = texts.optional
    attempts = [(MOST_ROWS, 0), *((2, left_out) for left_out in range(len(spares) + 1))]
    for most, left_out in attempts:
        corners = _broken(texts, spares[:left_out], width_of, wide, most)
        if corners.high <= room:
            return corners
    return _broken(texts, spares, width_of, wide, 1)


def _broken(
    texts: CornerTexts, without: Collection[str], width_of: WidthOf, wide: float, most: int
) -> _Corners:
    def rows(lines: tuple[str, ...]) -> tuple[str, ...]:
        kept = (_without(line, without) for line in lines)
        return tuple(
            row for line in kept for row in rows_of(line, PART_SEPARATOR, width_of, wide, most)
        )

    return _Corners(
        rows(texts.top_left),
        rows(texts.top_right),
        rows(texts.bottom_left),
        rows(texts.bottom_right),
    )


def _without(line: str, words: Collection[str]) -> str:
    return PART_SEPARATOR.join(word for word in line.split(PART_SEPARATOR) if word not in words)
