"""Perceptually ordered colour maps for heat maps, as 256 x 3 tables of RGB.

OpenCV's tables are those of matplotlib, by Nathaniel J. Smith, Stefan van der Walt and Eric
Firing (https://bids.github.io/colormap).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def _table(code: int) -> npt.NDArray[np.uint8]:
    bgr_256x1x3 = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], code)
    return np.ascontiguousarray(bgr_256x1x3[:, 0, ::-1], np.uint8)


COLOUR_MAPS: dict[str, npt.NDArray[np.uint8]] = {
    "inferno": _table(cv2.COLORMAP_INFERNO),
    "viridis": _table(cv2.COLORMAP_VIRIDIS),
}
"""Name -> uint8 (256, 3), dark to bright: lightness only ever rises."""
