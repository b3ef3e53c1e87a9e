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

from xrayview.display.cover import Cover, LaidCover, lay_cover
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
    """Stored values on the viewport's own pixels, what covers them, and where the first lies."""

    stored_HW: Pixels
    cover: LaidCover | None
    corner: QPoint


class FilmItem(QGraphicsItem):
    """Draws a film over its own rectangle, (0, 0) to (columns, rows) in item coordinates.

    What the viewport sees is resampled once for each placement, in stored values; another window
    then costs one table look-up of as many pixels as are seen, and Qt copies without scaling. The
    shutter and the graphics of the file are laid over it, on the same pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.size = QSize()
        self.overlays = True
        """Draw the overlay planes of the file."""
        self.shutter = True
        """Hide what the shutter of the file hides."""
        self._cover: Cover | None = None
        self._pyramid: Pyramid | None = None
        self._lut: DisplayLut | None = None
        self._placement = Placement(QSize(), QSize())
        self._ratio = 1.0
        self._seen: _Seen | None = None
        self._picture: tuple[QImage, Bgra] | None = None
        self.setVisible(False)

    def set_film(self, pyramid: Pyramid, lut: DisplayLut, cover: Cover | None = None) -> None:
        self.prepareGeometryChange()
        self._cover = cover
        rows, columns = pyramid.levels[0].pixels_HW.shape
        self.size = QSize(columns, rows)
        self._pyramid = pyramid
        self._seen = None
        self.set_lut(lut)
        self.setVisible(True)

    @property
    def lut(self) -> DisplayLut | None:
        """What the film is shown through now; None without one."""
        return self._lut

    def set_lut(self, lut: DisplayLut) -> None:
        self._lut = lut
        self._picture = None
        self.update()

    def show_cover(self, *, overlays: bool, shutter: bool) -> None:
        """Draw the file's graphics and shutter, or leave them out; for later films too."""
        self.overlays, self.shutter = overlays, shutter
        self._seen = self._picture = None
        self.update()

    def lay(self, placement: Placement, ratio: float) -> None:
        """Lie so in the viewport; `ratio` is its physical pixels per logical pixel."""
        self._placement, self._ratio = placement, ratio
        self._seen = self._picture = None
        self.setTransform(placement.to_view() * QTransform.fromScale(1 / ratio, 1 / ratio))
        self.update()

    def clear(self) -> None:
        """Show nothing and let the pixels go."""
        self._pyramid = self._lut = self._cover = self._seen = self._picture = None
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
            self._seen = self._look(self._placement, self._pyramid, self._lut)
        if self._seen is None:
            return
        if self._picture is None:
            self._picture = _picture(self._seen, self._lut)
        painter.setWorldTransform(QTransform.fromScale(1 / self._ratio, 1 / self._ratio))
        painter.drawImage(self._seen.corner, self._picture[0])

    def draw_through(self, painter: QPainter, placement: Placement) -> None:
        """Draw the film as it lies in another placement, on the physical pixels of its view."""
        if self._pyramid is None or self._lut is None:
            return
        seen = self._look(placement, self._pyramid, self._lut)
        if seen is not None:
            painter.drawImage(seen.corner, _picture(seen, self._lut)[0])

    def _look(self, placement: Placement, pyramid: Pyramid, lut: DisplayLut) -> _Seen | None:
        """The part of the film inside the view of a placement, None when there is none."""
        film = placement.to_view().mapRect(placement.film_rect())
        box = _whole_pixels(film) & QRect(QPoint(), placement.view)
        if box.isEmpty():
            return None
        size_HW, corner = (box.height(), box.width()), box.topLeft()
        level_HW = pyramid.level_for(placement.zoom).pixels_HW
        smooth = is_smooth(placement.zoom)
        to_level = to_pixels_of(level_HW.shape, placement, corner)
        stored_HW = resample(level_HW, to_level, size_HW, lut.greyscale, smooth=smooth)
        return _Seen(stored_HW, self._cover_on(placement, corner, size_HW), corner)

    def _cover_on(
        self, placement: Placement, corner: QPoint, size_HW: tuple[int, int]
    ) -> LaidCover | None:
        if self._cover is None:
            return None
        to_film = to_pixels_of((self.size.height(), self.size.width()), placement, corner)
        return lay_cover(
            self._cover, to_film, size_HW, overlays=self.overlays, shutter=self.shutter
        )


def is_smooth(zoom: float) -> bool:
    """Interpolate at this zoom; one to one there is nothing to interpolate."""
    return zoom <= NEAREST_ABOVE and not math.isclose(zoom, 1.0, rel_tol=1e-6)


def _whole_pixels(film: QRectF) -> QRect:
    """The screen pixels whose centres lie on the film; at least one, however small it is."""
    left, top = math.ceil(film.left() - 0.5), math.ceil(film.top() - 0.5)
    right, bottom = math.ceil(film.right() - 0.5), math.ceil(film.bottom() - 0.5)
    return QRect(left, top, max(1, right - left), max(1, bottom - top))


def to_pixels_of(shape: tuple[int, ...], placement: Placement, corner: QPoint) -> Affine23:
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


def _picture(seen: _Seen, lut: DisplayLut) -> tuple[QImage, Bgra]:
    """The image, with the array that it does not own."""
    grey_HW = apply_lut(seen.stored_HW, lut)
    if seen.cover is not None:
        seen.cover.over(grey_HW)
    # The screen's own format: Qt then only copies.
    bgra_HW4: Bgra = np.asarray(cv2.cvtColor(grey_HW, cv2.COLOR_GRAY2BGRA), dtype=np.uint8)
    rows, columns = grey_HW.shape
    stride = bgra_HW4.strides[0]
    return QImage(bgra_HW4.data, columns, rows, stride, QImage.Format.Format_RGB32), bgra_HW4
