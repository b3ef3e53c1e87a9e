"""Resampling part of a film onto another pixel grid, in stored values, so that one LUT fits all."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.display.buffers import Buffers
from xrayview.display.stretch import AHEAD, Affine23, stretched
from xrayview.display.voi import background_mask
from xrayview.domain.radiograph import Greyscale, Pixels

Indices = npt.NDArray[np.intp]

_WARPABLE = {"uint8", "uint16", "int16", "float32"}
_REACH = 2
"""Source pixels around a position that its interpolation may use."""


def resample(
    pixels_HW: Pixels,
    to_source: Affine23,
    size_HW: tuple[int, int],
    greyscale: Greyscale,
    *,
    smooth: bool,
    in_motion: Buffers | None = None,
) -> Pixels:
    """Resample stored values to `size_HW`, in the same dtype; edge pixels repeat outside the film.

    Args:
        pixels_HW: a film, or a level of its pyramid.
        to_source: maps target pixels to source pixels.
        size_HW: (rows, columns) of the result.
        greyscale: defines which stored values are background.
        smooth: interpolate bilinearly, except between image and background, where the nearest
            pixel is taken so that no value is a mixture of both. If False, nearest everywhere.
        in_motion: for a film that is being zoomed, which may be displaced a little
            (`stretch.OFF_PX`) where that is faster; the result may be written to this memory.
    """
    if abs(to_source[0, 1]) > abs(to_source[0, 0]):
        # A film turned by 90 degrees is read along its rows and turned afterwards: four times
        # as fast, because its columns are far apart in memory.
        swapped = to_source[:, [1, 0, 2]]
        transposed_HW = resample(
            pixels_HW, swapped, size_HW[::-1], greyscale, smooth=smooth, in_motion=in_motion
        )
        return np.ascontiguousarray(transposed_HW.T)
    buffers = in_motion if smooth else None
    margin = 0 if buffers is None else AHEAD
    rows, columns = source_slices(pixels_HW.shape, to_source, size_HW, margin)
    part_HW = pixels_HW[rows, columns]
    shifted = to_source.copy()
    shifted[:, 2] -= (columns.start, rows.start)
    result_HW = _warp(part_HW, shifted, size_HW, smooth=smooth, in_motion=buffers)
    background = background_mask(part_HW, greyscale) if smooth else None
    if background is not None and background.any():
        shares = background.view(np.uint8) * np.uint8(255)
        share = _warp(shares, shifted, size_HW, smooth=True, in_motion=buffers and Buffers())
        mixed = cv2.findNonZero(cv2.inRange(share, 1, 254))  # much faster than numpy.nonzero
        if mixed is not None:
            columns_N, rows_N = np.asarray(mixed, dtype=np.intp).reshape(-1, 2).T
            result_HW[rows_N, columns_N] = _nearest(part_HW, shifted, rows_N, columns_N)
    return result_HW


def _nearest(pixels_HW: Pixels, to_source: Affine23, rows_N: Indices, columns_N: Indices) -> Pixels:
    """Return the source pixel nearest to each of a few target pixels."""
    x_N, y_N = np.rint(to_source @ np.stack([columns_N, rows_N, np.ones_like(rows_N)])).astype(int)
    last_row, last_column = (side - 1 for side in pixels_HW.shape)
    nearest_N: Pixels = pixels_HW[y_N.clip(0, last_row), x_N.clip(0, last_column)]
    return nearest_N


def source_slices(
    shape: tuple[int, ...], to_source: Affine23, size_HW: tuple[int, int], margin: int = 0
) -> tuple[slice, slice]:
    """Return the source rows and columns that a target of `size_HW` needs; at least one of each.

    `margin` adds so many target pixels on each side. OpenCV warps no side longer than 32,767
    pixels, so a source is cut to this part first.
    """
    rows, columns = size_HW
    across, down = (-margin, columns - 1 + margin), (-margin, rows - 1 + margin)
    corners = np.array([[*across, *across], [down[0]] * 2 + [down[1]] * 2, [1] * 4])
    x, y = to_source @ corners
    return _clipped(y, shape[0]), _clipped(x, shape[1])


def _clipped(positions: npt.NDArray[np.float64], length: int) -> slice:
    start = min(max(0, math.floor(positions.min()) - _REACH), length - 1)
    return slice(start, max(start + 1, min(length, math.ceil(positions.max()) + _REACH + 1)))


def _warp(
    pixels_HW: Pixels,
    to_source: Affine23,
    size_HW: tuple[int, int],
    *,
    smooth: bool,
    in_motion: Buffers | None,
) -> Pixels:
    is_warpable = pixels_HW.dtype.name in _WARPABLE
    if in_motion is not None and is_warpable:
        result_HW = stretched(pixels_HW, to_source, size_HW, in_motion)
        if result_HW is not None:
            return result_HW
    flags = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    warped: Pixels = cv2.warpAffine(
        pixels_HW if is_warpable else pixels_HW.astype(np.float64),
        to_source,
        size_HW[::-1],
        flags=flags | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _as_dtype(warped, pixels_HW.dtype)


def _as_dtype(values: Pixels, dtype: np.dtype[np.generic]) -> Pixels:
    if values.dtype == dtype:
        return values
    return (np.rint(values) if dtype.kind in "iu" else values).astype(dtype)
