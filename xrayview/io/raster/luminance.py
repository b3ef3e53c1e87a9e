"""Conversion of colour films to grey."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

COLOUR_NOTE = "colour film shown as luminance (Rec. 601)"


def luminance(rgb_HW3: npt.NDArray[Any], bits: int = 32) -> npt.NDArray[Any]:
    """Rec. 601 luma, 0.299 R + 0.587 G + 0.114 B, exact to one step of the sample type.

    Args:
        rgb_HW3: RGB, integers of up to 32 bits or floats.
        bits: depth of 32-bit unsigned samples, of which the upper 16 are used.

    Returns:
        Shape (rows, columns), uint8, uint16 or float32 (float and signed samples). Pixels whose
        channels are equal keep their exact value.

    Source: ITU-R BT.601, the Y of DICOM's YBR_FULL (PS3.3 C.7.6.3.1.2).
    """
    if rgb_HW3.dtype == np.uint32:
        rgb_HW3 = (rgb_HW3 >> max(bits - 16, 0)).astype(np.uint16)
    elif rgb_HW3.dtype.kind in "if":
        rgb_HW3 = rgb_HW3.astype(np.float32, copy=False)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb_HW3), cv2.COLOR_RGB2GRAY))
