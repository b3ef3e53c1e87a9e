"""Bilinear interpolation of an upright film in a third of the time of a warp.

OpenCV's resize has one run of columns and rows for the whole picture where a warp looks up four
pixels for each. But it begins at the edge of a source pixel, and a view seldom does: so it begins
some pixels before the view, where an edge of both is all but the same.
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
"""By how many pixels, of the source or of the view where those are smaller, the picture may lie
beside its place: as a rule, and where the ratio of the two sizes is such that no edge is nearer."""
AHEAD = 96
"""Target pixels before the view among which an edge is looked for."""

Affine23 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Axis:
    """What is read along one axis, and which of the pixels that come of it are the view's."""

    source: slice
    target: slice
    backwards: bool
    zoom: float


def stretched(
    pixels_HW: Pixels, to_source: Affine23, size_HW: tuple[int, int], scratch: Buffers
) -> Pixels | None:
    """As a bilinear warp, but for OFF_PX; past the film's edge its last pixels go on.

    Args:
        pixels_HW: uint8, uint16, int16 or float32.
        to_source: where each target pixel lies; mirrored or not, neither turned nor sheared.
        size_HW: (rows, columns) of the answer.
        scratch: where the answer is made; it lasts until the next one.

    Returns:
        None where no edge is near enough, or the view goes past the film's.
    """
    (across, _, left), (_, down, top) = to_source
    rows = _axis(down, top, size_HW[0], pixels_HW.shape[0])
    columns = _axis(across, left, size_HW[1], pixels_HW.shape[1])
    if rows is None or columns is None:
        return None
    part_HW = pixels_HW[rows.source, columns.source]
    larger_HW = round(part_HW.shape[0] * rows.zoom), round(part_HW.shape[1] * columns.zoom)
    if larger_HW == part_HW.shape and (rows.zoom, columns.zoom) != (1, 1):
        return None  # of one size both, OpenCV copies instead of scaling
    if 0 in larger_HW:  # a film of less than half a pixel
        return None
    larger = cv2.resize(
        part_HW,
        None,
        scratch.array(larger_HW, part_HW.dtype),
        fx=columns.zoom,
        fy=rows.zoom,
        interpolation=cv2.INTER_LINEAR,
    )
    seen: Pixels = larger[rows.target, columns.target]
    if seen.shape != size_HW:
        return None
    flips = rows.backwards, columns.backwards
    return cv2.flip(seen, _FLIPS[flips]) if any(flips) else seen


_FLIPS = {(True, False): 0, (False, True): 1, (True, True): -1}
"""The codes of cv2.flip."""


def _axis(step: float, first: float, count: int, length: int) -> _Axis | None:
    """One axis: target pixel n has its centre at `first + n * step` of the source's centres."""
    backwards = step < 0
    if backwards:
        step, first = -step, first + step * (count - 1)
    edge = first + 0.5 - step / 2  # of the view, counted from the film's edge
    aheads = np.arange(AHEAD + 1)
    edges = edge - step * aheads
    starts = np.rint(edges)
    off = np.abs(edges - starts)
    # Not before the film, and the first pixel of the view lies between two that are read.
    off[(starts < 0) | ((starts > 0) & ((aheads + 0.5) * step < 0.5))] = 1.0
    near = np.flatnonzero(off <= OFF_PX * min(step, 1))
    ahead = int(near[0] if near.size else np.argmin(off))
    if off[ahead] > MOST_OFF_PX * min(step, 1):
        return None
    start = int(starts[ahead])
    stop = min(length, math.ceil(start + (ahead + count) * step) + 1)
    return _Axis(slice(start, stop), slice(ahead, ahead + count), backwards, 1 / step)
