"""The drawings over a film: thin lines with a dark rim, handles and upright text, at any zoom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QTransform,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from xrayview.display.drawings import Drawing, Shape, Stroke, outline
from xrayview.domain.measurement import Annotation
from xrayview.domain.radiograph import Point
from xrayview.ui.theme import SMALL_PX, pixels
from xrayview.ui.viewer.film_item import FilmItem
from xrayview.ui.viewer.outlined_text import draw_outlined

INK, SELECTED_INK = "#ffd75e", "#7fd0ff"
RIM = QColor(0, 0, 0, 150)
LINE_PX, RIM_PX = 1.4, 3.4
HANDLE_PX = 3.5
"""Half the width of a handle."""
HEAD_PX, HEAD_DEG = 13.0, 24.0
"""Length of an arrow's head and half the angle between its sides."""
GAP_PX = 8.0
"""Between a drawing and its text."""


@dataclass(frozen=True)
class Shown:
    """A drawing as it is to look now; the annotation is None while it is being drawn."""

    drawing: Drawing
    annotation: Annotation | None = None
    selected: bool = False
    grips: tuple[Point, ...] = ()


class MarksItem(QGraphicsItem):
    """Child of the film's item: it follows every zoom, flip and turn, its pens do not."""

    def __init__(self, film: FilmItem) -> None:
        super().__init__(film)
        self._shown: tuple[Shown, ...] = ()
        self._font: QFont = pixels(SMALL_PX)

    def show_all(self, shown: Sequence[Shown]) -> None:
        self._shown = tuple(shown)
        self.update()

    @property
    def shown(self) -> tuple[Shown, ...]:
        """What is drawn now, in this order."""
        return self._shown

    def to_screen(self, point: Point) -> QPointF:
        """Film (row, column) -> logical pixels of the viewport."""
        # Qt counts from the corner of a pixel, the film from its centre.
        return self.sceneTransform().map(QPointF(point[1] + 0.5, point[0] + 0.5))

    def to_film(self, place: QPointF) -> Point:
        """Logical pixels of the viewport -> film (row, column)."""
        point = self.sceneTransform().inverted()[0].map(place)
        return point.y() - 0.5, point.x() - 0.5

    def labels(self) -> dict[Annotation, QRectF]:
        """Where the text of each annotation stands, in logical pixels of the viewport."""
        return {
            shown.annotation: box
            for shown, box in self._label_boxes()
            if shown.annotation is not None
        }

    def boundingRect(self) -> QRectF:
        return self.parentItem().boundingRect()

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,  # noqa: ARG002
        widget: QWidget | None = None,  # noqa: ARG002
    ) -> None:
        painter.setWorldTransform(QTransform())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setFont(self._font)
        for shown in self._shown:
            self._paint(painter, shown)
        for shown, box in self._label_boxes():
            _paint_label(painter, box, shown.drawing.lines, _ink(shown))

    def _paint(self, painter: QPainter, shown: Shown) -> None:
        ink = _ink(shown)
        path = QPainterPath()
        for stroke in shown.drawing.strokes:
            path.addPath(self._path(stroke))
        for colour, width in ((RIM, RIM_PX), (QColor(ink), LINE_PX)):
            pen = QPen(colour, width)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPath(path)
        painter.setPen(QPen(RIM, 1))
        for grip in shown.grips:
            place, half = self.to_screen(grip), QPointF(HANDLE_PX, HANDLE_PX)
            box = QRectF(place - half, place + half)
            painter.fillRect(box, QColor(ink))
            painter.drawRect(box)

    def _path(self, stroke: Stroke) -> QPainterPath:
        places = [self.to_screen(point) for point in outline(stroke)]
        path = QPainterPath()
        path.addPolygon(QPolygonF(places))
        if stroke.shape is Shape.ARROW:
            for side in arrow_head(places[0], places[-1]):
                path.moveTo(places[-1])
                path.lineTo(side)
        return path

    def _label_boxes(self) -> list[tuple[Shown, QRectF]]:
        """Texts in the order of drawing; one that would lie on an earlier one goes below it."""
        placed: list[tuple[Shown, QRectF]] = []
        for shown in self._shown:
            if shown.drawing.lines:
                wanted = self._label_box(shown.drawing)
                box = _below(wanted, [other for _, other in placed])
                inside = box.bottom() <= max(self._view().bottom(), wanted.bottom())
                placed.append((shown, box if inside else wanted))
        return placed

    def _label_box(self, drawing: Drawing) -> QRectF:
        """Right of the drawing, or left of it where the viewport ends; never out of it."""
        metrics = QFontMetricsF(self._font)
        wide = max(metrics.horizontalAdvance(line) for line in drawing.lines) + 1
        size = QSizeF(math.ceil(wide), math.ceil(metrics.lineSpacing()) * len(drawing.lines))
        places = [self.to_screen(anchor) for anchor in drawing.anchors]
        right = max(places, key=lambda place: (round(place.x()), -place.y()))
        left = min(places, key=lambda place: (round(place.x()), place.y()))
        view = self._view()
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

    def _view(self) -> QRectF:
        scene = self.scene()
        return scene.sceneRect() if scene is not None else QRectF()


def _ink(shown: Shown) -> str:
    return SELECTED_INK if shown.selected else INK


def _below(box: QRectF, taken: list[QRectF]) -> QRectF:
    """Moved down until it lies on none of those taken."""
    box = QRectF(box)
    for other in sorted(taken, key=QRectF.top):
        if box.intersects(other):
            box.moveTop(other.bottom())
    return box


def _paint_label(painter: QPainter, box: QRectF, lines: tuple[str, ...], ink: str) -> None:
    high = box.height() / len(lines)
    for number, line in enumerate(lines):
        row = QRectF(box.left(), box.top() + number * high, box.width(), high)
        draw_outlined(painter, row, Qt.AlignmentFlag.AlignLeft, line, ink)


def arrow_head(tail: QPointF, head: QPointF) -> tuple[QPointF, QPointF]:
    """The ends of the two sides of an arrow's head."""
    shaft = QLineF(head, tail)
    if not shaft.length():
        return head, head
    sides = []
    for turn in (HEAD_DEG, -HEAD_DEG):
        side = QLineF(shaft)
        side.setAngle(shaft.angle() + turn)
        side.setLength(min(HEAD_PX, shaft.length()))
        sides.append(side.p2())
    return sides[0], sides[1]
