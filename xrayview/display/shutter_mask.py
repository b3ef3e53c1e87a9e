"""The display shutter and the overlay graphics of a film, as a mask over its grey."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.display.greyscale import Grey
from xrayview.display.resample import source_slices
from xrayview.display.shutter import hidden_grey, visible_mask
from xrayview.display.stretch import Affine23
from xrayview.domain.radiograph import OverlayPlane, Radiograph

GRAPHICS_GREY = 255
"""Graphics are drawn white, as in DCMTK."""
IDENTITY_MAP: Affine23 = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""The grid of the film itself."""

_HIDDEN, _GRAPHICS = 1, 2
"""Bits of a mask's codes."""

Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ShutterMask:
    """Shutter and graphics of one film, at its own resolution; independent of the window.

    `codes_HW` holds both as bits, (rows, columns). `levels` is for grids coarser than the film:
    it is halved repeatedly, and each pixel has the bits of all that it covers and of its
    neighbours to the right and below, so that no line is lost between two pixels of the grid.
    """

    codes_HW: Bytes
    levels: tuple[Bytes, ...]
    hidden_grey: int


@dataclass(frozen=True, eq=False)
class SampledShutterMask:
    """A shutter mask on a grid of pixels: the bits of grey to keep, and the bits to set."""

    keep_HW: Bytes
    set_HW: Bytes

    def apply_to(self, grey_HW: Grey) -> None:
        """Draw on a picture of the same size, in place, in two passes over its bytes."""
        cv2.bitwise_and(grey_HW, self.keep_HW, dst=grey_HW)
        cv2.bitwise_or(grey_HW, self.set_HW, dst=grey_HW)


def make_shutter_mask(radiograph: Radiograph) -> ShutterMask | None:
    """Return the mask of a film; None where it has neither a shutter nor graphics.

    Overlay planes that mark a region of interest are not graphics (PS3.3 C.9.2.1.1.1).
    """
    visible = visible_mask(radiograph)
    shutter = radiograph.shutter
    if visible is None and not radiograph.has_graphics:
        return None
    shape = radiograph.pixels_HW.shape
    codes_HW: Bytes = np.zeros(shape, np.uint8)
    if visible is not None:
        codes_HW |= (~visible).view(np.uint8) * np.uint8(_HIDDEN)
    for plane in radiograph.overlays:
        if not plane.is_roi:
            codes_HW |= plane_mask(plane, shape).view(np.uint8) * np.uint8(_GRAPHICS)
    return ShutterMask(
        codes_HW, _halved(codes_HW), hidden_grey(shutter) if shutter is not None else 0
    )


def sample_shutter_mask(
    shutter_mask: ShutterMask,
    to_film: Affine23,
    size_HW: tuple[int, int],
    *,
    overlays: bool = True,
    shutter: bool = True,
) -> SampledShutterMask | None:
    """Sample the mask on a grid over the film or a part of it; None where nothing is to be drawn.

    Args:
        shutter_mask: of the film.
        to_film: maps pixels of the grid to the film, by pixel centres.
        size_HW: (rows, columns) of the grid.
        overlays: draw the graphics.
        shutter: apply the shutter.
    """
    if not (overlays or shutter):
        return None
    codes_HW = _codes_on(shutter_mask, to_film, size_HW)
    keep, put = np.full(256, 255, np.uint8), np.zeros(256, np.uint8)
    for code in range(4):
        if overlays and code & _GRAPHICS:
            put[code] = GRAPHICS_GREY
        elif shutter and code & _HIDDEN:
            keep[code], put[code] = 0, shutter_mask.hidden_grey
    return SampledShutterMask(
        np.asarray(cv2.LUT(codes_HW, keep), np.uint8), np.asarray(cv2.LUT(codes_HW, put), np.uint8)
    )


def plane_mask(plane: OverlayPlane, shape: tuple[int, ...]) -> Mask:
    """Return the plane's bits at their position on a film of `shape`, clipped to the film."""
    mask_HW = np.zeros(shape, np.bool_)
    (row, column), (height, width) = plane.origin, plane.bits_HW.shape
    rows = slice(max(row, 0), max(row + height, 0))
    columns = slice(max(column, 0), max(column + width, 0))
    target = mask_HW[rows, columns]
    top, left = max(-row, 0), max(-column, 0)
    target[...] = plane.bits_HW[top : top + target.shape[0], left : left + target.shape[1]]
    return mask_HW


def _halved(codes_HW: Bytes) -> tuple[Bytes, ...]:
    levels = [codes_HW]
    while max(levels[-1].shape) > 1:
        last = levels[-1]
        even = np.pad(last, [(0, side % 2) for side in last.shape])
        pairs = even[::2] | even[1::2]
        levels.append(pairs[:, ::2] | pairs[:, 1::2])
    return tuple(_spread(level) for level in levels)


def _spread(codes_HW: Bytes) -> Bytes:
    spread_HW = codes_HW.copy()
    spread_HW[:, :-1] |= codes_HW[:, 1:]
    spread_HW[:-1] |= spread_HW[1:].copy()
    return spread_HW


def _codes_on(shutter_mask: ShutterMask, to_film: Affine23, size_HW: tuple[int, int]) -> Bytes:
    """Sample the level that has one to two pixels for each pixel of the grid."""
    film_per_pixel = float(np.hypot(*to_film[:, 0]))
    if film_per_pixel <= 1 + 1e-6:
        return _warped(shutter_mask.codes_HW, to_film, size_HW)
    level = min(int(np.log2(film_per_pixel)), len(shutter_mask.levels) - 1)
    # Pixel n of a level covers film pixels from n * 2**level, whatever the film's size is.
    to_level = to_film.copy()
    to_level[:, 2] += 0.5
    to_level /= 2**level
    to_level[:, 2] -= 1.0  # half to the centre, half to the pixel whose bits include its neighbours
    return _warped(shutter_mask.levels[level], to_level, size_HW)


def _warped(codes_HW: Bytes, to_source: Affine23, size_HW: tuple[int, int]) -> Bytes:
    if codes_HW.shape == size_HW and np.array_equal(to_source, IDENTITY_MAP):
        return codes_HW
    rows, columns = source_slices(codes_HW.shape, to_source, size_HW)
    shifted = to_source.copy()
    shifted[:, 2] -= (columns.start, rows.start)
    warped = cv2.warpAffine(
        codes_HW[rows, columns],
        shifted,
        size_HW[::-1],
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, np.uint8)
