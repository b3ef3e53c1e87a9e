"""The display shutter: the visible part of a film, and the grey of the rest (PS3.3 C.7.6.11)."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.domain.radiograph import Radiograph, Shutter, Spacing

Mask = npt.NDArray[np.bool_]


def visible_mask(radiograph: Radiograph) -> Mask | None:
    """Return True where the film is visible, bool (rows, columns); None where nothing is hidden.

    Several shapes leave only what is inside all of them.
    """
    shutter = radiograph.shutter
    if shutter is None:
        return None
    rows, columns = radiograph.pixels_HW.shape
    visible = np.ones((rows, columns), np.bool_)
    if shutter.rectangle is not None:
        visible &= _inside_rectangle(shutter.rectangle, rows, columns)
    if shutter.circle is not None:
        (row, column), radius = shutter.circle
        visible &= _inside_circle(row, column, radius, radiograph.spacing, rows, columns)
    if shutter.polygon:
        visible &= _inside_polygon(shutter, rows, columns)
    return visible


def hidden_grey(shutter: Shutter) -> int:
    """Return the grey of the hidden part, 0..255; P-values need no grey-scale transformation."""
    return min(max(shutter.presentation_value, 0), 0xFFFF) * 255 // 0xFFFF


def _inside_rectangle(edges: tuple[float, float, float, float], rows: int, columns: int) -> Mask:
    top, bottom, left, right = edges
    y, x = np.ogrid[:rows, :columns]
    return np.asarray((y >= top) & (y <= bottom) & (x >= left) & (x <= right))


def _inside_circle(
    row: float, column: float, radius: float, spacing: Spacing, rows: int, columns: int
) -> Mask:
    # The radius counts pixels along a row (0018,1612); in oblong pixels the circle is an ellipse.
    y, x = np.ogrid[:rows, :columns]
    return np.asarray(((y - row) * spacing.pixel_aspect) ** 2 + (x - column) ** 2 <= radius**2)


def _inside_polygon(shutter: Shutter, rows: int, columns: int) -> Mask:
    corners_XY = np.rint([(column, row) for row, column in shutter.polygon]).astype(np.int32)
    filled = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(filled, [corners_XY], 1)
    return filled.astype(np.bool_)
