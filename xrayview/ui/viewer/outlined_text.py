"""Text that stays readable on white bone and on black air."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QMargins, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

INK = QColor(241, 241, 241)
HALO = ((4.5, QColor(0, 0, 0, 70)), (2.5, QColor(0, 0, 0, 190)))
"""Strokes around the letters: width in logical pixels and colour, from the outside in."""
_REACH = 3
_MARGIN = QPointF(_REACH, _REACH)
_MARGINS = QMargins(_REACH, _REACH, _REACH, _REACH)


def draw_outlined(painter: QPainter, box: QRectF, align: Qt.AlignmentFlag, text: str) -> None:
    """Draw one line inside `box`, elided in its middle where it is too long."""
    metrics = QFontMetricsF(painter.font())
    line = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, box.width())
    picture = _line(line, painter.font(), painter.device().devicePixelRatio())
    spare = box.width() - metrics.horizontalAdvance(line)
    share = {Qt.AlignmentFlag.AlignLeft: 0.0, Qt.AlignmentFlag.AlignRight: 1.0}.get(align, 0.5)
    top = box.center().y() - metrics.height() / 2
    painter.drawImage(QPointF(round(box.left() + share * spare), round(top)) - _MARGIN, picture)


@lru_cache(maxsize=64)
def _line(text: str, font: QFont, ratio: float) -> QImage:
    # Stroked letters cost a millisecond a line; in a window drag one line of ten changes.
    metrics = QFontMetricsF(font)
    size = metrics.size(Qt.TextFlag.TextSingleLine, text).toSize().grownBy(_MARGINS)
    picture = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    start = QPointF(_REACH, _REACH + round(metrics.ascent()))
    letters = QPainterPath()
    letters.addText(start, font, text)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for width, colour in HALO:
        round_pen = QPen(colour, width)
        round_pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(letters, round_pen)
    painter.setFont(font)
    painter.setPen(INK)
    painter.drawText(start, text)
    painter.end()
    return picture
