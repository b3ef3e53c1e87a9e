"""A thin animated line, shown while the next film is loading."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QVariantAnimation
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from xrayview.ui.style.colours import C

HEIGHT_PX = 3
ROUND_TRIP_MS = 1400
SHARE = 0.28
"""Lit share of the line's length."""


class BusyLine(QWidget):
    """Covers the top edge of its parent; animated only while it is visible."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Loading"))
        self._animation = QVariantAnimation(
            self, startValue=0.0, endValue=1.0, duration=ROUND_TRIP_MS
        )
        self._animation.setLoopCount(-1)
        self._animation.valueChanged.connect(self.update)
        self._parent = parent
        parent.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(0, 0, self._parent.width(), HEIGHT_PX)
        return super().eventFilter(watched, event)

    def showEvent(self, event: QShowEvent) -> None:
        self.raise_()
        self._animation.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._animation.stop()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        length = self.width() * SHARE
        left = (self.width() + length) * self._animation.currentValue() - length
        painter.fillRect(QRectF(left, 0, length, self.height()), QColor(C.accent))
