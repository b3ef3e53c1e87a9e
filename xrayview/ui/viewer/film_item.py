"""The film as a graphics item: the pyramid level that fits the screen, through one table."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from xrayview.display.greyscale import DisplayLut, Grey, apply_lut
from xrayview.display.pyramid import Level, Pyramid

NEAREST_ABOVE = 4.0
"""Screen pixels per film pixel past which the film's own pixels are shown as squares."""


class FilmItem(QGraphicsItem):
    """Draws a film over its own rectangle, (0, 0) to (columns, rows) in item coordinates.

    Zoom and pan only repaint; a new table or another level is looked up once, when it is painted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.size = QSize()
        self._pyramid: Pyramid | None = None
        self._lut: DisplayLut | None = None
        self._shown: tuple[Level, DisplayLut, Grey, QImage] | None = None
        self.setVisible(False)

    def set_film(self, pyramid: Pyramid, lut: DisplayLut) -> None:
        self.prepareGeometryChange()
        rows, columns = pyramid.levels[0].pixels_HW.shape
        self.size = QSize(columns, rows)
        self._pyramid = pyramid
        self._shown = None
        self.set_lut(lut)
        self.setVisible(True)

    def set_lut(self, lut: DisplayLut) -> None:
        self._lut = lut
        self.update()

    def clear(self) -> None:
        """Show nothing and let the pixels go."""
        self._pyramid = self._lut = self._shown = None
        self.setVisible(False)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self.size.width(), self.size.height())

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,  # noqa: ARG002
        widget: QWidget | None = None,  # noqa: ARG002
    ) -> None:
        if self._pyramid is None or self._lut is None:
            return
        scale = math.sqrt(abs(painter.deviceTransform().determinant()))
        image = self._image(self._pyramid.level_for(scale), self._lut)
        # One to one there is nothing to interpolate, and Qt's interpolation is off by one grey.
        smooth = scale <= NEAREST_ABOVE and not math.isclose(scale, 1.0, rel_tol=1e-6)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(self.boundingRect(), image)

    def _image(self, level: Level, lut: DisplayLut) -> QImage:
        if self._shown is None or self._shown[0] is not level or self._shown[1] is not lut:
            grey_HW = apply_lut(level.pixels_HW, lut)
            rows, columns = grey_HW.shape
            image = QImage(
                grey_HW.data, columns, rows, grey_HW.strides[0], QImage.Format.Format_Grayscale8
            )
            self._shown = level, lut, grey_HW, image  # the image does not own the array
        return self._shown[3]
