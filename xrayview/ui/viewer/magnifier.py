"""The magnifier: a round piece of the film around the pointer, larger than the film is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from xrayview.ui.viewer.film_item import FilmItem
from xrayview.ui.viewer.outlined_text import draw_outlined
from xrayview.ui.viewer.placement import ZOOM_LIMITS, Placement

ACROSS_PX = 260
"""Logical pixels from edge to edge."""
FACTORS = (2, 3, 4)
"""Screen pixels per film pixel, and so many times more where the film itself is enlarged; the wheel
goes through them."""
_RING = QColor(0, 0, 0, 200), QColor(241, 241, 241, 220)
_TEXT_HIGH_PX = 16


class Layer(Protocol):
    """What lies on the film and is magnified with it."""

    def draw_through(self, painter: QPainter, placement: Placement) -> None:
        """Draw it as the film lies in another placement, on the physical pixels of its view."""


class Magnifier(QWidget):
    """Shows the film through the window in force, flipped and turned as it lies.

    The heat map is magnified with it, so that the place of a colour can be read on the film.
    """

    def __init__(self, film: FilmItem, viewport: QWidget) -> None:
        super().__init__(viewport)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(self.tr("Magnifier"))
        self.factor = FACTORS[0]
        self.layers: list[Layer] = [film]
        """From the lowest to the highest."""
        self._placement = Placement(QSize(), QSize())
        self.resize(ACROSS_PX, ACROSS_PX)
        self.hide()

    @property
    def placement(self) -> Placement:
        """How the film lies in the loupe, in physical pixels of the loupe."""
        return self._placement

    def show_at(self, place: QPointF, around: Placement) -> None:
        """Magnify what lies under `place` (logical pixels of the viewport) in `around`."""
        ratio = self.devicePixelRatioF()
        zoom = self.factor * max(1.0, around.zoom)
        self._placement = replace(
            around,
            view=QSize(round(ACROSS_PX * ratio), round(ACROSS_PX * ratio)),
            zoom=min(zoom, ZOOM_LIMITS[1]),
            center=around.to_film(place * ratio),
        )
        self.move((place - QPointF(ACROSS_PX / 2, ACROSS_PX / 2)).toPoint())
        self.show()
        self.raise_()
        self.update()

    def step_factor(self, steps: int) -> None:
        """The next larger or smaller factor; held at the ends."""
        number = FACTORS.index(self.factor) + steps
        self.factor = FACTORS[min(max(number, 0), len(FACTORS) - 1)]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        disc = QPainterPath()
        disc.addEllipse(ring)
        painter.save()
        painter.setClipPath(disc)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        for layer in self.layers:
            layer.draw_through(painter, self._placement)
        painter.restore()
        for colour, width in zip(_RING, (4.0, 1.5), strict=True):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(ring)
        box = QRectF(0, self.height() - 2 * _TEXT_HIGH_PX, self.width(), _TEXT_HIGH_PX)
        draw_outlined(painter, box, Qt.AlignmentFlag.AlignHCenter, f"{self._placement.zoom:.3g}×")
