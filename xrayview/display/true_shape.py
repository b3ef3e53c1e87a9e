"""Films with oblong pixels in their true shape: the coarser axis is enlarged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.domain.radiograph import Spacing

NEARLY_SQUARE = 0.001
"""Share of a side: three pixels in 3,000 are not worth interpolating all of them."""
MOST_OBLONG = 8.0
"""No detector has more oblong pixels: above it the header is wrong; the film is shown as stored."""


def is_plausible(spacing: Spacing) -> bool:
    """Return False where the pixels are too oblong for a correct header."""
    return max(spacing.pixel_aspect, 1 / spacing.pixel_aspect) <= MOST_OBLONG


def stretch(spacing: Spacing) -> tuple[float, float]:
    """Return the factors that enlarge a film down and across; one of them is 1."""
    aspect = spacing.pixel_aspect
    if not is_plausible(spacing) or abs(aspect - 1) <= NEARLY_SQUARE:
        return 1.0, 1.0
    return max(1.0, aspect), max(1.0, 1 / aspect)


def true_size(size_HW: tuple[int, int], spacing: Spacing) -> tuple[int, int]:
    """Return the (rows, columns) of the film in square pixels, none larger than before."""
    down, across = stretch(spacing)
    return round(size_HW[0] * down), round(size_HW[1] * across)


def squared(spacing: Spacing) -> Spacing:
    """Return the spacing of the film at its true size."""
    down, across = stretch(spacing)
    shape = spacing.pixel_aspect * across / down
    if not spacing.row_mm or not spacing.column_mm:
        return replace(spacing, shape=shape)
    return replace(spacing, row_mm=spacing.row_mm / down, column_mm=spacing.column_mm / across)


def in_square_pixels(
    picture: npt.NDArray[np.unsignedinteger[Any]], spacing: Spacing
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Resize a picture of the whole film, uint8 or uint16 (rows, columns), to its true size.

    Bilinear interpolation never goes beyond its neighbours' values. A picture with square pixels
    is returned unchanged, bit for bit.
    """
    rows, columns = picture.shape[:2]
    size_HW = true_size((rows, columns), spacing)
    if size_HW == (rows, columns):
        return picture
    resized = cv2.resize(picture, size_HW[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, picture.dtype)
