"""The legend of a heat map: a narrow colour bar from 0 to 1 beside the film."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from xrayview.display.overlay import colour_bar
from xrayview.ui.viewer.outlined_text import draw_outlined

BAR_PX = 10
TICKS = ((1.0, "1"), (0.5, "0.5"), (0.0, "0"))
TEXT_PX = 11
SIZE = QSize(36, 200)
SHORTEST_PX = 60
FRAME = QColor(0, 0, 0, 190)
_STEPS = 256


class ColourBar(QWidget):
    """Colours from 0 (bottom) to 1 (top); transparent below the cut-off, like the map."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(self.tr("Heat map scale, 0 to 1"))
        self._cutoff = 0.0
        self.hide()

    def set_cutoff(self, cutoff: float) -> None:
        self._cutoff = cutoff
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        font = QFont(self.font())
        font.setPixelSize(TEXT_PX)
        painter.setFont(font)
        half_line = TEXT_PX / 2 + 2
        bar = QRectF(1, half_line, BAR_PX, self.height() - 2 * half_line)
        rgba = colour_bar(_STEPS, 1, cutoff=self._cutoff)
        image = QImage(rgba.data, 1, _STEPS, rgba.strides[0], QImage.Format.Format_RGBA8888)
        painter.fillRect(bar.adjusted(-1, -1, 1, 1), FRAME)
        painter.drawImage(bar, image)
        for value, text in TICKS:
            y = bar.bottom() - value * bar.height()
            box = QRectF(BAR_PX + 6, y - half_line, self.width() - BAR_PX - 6, 2 * half_line)
            draw_outlined(painter, box, Qt.AlignmentFlag.AlignLeft, text)
