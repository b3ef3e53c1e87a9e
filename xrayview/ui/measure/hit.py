"""Finding the drawing under the pointer, in pixels of the screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF

from xrayview.domain.measurement import Annotation
from xrayview.ui.measure.label_layout import PlacedDrawing

HANDLE_PX = 8.0
"""Farthest distance from which a handle can be grabbed."""
LINE_PX = 6.0


@dataclass(frozen=True)
class Hit:
    """An annotation under the pointer: one of its handles, or the whole of it."""

    annotation: Annotation
    handle: int | None = None


def find_hit(drawings: Sequence[PlacedDrawing], pointer: QPointF) -> Hit | None:
    """Find the drawing under the pointer.

    The selected annotation comes first, then the one drawn last; handles before lines and labels.
    """
    order = [drawing for drawing in drawings if drawing.state.is_selected]
    order += reversed(drawings)
    for drawing in order:
        handle = _handle_at(drawing, pointer)
        if drawing.state.annotation is not None and handle is not None:
            return Hit(drawing.state.annotation, handle)
    for drawing in order:
        if drawing.state.annotation is not None and _touches(drawing, pointer):
            return Hit(drawing.state.annotation)
    return None


def _handle_at(drawing: PlacedDrawing, pointer: QPointF) -> int | None:
    if not drawing.handles:
        return None
    distance, index = min((_distance(at, pointer), i) for i, at in enumerate(drawing.handles))
    return index if distance <= HANDLE_PX else None


def _touches(drawing: PlacedDrawing, pointer: QPointF) -> bool:
    if drawing.label is not None and drawing.label.contains(pointer):
        return True
    reach = drawing.lines.bounds.adjusted(-LINE_PX, -LINE_PX, LINE_PX, LINE_PX)
    return reach.contains(pointer) and any(
        distance_to_line(polygon.toList(), pointer) <= LINE_PX for polygon in drawing.lines.polygons
    )


def distance_to_line(corners: Sequence[QPointF], pointer: QPointF) -> float:
    """Return the distance to the nearest segment of a line through `corners`."""
    return min(_distance_to_segment(a, b, pointer) for a, b in pairwise(corners))


def _distance_to_segment(a: QPointF, b: QPointF, pointer: QPointF) -> float:
    along, to_pointer = b - a, pointer - a
    length_2 = QPointF.dotProduct(along, along)
    fraction = QPointF.dotProduct(along, to_pointer) / length_2 if length_2 else 0.0
    return _distance(a + along * min(max(fraction, 0.0), 1.0), pointer)


def _distance(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())
