"""Regions of interest: which pixels lie inside, their area and their statistics.

A pixel is inside when its centre is. Corners are (row, column) from 0 at the centre of the first
pixel; a region may reach beyond the film.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from xrayview.display.voi import auto_window, image_values
from xrayview.domain.measurement import Mark, RoiStatistics
from xrayview.domain.radiograph import Point, Radiograph, Window

HISTOGRAM_BINS = 64

Mask = npt.NDArray[np.bool_]
Points = tuple[Point, ...]


def roi_statistics(
    radiograph: Radiograph, kind: Mark, points: Points, bins: int = HISTOGRAM_BINS
) -> RoiStatistics:
    """Return statistics of the modality values inside a region, without padding.

    Args:
        radiograph: the film.
        kind: RECTANGLE, ELLIPSE or POLYGON.
        points: as described in `domain.measurement.POINTS`.
        bins: of the histogram, from the smallest to the largest value.
    """
    window, mask = region_mask(kind, points, radiograph.pixels_HW.shape)
    stored = radiograph.pixels_HW[window][mask]
    values, counts = image_values(stored, radiograph.greyscale)
    if not values.size:
        empty = np.empty(0)
        return RoiStatistics(0, None, None, None, None, empty.astype(np.intp), empty)
    exact = values.astype(np.float64)
    mean = np.average(exact, weights=counts)
    variance = np.average((exact - mean) ** 2, weights=counts)
    histogram, edges = np.histogram(exact, bins=bins, weights=counts)
    pixels = exact.size if counts is None else int(counts.sum())
    low, high = float(exact.min()), float(exact.max())
    return RoiStatistics(pixels, float(mean), math.sqrt(variance), low, high, histogram, edges)


def region_window(radiograph: Radiograph, points: Points) -> Window | None:
    """Return the automatic window of a rectangle; None where it contains no pixel of the film.

    Args:
        radiograph: the film.
        points: opposite corners.
    """
    inside, _ = region_mask(Mark.RECTANGLE, points, radiograph.pixels_HW.shape)
    part_HW = radiograph.pixels_HW[inside]
    if not image_values(part_HW, radiograph.greyscale)[0].size:
        return None
    # The shutter is in film coordinates, and the user has chosen the region deliberately.
    part = replace(radiograph, pixels_HW=part_HW, shutter=None)
    return replace(auto_window(part), explanation="Region")


def region_mask(
    kind: Mark, points: Points, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], Mask]:
    """Return the part of the film around a region, and a mask of its pixels inside."""
    rows, columns = ([point[axis] for point in points] for axis in (0, 1))
    top, bottom = _span(min(rows), max(rows), shape[0])
    left, right = _span(min(columns), max(columns), shape[1])
    corner = (top, left)
    size = (max(bottom - top, 0), max(right - left, 0))
    mask = _INSIDE[kind](tuple((r - top, c - left) for r, c in points), size)
    return (slice(corner[0], corner[0] + size[0]), slice(corner[1], corner[1] + size[1])), mask


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """Return the range of pixels whose centres may lie between, clipped to the film."""
    return min(max(math.ceil(low), 0), size), max(min(math.floor(high) + 1, size), 0)


def region_area(kind: Mark, points: Points) -> float:
    """Return the area of the shape itself, in square pixels.

    The loops of a polygon that crosses itself count with the sign of their direction.
    """
    if kind is Mark.POLYGON:
        rows, columns = np.array(points).T
        crossed = rows * np.roll(columns, -1) - columns * np.roll(rows, -1)
        return abs(float(crossed.sum())) / 2
    (top, left), (bottom, right) = points
    area = abs((bottom - top) * (right - left))
    return area * math.pi / 4 if kind is Mark.ELLIPSE else area


def _in_rectangle(points: Points, size: tuple[int, int]) -> Mask:
    del points  # the part of the film around a rectangle is the rectangle itself
    return np.ones(size, np.bool_)


def _in_ellipse(points: Points, size: tuple[int, int]) -> Mask:
    (top, left), (bottom, right) = points
    half_height, half_width = abs(bottom - top) / 2, abs(right - left) / 2
    if not (half_height and half_width):
        return np.zeros(size, np.bool_)
    y, x = np.ogrid[: size[0], : size[1]]
    down = (y - (top + bottom) / 2) / half_height
    across = (x - (left + right) / 2) / half_width
    return np.asarray(down**2 + across**2 <= 1.0)


def _in_polygon(points: Points, size: tuple[int, int]) -> Mask:
    """Fill by the even-odd rule: each edge flips all pixels right of where it crosses their row."""
    height, width = size
    flips = np.zeros((height, width + 1), np.bool_)
    for (row, column), (next_row, next_column) in zip(
        points, (*points[1:], points[0]), strict=True
    ):
        first, last = sorted((row, next_row))
        # Half open, so that a corner between two edges counts once.
        rows = np.arange(min(max(math.ceil(first), 0), height), min(math.ceil(last), height))
        if rows.size:
            # A fraction of the edge stays within 0..1 where a slope would overflow.
            along = (rows - row) / (next_row - row)
            crossing = np.ceil(column + along * (next_column - column))
            flips[rows, np.clip(crossing, 0, width).astype(np.intp)] ^= True
    return np.asarray(np.logical_xor.accumulate(flips, axis=1)[:, :width])


_INSIDE: dict[Mark, Callable[[Points, tuple[int, int]], Mask]] = {
    Mark.RECTANGLE: _in_rectangle,
    Mark.ELLIPSE: _in_ellipse,
    Mark.POLYGON: _in_polygon,
}
