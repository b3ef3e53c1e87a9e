"""A part of a film on another grid of pixels, in stored values: one table then fits any of them."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.display.buffers import Buffers
from xrayview.display.stretch import AHEAD, Affine23, stretched
from xrayview.display.voi import background_mask
from xrayview.domain.radiograph import Greyscale, Pixels

"""(x, y, 1) of a target pixel -> (x, y) in the source; pixel centres are at whole numbers."""

Places = npt.NDArray[np.intp]

_WARPABLE = {"uint8", "uint16", "int16", "float32"}
_REACH = 2
"""Source pixels around a place that its interpolation may look at."""


def resample(
    pixels_HW: Pixels,
    to_source: Affine23,
    size_HW: tuple[int, int],
    greyscale: Greyscale,
    *,
    smooth: bool,
    in_motion: Buffers | None = None,
) -> Pixels:
    """Stored values at `size_HW`, in the same dtype; past the film's edge its last pixels go on.

    Args:
        pixels_HW: a film, or a level of its pyramid.
        to_source: where each target pixel lies in it.
        size_HW: (rows, columns) of the answer.
        greyscale: says which stored values are background.
        smooth: bilinear, but between image and background the nearest pixel as it is, so that
            no value is shown that is a mixture of both; not smooth: the nearest everywhere.
        in_motion: of a film that is being zoomed, which may lie a little beside its place
            (`stretch.OFF_PX`) where that is quicker; the answer may be made in here.
    """
    if abs(to_source[0, 1]) > abs(to_source[0, 0]):
        # A film that lies on its side is read along its rows and turned afterwards: four times
        # as fast, because its columns are far apart in memory.
        swapped = to_source[:, [1, 0, 2]]
        lying = resample(
            pixels_HW, swapped, size_HW[::-1], greyscale, smooth=smooth, in_motion=in_motion
        )
        return np.ascontiguousarray(lying.T)
    quick = in_motion if smooth else None
    ahead = 0 if quick is None else AHEAD
    rows, columns = reached(pixels_HW.shape, to_source, size_HW, ahead)
    part_HW = pixels_HW[rows, columns]
    shifted = to_source.copy()
    shifted[:, 2] -= (columns.start, rows.start)
    shown_HW = _warp(part_HW, shifted, size_HW, smooth=smooth, in_motion=quick)
    background = background_mask(part_HW, greyscale) if smooth else None
    if background is not None and background.any():
        shares = background.view(np.uint8) * np.uint8(255)
        share = _warp(shares, shifted, size_HW, smooth=True, in_motion=quick and Buffers())
        mixed = cv2.findNonZero(cv2.inRange(share, 1, 254))  # much faster than numpy.nonzero
        if mixed is not None:
            columns_N, rows_N = np.asarray(mixed, dtype=np.intp).reshape(-1, 2).T
            shown_HW[rows_N, columns_N] = _nearest(part_HW, shifted, rows_N, columns_N)
    return shown_HW


def _nearest(pixels_HW: Pixels, to_source: Affine23, rows_N: Places, columns_N: Places) -> Pixels:
    """The pixel nearest to each of a few target pixels."""
    x_N, y_N = np.rint(to_source @ np.stack([columns_N, rows_N, np.ones_like(rows_N)])).astype(int)
    last_row, last_column = (side - 1 for side in pixels_HW.shape)
    found_N: Pixels = pixels_HW[y_N.clip(0, last_row), x_N.clip(0, last_column)]
    return found_N


def reached(
    shape: tuple[int, ...], to_source: Affine23, size_HW: tuple[int, int], ahead: int = 0
) -> tuple[slice, slice]:
    """The rows and columns that a target of `size_HW` can see; at least one of each.

    With `ahead` also those of so many target pixels around it. OpenCV warps no side past 32,767
    pixels, so a source is cut to this part first.
    """
    rows, columns = size_HW
    across, down = (-ahead, columns - 1 + ahead), (-ahead, rows - 1 + ahead)
    corners = np.array([[*across, *across], [down[0]] * 2 + [down[1]] * 2, [1] * 4])
    x, y = to_source @ corners
    return _clipped(y, shape[0]), _clipped(x, shape[1])


def _clipped(places: npt.NDArray[np.float64], length: int) -> slice:
    start = min(max(0, math.floor(places.min()) - _REACH), length - 1)
    return slice(start, max(start + 1, min(length, math.ceil(places.max()) + _REACH + 1)))


def _warp(
    pixels_HW: Pixels,
    to_source: Affine23,
    size_HW: tuple[int, int],
    *,
    smooth: bool,
    in_motion: Buffers | None,
) -> Pixels:
    known = pixels_HW.dtype.name in _WARPABLE
    if in_motion is not None and known:
        near = stretched(pixels_HW, to_source, size_HW, in_motion)
        if near is not None:
            return near
    flags = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    warped: Pixels = cv2.warpAffine(
        pixels_HW if known else pixels_HW.astype(np.float64),
        to_source,
        size_HW[::-1],
        flags=flags | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _as(warped, pixels_HW.dtype)


def _as(values: Pixels, dtype: np.dtype[np.generic]) -> Pixels:
    if values.dtype == dtype:
        return values
    return (np.rint(values) if dtype.kind in "iu" else values).astype(dtype)
