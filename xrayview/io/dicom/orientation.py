"""The anatomical directions of a film's rows and columns."""

from __future__ import annotations

import math

from pydicom.dataset import Dataset

from xrayview.io.dicom.values import numbers, text, texts

_AXES = (("L", "R"), ("P", "A"), ("H", "F"))
"""Direction of increasing and decreasing x, y and z for a biped (PS3.3 C.7.6.2.1.1)."""
_MIN_COSINE = 0.1
"""A tilt of less than six degrees gets no letter."""


def orientation_of(dataset: Dataset) -> tuple[str, str]:
    """The directions of rows and columns as letters, the main one first: `L`, `FA`.

    From PatientOrientation (PS3.3 C.7.6.1.1.1), else from ImageOrientationPatient; two empty
    texts when neither has both directions.
    """
    stated = texts(dataset, "PatientOrientation")
    if len(stated) == 2:
        return stated[0], stated[1]
    cosines = numbers(dataset, "ImageOrientationPatient")
    # Quadrupeds have different letters (PS3.3 C.7.6.1.1.1).
    if len(cosines) != 6 or text(dataset, "AnatomicalOrientationType") == "QUADRUPED":
        return "", ""
    row, column = _letters(cosines[:3]), _letters(cosines[3:])
    return (row, column) if row and column else ("", "")


def _letters(direction: tuple[float, ...]) -> str:
    """The letters of a vector of direction cosines; empty when it is not a unit vector."""
    if not all(map(math.isfinite, direction)) or abs(math.hypot(*direction) - 1) > 0.01:
        return ""
    sides = sorted(zip(direction, _AXES, strict=True), key=lambda side: -abs(side[0]))
    return "".join(names[cosine < 0] for cosine, names in sides if abs(cosine) >= _MIN_COSINE)
