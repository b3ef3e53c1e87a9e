"""What of the drawings lies under the pointer, in pixels of the screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF

from xrayview.domain.measurement import Annotation
from xrayview.ui.measure.label_layout import PlacedDrawing

HANDLE_PX = 8.0
"""How far from a handle the pointer still grabs it."""
LINE_PX = 6.0


@dataclass(frozen=True)
class Hit:
    """An annotation under the pointer: one of its handles, or the whole of it."""

    annotation: Annotation
    handle: int | None = None


def find(laid: Sequence[PlacedDrawing], pointer: QPointF) -> Hit | None:
    """The selected annotation first, then the one drawn last; handles before lines and texts."""
    order = [one for one in laid if one.shown.selected]
    order += reversed(laid)
    for one in order:
        number = _handle(one, pointer)
        if one.shown.annotation is not None and number is not None:
            return Hit(one.shown.annotation, number)
    for one in order:
        if one.shown.annotation is not None and _touches(one, pointer):
            return Hit(one.shown.annotation)
    return None


def _handle(laid: PlacedDrawing, pointer: QPointF) -> int | None:
    if not laid.handles:
        return None
    distance, number = min((_far(at, pointer), n) for n, at in enumerate(laid.handles))
    return number if distance <= HANDLE_PX else None


def _touches(laid: PlacedDrawing, pointer: QPointF) -> bool:
    if laid.label is not None and laid.label.contains(pointer):
        return True
    reach = laid.lines.bounds.adjusted(-LINE_PX, -LINE_PX, LINE_PX, LINE_PX)
    return reach.contains(pointer) and any(
        far_from_line(polygon.toList(), pointer) <= LINE_PX for polygon in laid.lines.polygons
    )


def far_from_line(corners: Sequence[QPointF], pointer: QPointF) -> float:
    """Distance to the nearest part of a line through `corners`."""
    return min(_far_from_part(a, b, pointer) for a, b in pairwise(corners))


def _far_from_part(a: QPointF, b: QPointF, pointer: QPointF) -> float:
    along, to_pointer = b - a, pointer - a
    length_2 = QPointF.dotProduct(along, along)
    share = QPointF.dotProduct(along, to_pointer) / length_2 if length_2 else 0.0
    return _far(a + along * min(max(share, 0.0), 1.0), pointer)


def _far(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())
