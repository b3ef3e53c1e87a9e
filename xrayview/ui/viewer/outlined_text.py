"""Text with a dark outline, readable on white bone and on black air."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QMargins, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

INK = "#f1f1f1"
HALO = ((2.25, 70), (1.25, 190))
"""Black around the letters: reach in logical pixels and opacity out of 255, from the outside in."""
_REACH = 3
_MARGIN = QPointF(_REACH, _REACH)
_MARGINS = QMargins(_REACH, _REACH, _REACH, _REACH)
_SHARES = {Qt.AlignmentFlag.AlignLeft: 0.0, Qt.AlignmentFlag.AlignRight: 1.0}


def draw_outlined(
    painter: QPainter, box: QRectF, align: Qt.AlignmentFlag, text: str, ink: str = INK
) -> None:
    """Draw one line inside `box`, elided in the middle where it is too long."""
    ratio = painter.device().devicePixelRatio()
    line = _line(text, box.width(), painter.font().toString(), ratio, ink)
    left = round(box.left() + _SHARES.get(align, 0.5) * (box.width() - line.width))
    top = round(box.center().y() - line.height / 2)
    painter.drawImage(QPointF(left, top) - _MARGIN, line.picture)


@dataclass(frozen=True, eq=False)
class _Line:
    width: float
    height: float
    picture: QImage


@lru_cache(maxsize=256)
def _line(text: str, room: float, font_text: str, ratio: float, ink: str) -> _Line:
    font = QFont()
    font.fromString(font_text)
    metrics = QFontMetricsF(font)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)
    size = metrics.size(Qt.TextFlag.TextSingleLine, shown).toSize().grownBy(_MARGINS)
    picture = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setFont(font)
    painter.setPen(QColor(ink))
    painter.drawText(QPointF(_REACH, _REACH + round(metrics.ascent())), shown)
    painter.end()
    _add_halo(picture, ratio)
    return _Line(metrics.horizontalAdvance(shown), metrics.height(), picture)


def _add_halo(picture: QImage, ratio: float) -> None:
    """Put black behind the letters, by raising the opacity around them.

    Stroking the outlines of the letters looks the same and takes ten times as long, on every step
    of a window drag.
    """
    bgra_HW4 = np.frombuffer(picture.bits(), np.uint8).reshape(picture.height(), -1, 4)
    alpha = bgra_HW4[..., 3].astype(np.float32) / 255
    clear = 1 - alpha
    for reach, opacity in HALO:
        clear = clear * (1 - cv2.dilate(alpha, _disc(reach * ratio)) * opacity / 255)
    bgra_HW4[..., 3] = np.rint(255 * (1 - clear))


def _disc(reach: float) -> npt.NDArray[np.uint8]:
    across = 2 * round(reach) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across)), np.uint8)
