"""Bilinear interpolation of an upright film in a third of the time of a warp.

OpenCV's resize computes the weights of rows and columns once for the whole picture, where a warp
looks up four pixels for each. But it starts at the edge of a source pixel, and a view seldom does.
It therefore starts some pixels before the view, where edges of source and target almost coincide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.display.buffers import Buffers
from xrayview.domain.radiograph import Pixels

OFF_PX, MOST_OFF_PX = 1 / 64, 1 / 8
"""Accepted displacement of the picture, in pixels of the source or, where smaller, of the view:
usually, and where the ratio of the two sizes allows no closer edge."""
AHEAD = 96
"""Target pixels before the view that are searched for an edge."""

Affine23 = npt.NDArray[np.float64]
"""(x, y, 1) of a target pixel -> (x, y) in the source; pixel centres are at whole numbers."""


@dataclass(frozen=True)
class _Axis:
    """The source pixels to read along one axis, and which of the resized pixels the view shows."""

    source: slice
    target: slice
    is_reversed: bool
    zoom: float


def stretched(
    pixels_HW: Pixels, to_source: Affine23, size_HW: tuple[int, int], buffers: Buffers
) -> Pixels | None:
    """Resize like a bilinear warp, to within OFF_PX; edge pixels repeat outside the film.

    Args:
        pixels_HW: uint8, uint16, int16 or float32.
        to_source: maps target pixels to the source; may be mirrored, not turned or sheared.
        size_HW: (rows, columns) of the result.
        buffers: memory of the result, which is valid until the next call with the same buffers.

    Returns:
        None where no edge is close enough, or where the view reaches beyond the film's edge.
    """
    (across, _, left), (_, down, top) = to_source
    rows = _axis(down, top, size_HW[0], pixels_HW.shape[0])
    columns = _axis(across, left, size_HW[1], pixels_HW.shape[1])
    if rows is None or columns is None:
        return None
    part_HW = pixels_HW[rows.source, columns.source]
    resized_shape = round(part_HW.shape[0] * rows.zoom), round(part_HW.shape[1] * columns.zoom)
    if resized_shape == part_HW.shape and (rows.zoom, columns.zoom) != (1, 1):
        return None  # OpenCV would copy instead of scaling
    if 0 in resized_shape:  # a film of less than half a pixel
        return None
    resized_HW = cv2.resize(
        part_HW,
        None,
        buffers.array(resized_shape, part_HW.dtype),
        fx=columns.zoom,
        fy=rows.zoom,
        interpolation=cv2.INTER_LINEAR,
    )
    view_HW: Pixels = resized_HW[rows.target, columns.target]
    if view_HW.shape != size_HW:
        return None
    flips = rows.is_reversed, columns.is_reversed
    return cv2.flip(view_HW, _FLIPS[flips]) if any(flips) else view_HW


_FLIPS = {(True, False): 0, (False, True): 1, (True, True): -1}
"""Codes of cv2.flip."""


def _axis(step: float, first: float, count: int, length: int) -> _Axis | None:
    """Plan one axis, on which target pixel n has its source centre at `first + n * step`."""
    is_reversed = step < 0
    if is_reversed:
        step, first = -step, first + step * (count - 1)
    edge = first + 0.5 - step / 2  # of the view, counted from the film's edge
    candidates = np.arange(AHEAD + 1)
    edges = edge - step * candidates
    starts = np.rint(edges)
    off = np.abs(edges - starts)
    # Not before the film; and the view's first pixel must lie between two pixels that are read.
    off[(starts < 0) | ((starts > 0) & ((candidates + 0.5) * step < 0.5))] = 1.0
    close = np.flatnonzero(off <= OFF_PX * min(step, 1))
    ahead = int(close[0] if close.size else np.argmin(off))
    if off[ahead] > MOST_OFF_PX * min(step, 1):
        return None
    start = int(starts[ahead])
    stop = min(length, math.ceil(start + (ahead + count) * step) + 1)
    return _Axis(slice(start, stop), slice(ahead, ahead + count), is_reversed, 1 / step)
