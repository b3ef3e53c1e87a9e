"""The heat map as a graphics item over its film, in film coordinates."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from xrayview.display.overlay import heat_rgba
from xrayview.domain.model import HeatMap
from xrayview.ui.viewer.film_item import FilmItem
from xrayview.ui.viewer.placement import Placement

DEFAULT_OPACITY = 0.6
LONGEST_SIDE = 512
"""Longer side of a map's picture in pixels; maps are smooth, so a large film needs no more."""


class HeatItem(QGraphicsItem):
    """A child of the film's item, so that the map moves and turns with the film."""

    def __init__(self, film: FilmItem) -> None:
        super().__init__(film)
        self._heat: HeatMap | None = None
        self._opacity = DEFAULT_OPACITY
        self._cutoff = 0.0
        self._image: QImage | None = None

    def set_heat(self, heat: HeatMap | None) -> None:
        self.prepareGeometryChange()
        self._heat = heat
        self._invalidate()

    def set_strength(self, opacity: float, cutoff: float) -> None:
        """Set the opacity of the maximum and the value up to which nothing is drawn, both 0..1."""
        self._opacity, self._cutoff = opacity, cutoff
        self._invalidate()

    def boundingRect(self) -> QRectF:
        if self._heat is None:
            return QRectF()
        rows, columns = self._heat.film_size
        return QRectF(0, 0, columns, rows)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,  # noqa: ARG002
        widget: QWidget | None = None,  # noqa: ARG002
    ) -> None:
        self._draw(painter)

    def draw_through(self, painter: QPainter, placement: Placement) -> None:
        """Draw the map in another placement of its film; draws nothing while it is hidden."""
        if not self.isVisible():
            return
        painter.save()
        painter.setTransform(placement.to_view(), combine=True)
        self._draw(painter)
        painter.restore()

    def _draw(self, painter: QPainter) -> None:
        if self._heat is None or not self._heat.has_evidence:
            return
        if self._image is None:
            self._image = _picture(self._heat, self._opacity, self._cutoff)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.boundingRect(), self._image)

    def _invalidate(self) -> None:
        self._image = None
        self.update()


def _picture(heat: HeatMap, opacity: float, cutoff: float) -> QImage:
    rows, columns = heat.film_size
    ratio = min(1.0, LONGEST_SIDE / max(rows, columns))
    size_HW = max(1, round(rows * ratio)), max(1, round(columns * ratio))
    rgba_HW4 = heat_rgba(heat, size_HW, opacity=opacity, cutoff=cutoff)
    image = QImage(
        rgba_HW4.data, size_HW[1], size_HW[0], rgba_HW4.strides[0], QImage.Format.Format_RGBA8888
    )
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)  # copies the pixels
