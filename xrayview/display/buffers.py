"""Memory for pictures that are made again and again.

A picture of a megapixel in newly allocated memory costs as much for its pages as for its pixels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt


class Buffers:
    """Memory of one picture, reused for the next picture."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)

    def array(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an uninitialised array; the content of the previous one is lost."""
        kind: np.dtype[Any] = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        if size > self._memory.size:
            self._memory = np.empty(size, np.uint8)
        return self._memory[:size].view(kind).reshape(shape)

    def release(self) -> None:
        """Free the memory."""
        self._memory = np.empty(0, np.uint8)
