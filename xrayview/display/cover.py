"""What lies over the grey of a film: the display shutter, and on it the graphics of its file."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.display.greyscale import Grey
from xrayview.display.resample import Affine23, reached
from xrayview.display.shutter import hidden_grey, visible_mask
from xrayview.domain.radiograph import OverlayPlane, Radiograph

GRAPHICS_GREY = 255
"""Graphics are drawn white, as DCMTK does."""
IN_PLACE: Affine23 = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""A grid that is the film's own."""

Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
"""Masks as OpenCV takes them: 0 or 255, (rows, columns)."""


@dataclass(frozen=True, eq=False)
class Cover:
    """Shutter and graphics of one film, on its own pixels; independent of any window.

    `hidden_HW` is 255 where the shutter hides the film, None without a shutter. `graphics` has the
    planes together, once at the film's resolution and then halved again and again; a place of a
    smaller one is 255 where any pixel of it was, so that no line is lost. Empty without graphics.
    """

    hidden_HW: Bytes | None
    hidden_grey: int
    graphics: tuple[Bytes, ...]


@dataclass(frozen=True, eq=False)
class LaidCover:
    """A cover on a grid of pixels: the bits of grey that stay, and the bits that are set."""

    keep_HW: Bytes
    set_HW: Bytes

    def over(self, grey_HW: Grey) -> None:
        """Draw on a picture of the same size, in place; two passes over its bytes."""
        cv2.bitwise_and(grey_HW, self.keep_HW, dst=grey_HW)
        cv2.bitwise_or(grey_HW, self.set_HW, dst=grey_HW)


def make_cover(radiograph: Radiograph) -> Cover | None:
    """What lies over a film; None where nothing does.

    Overlay planes that mark a region of interest are no graphics (PS3.3 C.9.2.1.1.1).
    """
    planes = [plane for plane in radiograph.overlays if not plane.is_roi]
    visible = visible_mask(radiograph)
    if radiograph.shutter is None or visible is None:
        hidden, grey = None, 0
    else:
        hidden, grey = _bytes(~visible), hidden_grey(radiograph.shutter)
    if hidden is None and not planes:
        return None
    graphics = _halved(_drawn(planes, radiograph.pixels_HW.shape)) if planes else ()
    return Cover(hidden, grey, graphics)


def lay_cover(
    cover: Cover,
    to_film: Affine23,
    size_HW: tuple[int, int],
    *,
    overlays: bool = True,
    shutter: bool = True,
) -> LaidCover | None:
    """The cover on a grid that shows the film, or a part of it; None where nothing is to be drawn.

    Args:
        cover: of the film.
        to_film: where each pixel of the grid lies on the film, by pixel centres.
        size_HW: (rows, columns) of the grid.
        overlays: draw the graphics.
        shutter: hide what the shutter hides.
    """
    keep_HW: Bytes = np.full(size_HW, 255, np.uint8)
    set_HW: Bytes = np.zeros(size_HW, np.uint8)
    hidden = cover.hidden_HW if shutter else None
    if hidden is not None:
        hidden_HW = _warped(hidden, to_film, size_HW)
        keep_HW = ~hidden_HW
        set_HW = hidden_HW & np.uint8(cover.hidden_grey)
    if cover.graphics and overlays:
        set_HW |= _graphics_on(cover.graphics, to_film, size_HW)
    elif hidden is None:
        return None
    return LaidCover(keep_HW, set_HW)


def placed(plane: OverlayPlane, shape: tuple[int, ...]) -> Mask:
    """The plane's bits where they lie on a film of `shape`; what lies outside is cut off."""
    mask_HW = np.zeros(shape, np.bool_)
    (row, column), (height, width) = plane.origin, plane.bits_HW.shape
    rows = slice(max(row, 0), max(row + height, 0))
    columns = slice(max(column, 0), max(column + width, 0))
    target = mask_HW[rows, columns]
    top, left = max(-row, 0), max(-column, 0)
    target[...] = plane.bits_HW[top : top + target.shape[0], left : left + target.shape[1]]
    return mask_HW


def _drawn(planes: list[OverlayPlane], shape: tuple[int, ...]) -> Bytes:
    mask_HW = np.zeros(shape, np.bool_)
    for plane in planes:
        mask_HW |= placed(plane, shape)
    return _bytes(mask_HW)


def _bytes(mask_HW: Mask) -> Bytes:
    return mask_HW.view(np.uint8) * np.uint8(255)


def _halved(mask_HW: Bytes) -> tuple[Bytes, ...]:
    levels = [mask_HW]
    while max(levels[-1].shape) > 1:
        last = levels[-1]
        even = np.pad(last, [(0, side % 2) for side in last.shape])
        pairs = even[::2] | even[1::2]
        levels.append(pairs[:, ::2] | pairs[:, 1::2])
    return tuple(levels)


def _graphics_on(levels: tuple[Bytes, ...], to_film: Affine23, size_HW: tuple[int, int]) -> Bytes:
    """From the first level that is no finer than the grid: none of its pixels is jumped over."""
    film_per_pixel = float(np.hypot(*to_film[:, 0]))
    number = min(max(0, int(np.ceil(np.log2(film_per_pixel) - 1e-6))), len(levels) - 1)
    # A level's pixel n covers film pixels n * 2**number and on, whatever the film's side is.
    to_level = to_film.copy()
    to_level[:, 2] += 0.5
    to_level /= 2**number
    to_level[:, 2] -= 0.5
    return _warped(levels[number], to_level, size_HW)


def _warped(mask_HW: Bytes, to_source: Affine23, size_HW: tuple[int, int]) -> Bytes:
    if mask_HW.shape == size_HW and np.array_equal(to_source, IN_PLACE):
        return mask_HW
    rows, columns = reached(mask_HW.shape, to_source, size_HW)
    shifted = to_source.copy()
    shifted[:, 2] -= (columns.start, rows.start)
    warped = cv2.warpAffine(
        mask_HW[rows, columns],
        shifted,
        size_HW[::-1],
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, np.uint8)
