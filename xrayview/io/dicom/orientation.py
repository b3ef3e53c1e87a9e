"""What the rows and the columns of a film point to."""

from __future__ import annotations

import math

from pydicom.dataset import Dataset

from xrayview.io.dicom.values import numbers, text, texts

_AXES = (("L", "R"), ("P", "A"), ("H", "F"))
"""Towards which side of a biped x, y and z grow, and shrink (PS3.3 C.7.6.2.1.1)."""
_LEAST = 0.1
"""A tilt of less than six degrees is not worth a letter."""


def orientation_of(dataset: Dataset) -> tuple[str, str]:
    """The directions of rows and columns as letters, the nearest side first: `L`, `FA`.

    PatientOrientation (PS3.3 C.7.6.1.1.1) where the file has it, else made of
    ImageOrientationPatient; two empty texts where neither says both directions.
    """
    stated = texts(dataset, "PatientOrientation")
    if len(stated) == 2:
        return stated[0], stated[1]
    cosines = numbers(dataset, "ImageOrientationPatient")
    # The letters of quadrupeds are others (PS3.3 C.7.6.1.1.1).
    if len(cosines) != 6 or text(dataset, "AnatomicalOrientationType") == "QUADRUPED":
        return "", ""
    row, column = _letters(cosines[:3]), _letters(cosines[3:])
    return (row, column) if row and column else ("", "")


def _letters(direction: tuple[float, ...]) -> str:
    """The sides that a vector of direction cosines points to; empty where it is none."""
    if not all(map(math.isfinite, direction)) or abs(math.hypot(*direction) - 1) > 0.01:
        return ""
    sides = sorted(zip(direction, _AXES, strict=True), key=lambda side: -abs(side[0]))
    return "".join(names[cosine < 0] for cosine, names in sides if abs(cosine) >= _LEAST)
