"""Memory for pictures that are made again and again.

A picture of a megapixel in new memory costs as much for its pages as for its pixels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt


class Buffers:
    """One picture's memory: the next picture is made where the last one was."""

    def __init__(self) -> None:
        self._held = np.empty(0, np.uint8)

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array of any content; the earlier one's content is lost."""
        kind: np.dtype[Any] = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        if size > self._held.size:
            self._held = np.empty(size, np.uint8)
        return self._held[:size].view(kind).reshape(shape)

    def release(self) -> None:
        """Let the memory go."""
        self._held = np.empty(0, np.uint8)
