"""The drawings over a film: thin lines with a dark rim, handles and upright labels, at any zoom."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QTransform,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from xrayview.display.drawings import Shape
from xrayview.domain.radiograph import Point
from xrayview.ui.measure.label_layout import DrawingState, LabelLayout, PlacedDrawing
from xrayview.ui.style.fonts import SMALL_PX, pixels
from xrayview.ui.viewer.film_item import FilmItem
from xrayview.ui.viewer.outlined_text import draw_outlined

INK, SELECTED_INK = "#ffd75e", "#7fd0ff"
RIM = QColor(0, 0, 0, 190)
LINE_PX, RIM_PX = 1.4, 3.8
HANDLE_PX = 3.5
"""Half the width of a handle."""
HEAD_PX, HEAD_DEG = 13.0, 24.0
"""Length of an arrow's head, and half the angle between its sides."""
_REACH_PX = HEAD_PX + RIM_PX
"""Farthest distance of painted pixels from a drawing's lines."""


class MarksItem(QGraphicsItem):
    """A child of the film's item: it follows every zoom, flip and turn, but line widths do not.

    Drawings that do not move are painted into a cached picture, which a window drag only copies.
    """

    def __init__(self, film: FilmItem) -> None:
        super().__init__(film)
        self._states: tuple[DrawingState, ...] = ()
        self._font: QFont = pixels(SMALL_PX)
        self._layout = LabelLayout(QTransform(), QRectF(), QFontMetricsF(self._font))
        self._placed: list[PlacedDrawing] | None = None
        self._picture: tuple[object, QPointF, QImage] | None = None

    def show_drawings(self, states: Sequence[DrawingState]) -> None:
        self._states = tuple(states)
        self._placed = None
        self.update()

    @property
    def states(self) -> tuple[DrawingState, ...]:
        """The current drawings, in painting order."""
        return self._states

    def placed_drawings(self) -> list[PlacedDrawing]:
        """Return the current drawings with their positions in the viewport."""
        self._follow_view()
        if self._placed is None:
            self._placed = self._layout.arrange(self._states)
        return self._placed

    def to_screen(self, point: Point) -> QPointF:
        """Map film (row, column) to logical pixels of the viewport."""
        self._follow_view()
        return self._layout.to_screen(point)

    def to_film(self, position: QPointF) -> Point:
        """Map logical pixels of the viewport to film (row, column)."""
        point = self.sceneTransform().inverted()[0].map(position)
        return point.y() - 0.5, point.x() - 0.5

    def _follow_view(self) -> None:
        scene = self.scene()
        to_view, view = self.sceneTransform(), scene.sceneRect() if scene else QRectF()
        if (to_view, view) != (self._layout.to_view, self._layout.view):
            self._layout = LabelLayout(to_view, view, QFontMetricsF(self._font))
            self._placed = None

    def boundingRect(self) -> QRectF:
        return self.parentItem().boundingRect()

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,  # noqa: ARG002
        widget: QWidget | None = None,  # noqa: ARG002
    ) -> None:
        placed_drawings = self.placed_drawings()
        if not placed_drawings:
            return
        painter.setWorldTransform(QTransform())
        resting = [drawing for drawing in placed_drawings if not drawing.state.is_moving]
        moving = [drawing for drawing in placed_drawings if drawing.state.is_moving]
        if resting:
            position, picture = self._cached_picture(resting, painter.device().devicePixelRatio())
            painter.drawImage(position, picture)
        _paint(painter, moving, self._font)

    def _cached_picture(self, resting: list[PlacedDrawing], ratio: float) -> tuple[QPointF, QImage]:
        labels = tuple(drawing.label.getRect() if drawing.label else None for drawing in resting)
        key = self._layout, tuple(drawing.state for drawing in resting), labels, ratio
        if self._picture is None or self._picture[0] != key:
            self._picture = key, *picture_of(resting, self._layout.view, ratio, self._font)
        return self._picture[1:]


def picture_of(
    placed_drawings: list[PlacedDrawing], view: QRectF, ratio: float, font: QFont
) -> tuple[QPointF, QImage]:
    """Paint drawings into a picture, clipped to the viewport; return its position and itself."""
    area = QRectF()
    for drawing in placed_drawings:
        area = area.united(_area(drawing))
    box = _on_whole_pixels((area & view).toAlignedRect())
    picture = QImage(box.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    if not picture.isNull():
        painter = QPainter(picture)
        painter.translate(-box.topLeft())
        _paint(painter, placed_drawings, font)
        painter.end()
    return QPointF(box.topLeft()), picture


def _on_whole_pixels(box: QRect) -> QRect:
    """Enlarge a box so that its edges are whole pixels on screens scaled by 1.25, 1.5 or 1.75."""
    left, top = box.left() // 4 * 4, box.top() // 4 * 4
    width, height = box.right() + 1 - left, box.bottom() + 1 - top
    return QRect(left, top, -(-width // 4) * 4, -(-height // 4) * 4)


def _area(drawing: PlacedDrawing) -> QRectF:
    """Return a rectangle around everything that is painted for a drawing."""
    area = drawing.lines.bounds.adjusted(-_REACH_PX, -_REACH_PX, _REACH_PX, _REACH_PX)
    for handle in drawing.visible_handles:
        reach = QPointF(_REACH_PX, _REACH_PX)
        area = area.united(QRectF(handle - reach, handle + reach))
    return area.united(drawing.label.adjusted(-4, -4, 4, 4)) if drawing.label else area


def _paint(painter: QPainter, placed_drawings: list[PlacedDrawing], font: QFont) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setFont(font)
    for drawing in placed_drawings:
        _paint_lines(painter, drawing)
    for drawing in placed_drawings:
        if drawing.label is not None:
            lines, ink = drawing.state.drawing.lines, _ink(drawing.state)
            _paint_label(painter, drawing.label, lines, ink)


def _paint_lines(painter: QPainter, drawing: PlacedDrawing) -> None:
    ink, path = QColor(_ink(drawing.state)), _path(drawing)
    for colour, width in ((RIM, RIM_PX), (ink, LINE_PX)):
        pen = QPen(colour, width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPath(path)
    painter.setPen(QPen(RIM, 1))
    for position in drawing.visible_handles:
        half = QPointF(HANDLE_PX, HANDLE_PX)
        box = QRectF(position - half, position + half)
        painter.fillRect(box, ink)
        painter.drawRect(box)


def _path(drawing: PlacedDrawing) -> QPainterPath:
    path = QPainterPath()
    for stroke, polygon in zip(drawing.state.drawing.strokes, drawing.lines.polygons, strict=True):
        path.addPolygon(polygon)
        if stroke.shape is Shape.ARROW:
            for side in arrow_head(polygon.first(), polygon.last()):
                path.moveTo(polygon.last())
                path.lineTo(side)
    return path


def _paint_label(painter: QPainter, box: QRectF, lines: tuple[str, ...], ink: str) -> None:
    height = box.height() / len(lines)
    for index, line in enumerate(lines):
        row = QRectF(box.left(), box.top() + index * height, box.width(), height)
        draw_outlined(painter, row, Qt.AlignmentFlag.AlignLeft, line, ink)


def _ink(state: DrawingState) -> str:
    return SELECTED_INK if state.is_selected else INK


def arrow_head(tail: QPointF, head: QPointF) -> tuple[QPointF, QPointF]:
    """Return the ends of the two sides of an arrow's head."""
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
