"""What of the drawings lies under the pointer, in pixels of the screen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF

from xrayview.display.drawings import handles, outline, strokes_of
from xrayview.domain.measurement import Annotation
from xrayview.domain.radiograph import Point

HANDLE_PX = 8.0
"""How far from a handle the pointer still grabs it."""
LINE_PX = 6.0

ToScreen = Callable[[Point], QPointF]


@dataclass(frozen=True)
class Hit:
    """An annotation under the pointer: one of its handles, or the whole of it."""

    annotation: Annotation
    handle: int | None = None


def find(
    annotations: Sequence[Annotation],
    pointer: QPointF,
    to_screen: ToScreen,
    labels: Mapping[Annotation, QRectF],
    selected: Annotation | None = None,
) -> Hit | None:
    """The selected annotation first, then the one drawn last; handles before lines and texts."""
    chosen = [annotation for annotation in annotations if annotation == selected]
    order = [*chosen, *reversed(annotations)]
    for annotation in order:
        number = _handle(annotation, pointer, to_screen)
        if number is not None:
            return Hit(annotation, number)
    for annotation in order:
        box = labels.get(annotation)
        if _on_line(annotation, pointer, to_screen) or (box is not None and box.contains(pointer)):
            return Hit(annotation)
    return None


def _handle(annotation: Annotation, pointer: QPointF, to_screen: ToScreen) -> int | None:
    places = [to_screen(point) for point in handles(annotation.kind, annotation.points)]
    distance, number = min((_far(place, pointer), number) for number, place in enumerate(places))
    return number if distance <= HANDLE_PX else None


def _on_line(annotation: Annotation, pointer: QPointF, to_screen: ToScreen) -> bool:
    lines = (outline(stroke) for stroke in strokes_of(annotation.kind, annotation.points))
    return any(far_from_line(map(to_screen, line), pointer) <= LINE_PX for line in lines)


def far_from_line(corners: Iterable[QPointF], pointer: QPointF) -> float:
    """Distance to the nearest part of a line through `corners`."""
    return min(_far_from_part(a, b, pointer) for a, b in pairwise(corners))


def _far_from_part(a: QPointF, b: QPointF, pointer: QPointF) -> float:
    along, to_pointer = b - a, pointer - a
    length_2 = QPointF.dotProduct(along, along)
    share = QPointF.dotProduct(along, to_pointer) / length_2 if length_2 else 0.0
    return _far(a + along * min(max(share, 0.0), 1.0), pointer)


def _far(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())
