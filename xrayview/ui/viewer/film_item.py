"""The film as a graphics item: resampled to the viewport's pixels, displayed through one LUT."""

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
"""Screen pixels per film pixel above which the film's own pixels are shown as squares."""


@dataclass(frozen=True, eq=False)
class _ViewSample:
    """The visible part of a film: stored values and shutter mask on the viewport's own pixels."""

    stored_HW: Pixels
    shutter_mask: SampledShutterMask | None
    box: QRect
    placement: Placement
    in_motion: bool = False


class _PictureBuffers:
    """Memory that successive pictures are drawn into."""

    def __init__(self) -> None:
        self.grey, self.bgra = Buffers(), Buffers()


class FilmItem(QGraphicsItem):
    """Draws a film over its own rectangle, (0, 0) to (columns, rows) in item coordinates.

    The visible part is resampled once for each placement, in stored values. A change of the window
    then costs one table look-up of the visible pixels, and Qt copies without scaling. A film that
    is only moved is resampled where it comes into view; a film in motion is resampled quickly, and
    exactly once the motion ends. Shutter and overlays of the file are drawn on the same pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.size = QSize()
        self.overlays = True
        """Draw the overlay planes of the file."""
        self.shutter = True
        """Apply the shutter of the file."""
        self._shutter_mask: ShutterMask | None = None
        self._pyramid: Pyramid | None = None
        self._lut: DisplayLut | None = None
        self._placement = Placement(QSize(), QSize())
        self._ratio = 1.0
        self._in_motion = False
        self._sample: _ViewSample | None = None
        self._picture: tuple[QImage, Bgra] | None = None
        self._buffers, self._motion_buffers = _PictureBuffers(), Buffers()
        self.setVisible(False)

    def set_film(
        self, pyramid: Pyramid, lut: DisplayLut, shutter_mask: ShutterMask | None = None
    ) -> None:
        self.prepareGeometryChange()
        self._shutter_mask = shutter_mask
        rows, columns = pyramid.levels[0].pixels_HW.shape
        self.size = QSize(columns, rows)
        self._pyramid = pyramid
        self._sample = None
        self.set_lut(lut)
        self.setVisible(True)

    @property
    def lut(self) -> DisplayLut | None:
        """The LUT that displays the film; None without a film."""
        return self._lut

    def set_lut(self, lut: DisplayLut) -> None:
        self._lut = lut
        self._picture = None
        self.update()

    def set_layers(self, *, overlays: bool, shutter: bool) -> None:
        """Show or hide the overlays and the shutter of this and of later films."""
        self.overlays, self.shutter = overlays, shutter
        self._sample = self._picture = None
        self.update()

    def set_placement(self, placement: Placement, ratio: float, *, in_motion: bool = False) -> None:
        """Place the film in the viewport; `ratio` is its physical pixels per logical pixel.

        `in_motion` means that another placement or a call of `end_motion` follows.
        """
        self._placement, self._ratio, self._in_motion = placement, ratio, in_motion
        self._picture = None
        self.setTransform(placement.to_view() * QTransform.fromScale(1 / ratio, 1 / ratio))
        self.update()

    def end_motion(self) -> None:
        """Draw the film at its exact position once a motion is over."""
        self._in_motion = False
        if self._sample is not None and self._sample.in_motion:
            self._sample = self._picture = None
            self._motion_buffers.release()
            self.update()

    def clear(self) -> None:
        """Show nothing and release the pixels."""
        self._pyramid = self._lut = self._shutter_mask = self._sample = self._picture = None
        self._buffers, self._motion_buffers = _PictureBuffers(), Buffers()
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
        sample = self._sample
        if sample is None or sample.placement != self._placement:
            before = None if sample is None or sample.in_motion else sample
            self._sample = self._sample_view(
                self._placement,
                self._pyramid,
                self._lut,
                before,
                in_motion=self._motion_buffers if self._in_motion else None,
            )
        if self._sample is None:
            return
        if self._picture is None:
            self._picture = _picture(self._sample, self._lut, self._buffers)
        painter.setWorldTransform(QTransform.fromScale(1 / self._ratio, 1 / self._ratio))
        painter.drawImage(self._sample.box.topLeft(), self._picture[0])

    def draw_through(self, painter: QPainter, placement: Placement) -> None:
        """Draw the film in another placement, on the physical pixels of its view."""
        if self._pyramid is None or self._lut is None:
            return
        sample = self._sample_view(placement, self._pyramid, self._lut)
        if sample is not None:
            image, _pixels = _picture(sample, self._lut, _PictureBuffers())
            painter.drawImage(sample.box.topLeft(), image)

    def _sample_view(
        self,
        placement: Placement,
        pyramid: Pyramid,
        lut: DisplayLut,
        before: _ViewSample | None = None,
        *,
        in_motion: Buffers | None = None,
    ) -> _ViewSample | None:
        """Sample the part of the film inside the view of a placement; None where there is none."""
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

        reusable = QRect() if before is None else _reusable_box(before, placement) & box
        if before is None or reusable.isEmpty():
            stored_HW = part(box)
        else:
            stored_HW = np.empty(_shape(box), before.stored_HW.dtype)
            shift = _shift(before.placement, placement)
            stored_HW[_within(box, reusable)] = before.stored_HW[
                _within(before.box, reusable.translated(-shift))
            ]
            for strip in QRegion(box).subtracted(QRegion(reusable)):  # type: ignore[attr-defined]
                stored_HW[_within(box, strip)] = part(strip)
        shutter_mask = self._shutter_mask_on(placement, box)
        return _ViewSample(stored_HW, shutter_mask, box, placement, in_motion is not None)

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
    """Return the rows and columns of `part` in an array of the pixels of `box`."""
    top, left = part.y() - box.y(), part.x() - box.x()
    return slice(top, top + part.height()), slice(left, left + part.width())


def _reusable_box(sample: _ViewSample, placement: Placement) -> QRect:
    """Return where the pixels of `sample` lie in `placement`; empty unless only moved."""
    if replace(sample.placement, center=placement.center) != placement:
        return QRect()
    return sample.box.translated(_shift(sample.placement, placement))


def _shift(before: Placement, after: Placement) -> QPoint:
    """Return how far a film moved; placements shift by whole pixels."""
    old, new = before.to_view(), after.to_view()
    return QPoint(round(new.dx() - old.dx()), round(new.dy() - old.dy()))


def is_smooth(placement: Placement) -> bool:
    """Return whether to interpolate: not at native size, nor where pixels are shown as squares."""
    return placement.zoom <= NEAREST_ABOVE and not placement.is_native


def _whole_pixels(film: QRectF) -> QRect:
    """Return the screen pixels whose centres lie on the film; at least one, however small it is."""
    left, top = math.ceil(film.left() - 0.5), math.ceil(film.top() - 0.5)
    right, bottom = math.ceil(film.right() - 0.5), math.ceil(film.bottom() - 0.5)
    return QRect(left, top, max(1, right - left), max(1, bottom - top))


def to_pixels_of(shape: tuple[int, ...], placement: Placement, corner: QPoint) -> Affine23:
    """Map pixels counted from `corner` of the viewport to pixels of a level of `shape`.

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


def _picture(sample: _ViewSample, lut: DisplayLut, buffers: _PictureBuffers) -> tuple[QImage, Bgra]:
    """Return the image and its array, which are valid until `buffers` is used again."""
    rows, columns = sample.stored_HW.shape
    grey_HW = apply_lut(sample.stored_HW, lut, buffers.grey.array((rows, columns), np.uint8))
    if sample.shutter_mask is not None:
        sample.shutter_mask.apply_to(grey_HW)
    # The screen's own format: Qt then only copies.
    bgra_HW4 = buffers.bgra.array((rows, columns, 4), np.uint8)
    cv2.cvtColor(grey_HW, cv2.COLOR_GRAY2BGRA, bgra_HW4)
    stride = bgra_HW4.strides[0]
    return QImage(bgra_HW4.data, columns, rows, stride, QImage.Format.Format_RGB32), bgra_HW4
