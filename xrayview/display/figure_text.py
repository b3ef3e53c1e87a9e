"""Text of figures: width, coverage and line breaks. The only module that knows the font."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

FONT = "sans"
"""Rubik, which OpenCV contains: the same on every machine; Latin, Greek and Cyrillic."""
REGULAR, BOLD = 400, 600
LINE_HEIGHT = 1.4
ASCENT, DESCENT = 1.0, 0.35
"""As shares of the size: no letter reaches further from the baseline."""


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width from the pen's start to the end of the drawn text, in pixels."""
    if not text:
        return 0.0
    box = cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace(FONT), round(size), _weight(bold))
    return float(box[0] + box[2])


def text_mask(text: str, size: float, *, bold: bool = False, margin: int = 0) -> Mask:
    """Return the text as coverage 0..255; the pen starts at (margin, margin + ASCENT * size)."""
    width = int(text_width(text, size, bold=bold)) + 2 * margin + 2
    height = int((ASCENT + DESCENT) * size) + 2 * margin + 1
    mask_HW = np.zeros((height, width), np.uint8)
    pen = margin, margin + round(ASCENT * size)
    cv2.putText(mask_HW, text, pen, (255,), cv2.FontFace(FONT), round(size), _weight(bold))
    return mask_HW


Mask = npt.NDArray[np.uint8]


def _weight(bold: bool) -> int:
    return BOLD if bold else REGULAR


def wrapped(parts: Iterable[str], size: float, room: float, separator: str = " · ") -> list[str]:
    """Join parts to lines that fit; a part that is too long for a line is broken at its words."""
    lines: list[str] = []
    for part in parts:
        longer = separator.join((*lines[-1:], part))
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        elif text_width(part, size) <= room or " " not in part:
            lines.append(part)
        else:
            lines += wrapped(part.split(" "), size, room, " ")
    return lines
