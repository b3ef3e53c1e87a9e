"""Where drawings and their texts lie in the viewport, kept while film and viewport stay put."""

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
"""Between a drawing and its text."""
_KEPT = 400


@dataclass(frozen=True)
class DrawingState:
    """A drawing as it is to look now."""

    drawing: AnnotationDrawing
    annotation: Annotation | None = None
    """None while it is being drawn for the first time."""
    selected: bool = False
    grips: tuple[Point, ...] = ()
    moving: bool = False
    """It follows the pointer: its next look is another."""


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of a drawing on screen, in logical pixels of the viewport."""

    polygons: tuple[QPolygonF, ...]

    @cached_property
    def bounds(self) -> QRectF:
        """Around all of them."""
        area = QRectF()
        for polygon in self.polygons:
            # A level line has no area, and Qt unites rectangles that have one.
            area = area.united(polygon.boundingRect().adjusted(-1, -1, 1, 1))
        return area


@dataclass(frozen=True, eq=False)
class PlacedDrawing:
    """One drawing in its place."""

    shown: DrawingState
    lines: Lines
    handles: tuple[QPointF, ...]
    """Where it can be grabbed, shown or not."""
    grips: tuple[QPointF, ...]
    """The handles that are drawn."""
    label: QRectF | None
    """Around its text; None where it has none."""


class LabelLayout:
    """Lays drawings by one transform into one viewport; looks up what it has laid before.

    Args:
        to_view: film item -> logical pixels of the viewport.
        view: the viewport.
        metrics: of the font of the texts.
    """

    def __init__(self, to_view: QTransform, view: QRectF, metrics: QFontMetricsF) -> None:
        self.to_view, self.view = to_view, view
        self._metrics = metrics
        self._lines: dict[AnnotationDrawing, Lines] = {}
        self._wanted: dict[AnnotationDrawing, QRectF] = {}

    def to_screen(self, point: Point) -> QPointF:
        """Film (row, column) -> logical pixels of the viewport."""
        # Qt counts from the corner of a pixel, the film from its centre.
        return self.to_view.map(QPointF(point[1] + 0.5, point[0] + 0.5))

    def lay(self, all_shown: Sequence[DrawingState]) -> list[PlacedDrawing]:
        """In the order of drawing; a text that would lie on an earlier one goes below it."""
        if len(self._lines) > _KEPT:
            self._lines.clear()
            self._wanted.clear()
        taken: list[QRectF] = []
        laid = []
        for shown in all_shown:
            label = self._label(shown.drawing, taken) if shown.drawing.lines else None
            if label is not None:
                taken.append(label)
            mark = shown.annotation
            places = handles(mark.kind, mark.points) if mark is not None else ()
            grabbed, drawn = (tuple(map(self.to_screen, of)) for of in (places, shown.grips))
            laid.append(PlacedDrawing(shown, self._lines_of(shown.drawing), grabbed, drawn, label))
        return laid

    def _lines_of(self, drawing: AnnotationDrawing) -> Lines:
        if drawing not in self._lines:
            to_screen = self.to_screen
            polygons = (QPolygonF([to_screen(p) for p in outline(s)]) for s in drawing.strokes)
            self._lines[drawing] = Lines(tuple(polygons))
        return self._lines[drawing]

    def _label(self, drawing: AnnotationDrawing, taken: list[QRectF]) -> QRectF:
        if drawing not in self._wanted:
            self._wanted[drawing] = self._wanted_label(drawing)
        wanted = self._wanted[drawing]
        box = _below(wanted, taken)
        return box if box.bottom() <= max(self.view.bottom(), wanted.bottom()) else wanted

    def _wanted_label(self, drawing: AnnotationDrawing) -> QRectF:
        """Right of the drawing, or left of it where the viewport ends; never out of it."""
        wide = max(self._metrics.horizontalAdvance(line) for line in drawing.lines) + 1
        high = math.ceil(self._metrics.lineSpacing()) * len(drawing.lines)
        size, view = QSizeF(math.ceil(wide), high), self.view
        places = [self.to_screen(anchor) for anchor in drawing.anchors]
        right = max(places, key=lambda place: (round(place.x()), -place.y()))
        left = min(places, key=lambda place: (round(place.x()), place.y()))
        box = QRectF(QPointF(right.x() + GAP_PX, right.y() - size.height() / 2), size)
        if box.right() > view.right():
            if left.x() - GAP_PX - size.width() >= view.left():
                box.moveRight(left.x() - GAP_PX)
            else:  # beside it there is no room: below it, and off its line
                box.moveTop(right.y() + GAP_PX)
        if view.contains(right) or view.contains(left):
            box.moveLeft(max(view.left(), min(box.left(), view.right() - size.width())))
            box.moveTop(max(view.top(), min(box.top(), view.bottom() - size.height())))
        return box


def _below(box: QRectF, taken: list[QRectF]) -> QRectF:
    """Moved down until it lies on none of those taken."""
    box = QRectF(box)
    for other in sorted(taken, key=QRectF.top):
        if box.intersects(other):
            box.moveTop(other.bottom())
    return box
