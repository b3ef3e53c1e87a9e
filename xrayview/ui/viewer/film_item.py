"""The film as a graphics item: what the viewport sees of it, pixel by pixel, through one table."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRect, QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from xrayview.display.greyscale import DisplayLut, apply_lut
from xrayview.display.pyramid import Pyramid
from xrayview.display.resample import Affine23, resample
from xrayview.domain.radiograph import Pixels
from xrayview.ui.viewer.placement import Placement

Bgra = npt.NDArray[np.uint8]

NEAREST_ABOVE = 4.0
"""Screen pixels per film pixel past which the film's own pixels are shown as squares."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """Stored values on the viewport's own pixels, and where the first of them lies there."""

    stored_HW: Pixels
    corner: QPoint


class FilmItem(QGraphicsItem):
    """Draws a film over its own rectangle, (0, 0) to (columns, rows) in item coordinates.

    What the viewport sees is resampled once for each placement, in stored values; another window
    then costs one table look-up of as many pixels as are seen, and Qt copies without scaling.
    """

    def __init__(self) -> None:
        super().__init__()
        self.size = QSize()
        self._pyramid: Pyramid | None = None
        self._lut: DisplayLut | None = None
        self._placement = Placement(QSize(), QSize())
        self._ratio = 1.0
        self._seen: _Seen | None = None
        self._picture: tuple[QImage, Bgra] | None = None
        self.setVisible(False)

    def set_film(self, pyramid: Pyramid, lut: DisplayLut) -> None:
        self.prepareGeometryChange()
        rows, columns = pyramid.levels[0].pixels_HW.shape
        self.size = QSize(columns, rows)
        self._pyramid = pyramid
        self._seen = None
        self.set_lut(lut)
        self.setVisible(True)

    def set_lut(self, lut: DisplayLut) -> None:
        self._lut = lut
        self._picture = None
        self.update()

    def lay(self, placement: Placement, ratio: float) -> None:
        """Lie so in the viewport; `ratio` is its physical pixels per logical pixel."""
        self._placement, self._ratio = placement, ratio
        self._seen = self._picture = None
        self.setTransform(placement.to_view() * QTransform.fromScale(1 / ratio, 1 / ratio))
        self.update()

    def clear(self) -> None:
        """Show nothing and let the pixels go."""
        self._pyramid = self._lut = self._seen = self._picture = None
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
        if self._seen is None:
            self._seen = _seen(self._pyramid, self._placement, self._lut)
        if self._seen is None:
            return
        if self._picture is None:
            self._picture = _picture(self._seen.stored_HW, self._lut)
        painter.setWorldTransform(QTransform.fromScale(1 / self._ratio, 1 / self._ratio))
        painter.drawImage(self._seen.corner, self._picture[0])


def _seen(pyramid: Pyramid, placement: Placement, lut: DisplayLut) -> _Seen | None:
    """The part of the film inside the viewport, None when there is none."""
    film = placement.to_view().mapRect(placement.film_rect())
    box = _whole_pixels(film) & QRect(QPoint(), placement.view)
    if box.isEmpty():
        return None
    zoom = placement.zoom
    level = pyramid.level_for(zoom).pixels_HW
    size_HW = box.height(), box.width()
    # One to one there is nothing to interpolate.
    smooth = zoom <= NEAREST_ABOVE and not math.isclose(zoom, 1.0, rel_tol=1e-6)
    to_level = _to_level(placement, box.topLeft(), level.shape)
    return _Seen(resample(level, to_level, size_HW, lut.greyscale, smooth=smooth), box.topLeft())


def _whole_pixels(film: QRectF) -> QRect:
    """The screen pixels whose centres lie on the film; at least one, however small it is."""
    left, top = math.ceil(film.left() - 0.5), math.ceil(film.top() - 0.5)
    right, bottom = math.ceil(film.right() - 0.5), math.ceil(film.bottom() - 0.5)
    return QRect(left, top, max(1, right - left), max(1, bottom - top))


def _to_level(placement: Placement, corner: QPoint, shape: tuple[int, ...]) -> Affine23:
    """Pixels counted from `corner` of the viewport -> pixels of a level of `shape`.

    Qt counts from the corner of a pixel, the resampling from its centre.
    """
    film, (rows, columns) = placement.film, shape
    to_film = placement.to_view().inverted()[0]
    t = (
        QTransform.fromTranslate(corner.x() + 0.5, corner.y() + 0.5)
        * to_film
        * QTransform.fromScale(columns / film.width(), rows / film.height())
        * QTransform.fromTranslate(-0.5, -0.5)
    )
    return np.array([[t.m11(), t.m21(), t.dx()], [t.m12(), t.m22(), t.dy()]])


def _picture(stored_HW: Pixels, lut: DisplayLut) -> tuple[QImage, Bgra]:
    """The image, with the array that it does not own."""
    # The screen's own format: Qt then only copies.
    grey_HW = apply_lut(stored_HW, lut)
    bgra_HW4: Bgra = np.asarray(cv2.cvtColor(grey_HW, cv2.COLOR_GRAY2BGRA), dtype=np.uint8)
    rows, columns = stored_HW.shape
    stride = bgra_HW4.strides[0]
    return QImage(bgra_HW4.data, columns, rows, stride, QImage.Format.Format_RGB32), bgra_HW4
