"""The display shutter of a file (PS3.3 C.7.6.11)."""

from __future__ import annotations

import math

from pydicom.dataset import Dataset

from xrayview.domain.radiograph import Point, Shutter
from xrayview.io.dicom.values import integer, numbers, texts

_EDGES = (
    "ShutterUpperHorizontalEdge",
    "ShutterLowerHorizontalEdge",
    "ShutterLeftVerticalEdge",
    "ShutterRightVerticalEdge",
)
KEYWORDS = (
    "ShutterShape",
    *_EDGES,
    "CenterOfCircularShutter",
    "RadiusOfCircularShutter",
    "VerticesOfThePolygonalShutter",
    "ShutterPresentationValue",
)
BROKEN_NOTE = "a shutter without usable edges is ignored"


def shutter_of(dataset: Dataset) -> tuple[Shutter | None, tuple[str, ...]]:
    """The shutter in coordinates from 0 (those of the file are from 1), and notes."""
    shapes = set(texts(dataset, "ShutterShape"))
    rectangle = _rectangle(dataset) if "RECTANGULAR" in shapes else None
    circle = _circle(dataset) if "CIRCULAR" in shapes else None
    polygon = _polygon(dataset) if "POLYGONAL" in shapes else ()
    usable = {"RECTANGULAR": rectangle, "CIRCULAR": circle, "POLYGONAL": polygon}
    notes = (BROKEN_NOTE,) if any(not usable.get(shape) for shape in shapes if shape) else ()
    if not (rectangle or circle or polygon):
        return None, notes
    value = integer(dataset, "ShutterPresentationValue") or 0
    return Shutter(rectangle, circle, polygon, value), notes


def _rectangle(dataset: Dataset) -> tuple[float, float, float, float] | None:
    edges = tuple(next(iter(numbers(dataset, keyword)), math.nan) - 1 for keyword in _EDGES)
    top, bottom, left, right = edges
    return (top, bottom, left, right) if top <= bottom and left <= right else None


def _circle(dataset: Dataset) -> tuple[Point, float] | None:
    centers = _points(numbers(dataset, "CenterOfCircularShutter"))
    radius = next(iter(numbers(dataset, "RadiusOfCircularShutter")), math.nan)
    return (centers[0], radius) if len(centers) == 1 and radius > 0 else None


def _polygon(dataset: Dataset) -> tuple[Point, ...]:
    corners = _points(numbers(dataset, "VerticesOfThePolygonalShutter"))
    return corners if len(corners) >= 3 else ()


def _points(values: tuple[float, ...]) -> tuple[Point, ...]:
    """Pairs of row and column; empty when a value is missing or not a number."""
    if len(values) % 2 or not all(map(math.isfinite, values)):
        return ()
    return tuple(
        (row - 1, column - 1) for row, column in zip(values[::2], values[1::2], strict=True)
    )
