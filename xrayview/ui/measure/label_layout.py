"""The layout of drawings and their labels in the viewport, cached while nothing is moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QFontMetricsF, QPolygonF, QTransform

from xrayview.display.drawings import AnnotationDrawing, handles, outline
from xrayview.domain.measurement import Annotation
from xrayview.domain.radiograph import Point

GAP_PX = 8.0
"""Between a drawing and its label."""
_MOST_CACHED = 400


@dataclass(frozen=True)
class DrawingState:
    """A drawing and how it is to be painted."""

    drawing: AnnotationDrawing
    annotation: Annotation | None = None
    """None while it is being drawn for the first time."""
    is_selected: bool = False
    visible_handles: tuple[Point, ...] = ()
    is_moving: bool = False
    """It follows the pointer, so that caching its picture would be in vain."""


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of a drawing on screen, in logical pixels of the viewport."""

    polygons: tuple[QPolygonF, ...]

    @cached_property
    def bounds(self) -> QRectF:
        """Rectangle around all of them."""
        area = QRectF()
        for polygon in self.polygons:
            # A horizontal line has no area, and Qt only unites rectangles that have one.
            area = area.united(polygon.boundingRect().adjusted(-1, -1, 1, 1))
        return area


@dataclass(frozen=True, eq=False)
class PlacedDrawing:
    """One drawing at its position in the viewport."""

    state: DrawingState
    lines: Lines
    handles: tuple[QPointF, ...]
    """Where it can be grabbed, whether or not the handles are visible."""
    visible_handles: tuple[QPointF, ...]
    label: QRectF | None
    """Rectangle of its text; None where it has none."""


class LabelLayout:
    """Arranges drawings and labels in one viewport, and caches the result for each drawing.

    Args:
        to_view: film item -> logical pixels of the viewport.
        view: the viewport.
        metrics: of the labels' font.
    """

    def __init__(self, to_view: QTransform, view: QRectF, metrics: QFontMetricsF) -> None:
        self.to_view, self.view = to_view, view
        self._metrics = metrics
        self._lines: dict[AnnotationDrawing, Lines] = {}
        self._preferred_boxes: dict[AnnotationDrawing, QRectF] = {}

    def to_screen(self, point: Point) -> QPointF:
        """Map film (row, column) to logical pixels of the viewport."""
        # Qt counts from the corner of a pixel, the film from its centre.
        return self.to_view.map(QPointF(point[1] + 0.5, point[0] + 0.5))

    def arrange(self, states: Sequence[DrawingState]) -> list[PlacedDrawing]:
        """Place the drawings in this order; a label that would cover an earlier one goes below."""
        if len(self._lines) > _MOST_CACHED:
            self._lines.clear()
            self._preferred_boxes.clear()
        occupied: list[QRectF] = []
        placed = []
        for state in states:
            label = self._label_box(state.drawing, occupied) if state.drawing.lines else None
            if label is not None:
                occupied.append(label)
            mark = state.annotation
            all_handles = handles(mark.kind, mark.points) if mark is not None else ()
            placed.append(
                PlacedDrawing(
                    state,
                    self._lines_of(state.drawing),
                    tuple(map(self.to_screen, all_handles)),
                    tuple(map(self.to_screen, state.visible_handles)),
                    label,
                )
            )
        return placed

    def _lines_of(self, drawing: AnnotationDrawing) -> Lines:
        if drawing not in self._lines:
            to_screen = self.to_screen
            polygons = (QPolygonF([to_screen(p) for p in outline(s)]) for s in drawing.strokes)
            self._lines[drawing] = Lines(tuple(polygons))
        return self._lines[drawing]

    def _label_box(self, drawing: AnnotationDrawing, occupied: list[QRectF]) -> QRectF:
        if drawing not in self._preferred_boxes:
            self._preferred_boxes[drawing] = self._preferred_box(drawing)
        preferred = self._preferred_boxes[drawing]
        box = _below(preferred, occupied)
        return box if box.bottom() <= max(self.view.bottom(), preferred.bottom()) else preferred

    def _preferred_box(self, drawing: AnnotationDrawing) -> QRectF:
        """Return a box right of the drawing, or left of it near the viewport's edge."""
        width = max(self._metrics.horizontalAdvance(line) for line in drawing.lines) + 1
        height = math.ceil(self._metrics.lineSpacing()) * len(drawing.lines)
        size, view = QSizeF(math.ceil(width), height), self.view
        anchors = [self.to_screen(anchor) for anchor in drawing.anchors]
        right = max(anchors, key=lambda point: (round(point.x()), -point.y()))
        left = min(anchors, key=lambda point: (round(point.x()), point.y()))
        box = QRectF(QPointF(right.x() + GAP_PX, right.y() - size.height() / 2), size)
        if box.right() > view.right():
            if left.x() - GAP_PX - size.width() >= view.left():
                box.moveRight(left.x() - GAP_PX)
            else:  # no room on either side: below the drawing, clear of its line
                box.moveTop(right.y() + GAP_PX)
        if view.contains(right) or view.contains(left):
            box.moveLeft(max(view.left(), min(box.left(), view.right() - size.width())))
            box.moveTop(max(view.top(), min(box.top(), view.bottom() - size.height())))
        return box


def _below(box: QRectF, occupied: list[QRectF]) -> QRectF:
    """Move the box down until it covers none of the occupied ones."""
    box = QRectF(box)
    for other in sorted(occupied, key=QRectF.top):
        if box.intersects(other):
            box.moveTop(other.bottom())
    return box
