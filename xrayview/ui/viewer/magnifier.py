"""The magnifier: a round, enlarged part of the film around the pointer."""

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
"""Diameter in logical pixels."""
FACTORS = (2, 3, 4)
"""Screen pixels per film pixel, times the zoom where the film itself is enlarged; the wheel steps
through them."""
_RING = QColor(0, 0, 0, 200), QColor(241, 241, 241, 220)
_TEXT_HIGH_PX = 16


class Layer(Protocol):
    """A layer that is magnified with the film."""

    def draw_through(self, painter: QPainter, placement: Placement) -> None:
        """Draw the layer in another placement of the film, on the physical pixels of its view."""


class Magnifier(QWidget):
    """Shows the film in its window, flipped and turned as in the viewport.

    The heat map is magnified with it, so that a colour can be located on the film.
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
        """The film's placement in the magnifier, in physical pixels of the magnifier."""
        return self._placement

    def show_at(self, position: QPointF, placement: Placement) -> None:
        """Magnify the film under `position` (logical pixels of the viewport) in `placement`."""
        ratio = self.devicePixelRatioF()
        zoom = self.factor * max(1.0, placement.zoom)
        self._placement = replace(
            placement,
            view=QSize(round(ACROSS_PX * ratio), round(ACROSS_PX * ratio)),
            zoom=min(zoom, ZOOM_LIMITS[1]),
            center=placement.to_film(position * ratio),
        )
        self.move((position - QPointF(ACROSS_PX / 2, ACROSS_PX / 2)).toPoint())
        self.show()
        self.raise_()
        self.update()

    def step_factor(self, steps: int) -> None:
        """Switch to a larger or smaller factor, up to the last one."""
        index = FACTORS.index(self.factor) + steps
        self.factor = FACTORS[min(max(index, 0), len(FACTORS) - 1)]

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
