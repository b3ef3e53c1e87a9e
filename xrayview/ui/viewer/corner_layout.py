"""Where each line over the film goes, so that none covers another; geometry without painting."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF

from xrayview.display.corners import CornerTexts, EdgeLetters

MARGIN_PX = 8
FREE_BETWEEN_CORNERS_EM = 3.0
"""For the letters of the top and bottom edge."""
SEPARATOR = " · "
"""Between the parts of a caption."""

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
    area = view.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
    # The last part of a caption may be a warning: nothing of either is cut off.
    rows = _rows(caption, SEPARATOR, metrics, area.width())
    alarm = [row for text in warnings for row in _rows(text, " ", metrics, area.width())]
    warned = [
        Line(QRectF(area.left(), area.top() + number * high, area.width(), high), MIDDLE, row, True)
        for number, row in enumerate(alarm)
    ]
    area.setTop(area.top() + len(alarm) * high)
    area.setBottom(area.bottom() - len(rows) * high)
    middle, last = area.center().y() - high / 2, area.bottom() - high
    left, right = QRectF(area), QRectF(area)
    wide = max(0.0, (area.width() - FREE_BETWEEN_CORNERS_EM * metrics.height()) / 2)
    left.setWidth(wide)
    right.setLeft(area.right() - wide)

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
        *column(texts.top_left, left, area.top(), LEFT),
        *column(texts.top_right, right, area.top(), RIGHT),
        *column(texts.bottom_left, left, top_of(texts.bottom_left), LEFT),
        *column(texts.bottom_right, right, top_of(texts.bottom_right), RIGHT),
        *column((letters.left,), area, middle, LEFT),
        *column((letters.right,), area, middle, RIGHT),
        *column((letters.top,), area, area.top(), MIDDLE),
        *column((letters.bottom,), area, last, MIDDLE),
        *column(rows, area, area.bottom(), MIDDLE),
    )
    room = area.adjusted(0, len(texts.top_right) * high, 0, -len(texts.bottom_right) * high)
    room.setRight(area.right() - metrics.horizontalAdvance(letters.right))
    return Layout(lines, room)


def _rows(text: str, separator: str, metrics: QFontMetricsF, width: float) -> tuple[str, ...]:
    """One row where it fits, else more, broken at the separators."""
    rows: list[str] = []
    for part in text.split(separator) if text else ():
        longer = separator.join((*rows[-1:], part))
        if rows and metrics.horizontalAdvance(longer) <= width:
            rows[-1] = longer
        else:
            rows.append(part)
    return tuple(rows)
