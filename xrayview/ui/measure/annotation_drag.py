"""Dragging an annotation."""

from __future__ import annotations

from dataclasses import replace

from xrayview.display.drawings import moved, with_handle_at
from xrayview.domain.radiograph import Point
from xrayview.ui.measure.hit import Hit


class AnnotationDrag:
    """An annotation that follows the pointer, by one handle or as a whole."""

    def __init__(self, hit: Hit, start: Point) -> None:
        self.annotation = self.result = hit.annotation
        self.has_moved = False
        self._handle = hit.handle
        self._start = start

    def move(self, point: Point) -> None:
        self.has_moved = True
        kind, points = self.annotation.kind, self.annotation.points
        if self._handle is not None:
            points = with_handle_at(kind, points, self._handle, point)
        else:
            down, right = (end - start for end, start in zip(point, self._start, strict=True))
            points = moved(points, down, right)
        self.result = replace(self.annotation, points=points)
