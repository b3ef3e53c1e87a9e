"""The film as a graphics item: what the viewport sees of it, pixel by pixel, through one table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRect, QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QRegion, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from xrayview.display.buffers import Buffers
from xrayview.display.greyscale import DisplayLut, apply_lut
from xrayview.display.pyramid import Pyramid
from xrayview.display.resample import resample
from xrayview.display.shutter_mask import SampledShutterMask, ShutterMask, sample_shutter_mask
from xrayview.display.stretch import Affine23
from xrayview.domain.radiograph import Pixels
from xrayview.ui.viewer.placement import Placement

Bgra = npt.NDArray[np.uint8]

NEAREST_ABOVE = 4.0
"""Screen pixels per film pixel past which the film's own pixels are shown as squares."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """Stored values on the viewport's own pixels, what covers them, and where they lie."""

    stored_HW: Pixels
    shutter_mask: SampledShutterMask | None
    box: QRect
    placement: Placement
    in_motion: bool = False


class _Paper:
    """What one picture after the other is drawn on."""

    def __init__(self) -> None:
        self.grey, self.bgra = Buffers(), Buffers()


class FilmItem(QGraphicsItem):
    """Draws a film over its own rectangle, (0, 0) to (columns, rows) in item coordinates.

    What the viewport sees is resampled once for each placement, in stored values; another window
    then costs one table look-up of as many pixels as are seen, and Qt copies without scaling. A
    film that is only moved is resampled where it comes into view; one in motion quickly, and once
    more when it rests. The shutter and the graphics of the file are laid over it, on the same
    pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.size = QSize()
        self.overlays = True
        """Draw the overlay planes of the file."""
        self.shutter = True
        """Hide what the shutter of the file hides."""
        self._shutter_mask: ShutterMask | None = None
        self._pyramid: Pyramid | None = None
        self._lut: DisplayLut | None = None
        self._placement = Placement(QSize(), QSize())
        self._ratio = 1.0
        self._in_motion = False
        self._seen: _Seen | None = None
        self._picture: tuple[QImage, Bgra] | None = None
        self._paper, self._motion = _Paper(), Buffers()
        self.setVisible(False)

    def set_film(
        self, pyramid: Pyramid, lut: DisplayLut, shutter_mask: ShutterMask | None = None
    ) -> None:
        self.prepareGeometryChange()
        self._shutter_mask = shutter_mask
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

    def set_layers(self, *, overlays: bool, shutter: bool) -> None:
        """Draw the file's graphics and shutter, or leave them out; for later films too."""
        self.overlays, self.shutter = overlays, shutter
        self._seen = self._picture = None
        self.update()

    def lay(self, placement: Placement, ratio: float, *, in_motion: bool = False) -> None:
        """Lie so in the viewport; `ratio` is its physical pixels per logical pixel.

        In motion it will lie otherwise with the next frame, or `rest` will be called.
        """
        self._placement, self._ratio, self._in_motion = placement, ratio, in_motion
        self._picture = None
        self.setTransform(placement.to_view() * QTransform.fromScale(1 / ratio, 1 / ratio))
        self.update()

    def rest(self) -> None:
        """The motion is over: draw the film at its very place."""
        self._in_motion = False
        if self._seen is not None and self._seen.in_motion:
            self._seen = self._picture = None
            self._motion.release()
            self.update()

    def clear(self) -> None:
        """Show nothing and let the pixels go."""
        self._pyramid = self._lut = self._shutter_mask = self._seen = self._picture = None
        self._paper, self._motion = _Paper(), Buffers()
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
        seen = self._seen
        if seen is None or seen.placement != self._placement:
            before = None if seen is None or seen.in_motion else seen
            self._seen = self._look(
                self._placement,
                self._pyramid,
                self._lut,
                before,
                in_motion=self._motion if self._in_motion else None,
            )
        if self._seen is None:
            return
        if self._picture is None:
            self._picture = _picture(self._seen, self._lut, self._paper)
        painter.setWorldTransform(QTransform.fromScale(1 / self._ratio, 1 / self._ratio))
        painter.drawImage(self._seen.box.topLeft(), self._picture[0])

    def draw_through(self, painter: QPainter, placement: Placement) -> None:
        """Draw the film as it lies in another placement, on the physical pixels of its view."""
        if self._pyramid is None or self._lut is None:
            return
        seen = self._look(placement, self._pyramid, self._lut)
        if seen is not None:
            painter.drawImage(seen.box.topLeft(), _picture(seen, self._lut, _Paper())[0])

    def _look(
        self,
        placement: Placement,
        pyramid: Pyramid,
        lut: DisplayLut,
        before: _Seen | None = None,
        *,
        in_motion: Buffers | None = None,
    ) -> _Seen | None:
        """The part of the film inside the view of a placement, None when there is none."""
        film = placement.to_view().mapRect(placement.film_rect())
        box = _whole_pixels(film) & QRect(QPoint(), placement.view)
        if box.isEmpty():
            return None

        def part(target: QRect) -> Pixels:
            level_HW = pyramid.level_for(placement.zoom * max(placement.stretch)).pixels_HW
            to_level = to_pixels_of(level_HW.shape, placement, target.topLeft())
            return resample(
                level_HW,
                to_level,
                _shape(target),
                lut.greyscale,
                smooth=is_smooth(placement),
                in_motion=in_motion,
            )

        kept = QRect() if before is None else _kept(before, placement) & box
        if before is None or kept.isEmpty():
            stored_HW = part(box)
        else:
            stored_HW = np.empty(_shape(box), before.stored_HW.dtype)
            shift = _shift(before.placement, placement)
            stored_HW[_within(box, kept)] = before.stored_HW[
                _within(before.box, kept.translated(-shift))
            ]
            for strip in QRegion(box).subtracted(QRegion(kept)):  # type: ignore[attr-defined]
                stored_HW[_within(box, strip)] = part(strip)
        shutter_mask = self._shutter_mask_on(placement, box)
        return _Seen(stored_HW, shutter_mask, box, placement, in_motion is not None)

    def _shutter_mask_on(self, placement: Placement, box: QRect) -> SampledShutterMask | None:
        if self._shutter_mask is None:
            return None
        film_HW = (self.size.height(), self.size.width())
        to_film = to_pixels_of(film_HW, placement, box.topLeft())
        return sample_shutter_mask(
            self._shutter_mask, to_film, _shape(box), overlays=self.overlays, shutter=self.shutter
        )


def _shape(box: QRect) -> tuple[int, int]:
    return box.height(), box.width()


def _within(box: QRect, part: QRect) -> tuple[slice, slice]:
    """The rows and columns of `part` in an array of the pixels of `box`."""
    top, left = part.y() - box.y(), part.x() - box.x()
    return slice(top, top + part.height()), slice(left, left + part.width())


def _kept(seen: _Seen, placement: Placement) -> QRect:
    """Where in `placement` the pixels of `seen` lie; empty unless the film was only moved."""
    if replace(seen.placement, center=placement.center) != placement:
        return QRect()
    return seen.box.translated(_shift(seen.placement, placement))


def _shift(before: Placement, after: Placement) -> QPoint:
    """By how much a film moved; placements shift by whole pixels."""
    old, new = before.to_view(), after.to_view()
    return QPoint(round(new.dx() - old.dx()), round(new.dy() - old.dy()))


def is_smooth(placement: Placement) -> bool:
    """Interpolate, as far as there is anything between pixels and they are not to be seen."""
    return placement.zoom <= NEAREST_ABOVE and not placement.is_native


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


def _picture(seen: _Seen, lut: DisplayLut, paper: _Paper) -> tuple[QImage, Bgra]:
    """The image, with the array that it does not own; it lasts until the paper's next one."""
    rows, columns = seen.stored_HW.shape
    grey_HW = apply_lut(seen.stored_HW, lut, paper.grey.array((rows, columns), np.uint8))
    if seen.shutter_mask is not None:
        seen.shutter_mask.apply_to(grey_HW)
    # The screen's own format: Qt then only copies.
    bgra_HW4 = paper.bgra.array((rows, columns, 4), np.uint8)
    cv2.cvtColor(grey_HW, cv2.COLOR_GRAY2BGRA, bgra_HW4)
    stride = bgra_HW4.strides[0]
    return QImage(bgra_HW4.data, columns, rows, stride, QImage.Format.Format_RGB32), bgra_HW4
