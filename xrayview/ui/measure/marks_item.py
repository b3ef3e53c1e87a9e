"""The drawings over a film: thin lines with a dark rim, handles and upright text, at any zoom."""

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
"""Length of an arrow's head and half the angle between its sides."""
_REACH_PX = HEAD_PX + RIM_PX
"""How far paint may lie outside a drawing's own lines."""


class MarksItem(QGraphicsItem):
    """Child of the film's item: it follows every zoom, flip and turn, its pens do not.

    What does not move is painted once into a picture: a window drag then only copies it.
    """

    def __init__(self, film: FilmItem) -> None:
        super().__init__(film)
        self._shown: tuple[DrawingState, ...] = ()
        self._font: QFont = pixels(SMALL_PX)
        self._laying = LabelLayout(QTransform(), QRectF(), QFontMetricsF(self._font))
        self._laid: list[PlacedDrawing] | None = None
        self._picture: tuple[object, QPointF, QImage] | None = None

    def show_all(self, shown: Sequence[DrawingState]) -> None:
        self._shown = tuple(shown)
        self._laid = None
        self.update()

    @property
    def shown(self) -> tuple[DrawingState, ...]:
        """What is drawn now, in this order."""
        return self._shown

    def laid(self) -> list[PlacedDrawing]:
        """What is drawn now, with its place in the viewport."""
        self._follow_view()
        if self._laid is None:
            self._laid = self._laying.lay(self._shown)
        return self._laid

    def to_screen(self, point: Point) -> QPointF:
        """Film (row, column) -> logical pixels of the viewport."""
        self._follow_view()
        return self._laying.to_screen(point)

    def to_film(self, place: QPointF) -> Point:
        """Logical pixels of the viewport -> film (row, column)."""
        point = self.sceneTransform().inverted()[0].map(place)
        return point.y() - 0.5, point.x() - 0.5

    def _follow_view(self) -> None:
        scene = self.scene()
        to_view, view = self.sceneTransform(), scene.sceneRect() if scene else QRectF()
        if (to_view, view) != (self._laying.to_view, self._laying.view):
            self._laying = LabelLayout(to_view, view, QFontMetricsF(self._font))
            self._laid = None

    def boundingRect(self) -> QRectF:
        return self.parentItem().boundingRect()

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,  # noqa: ARG002
        widget: QWidget | None = None,  # noqa: ARG002
    ) -> None:
        laid = self.laid()
        if not laid:
            return
        painter.setWorldTransform(QTransform())
        resting = [one for one in laid if not one.shown.moving]
        moving = [one for one in laid if one.shown.moving]
        if resting:
            place, picture = self._kept_picture(resting, painter.device().devicePixelRatio())
            painter.drawImage(place, picture)
        _paint(painter, moving, self._font)

    def _kept_picture(self, resting: list[PlacedDrawing], ratio: float) -> tuple[QPointF, QImage]:
        labels = tuple(one.label.getRect() if one.label else None for one in resting)
        key = self._laying, tuple(one.shown for one in resting), labels, ratio
        if self._picture is None or self._picture[0] != key:
            self._picture = key, *picture_of(resting, self._laying.view, ratio, self._font)
        return self._picture[1:]


def picture_of(
    all_laid: list[PlacedDrawing], view: QRectF, ratio: float, font: QFont
) -> tuple[QPointF, QImage]:
    """Drawings as a picture, cut to what of them is inside the viewport, and its place there."""
    area = QRectF()
    for laid in all_laid:
        area = area.united(_area(laid))
    box = _on_whole_pixels((area & view).toAlignedRect())
    picture = QImage(box.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    if not picture.isNull():
        painter = QPainter(picture)
        painter.translate(-box.topLeft())
        _paint(painter, all_laid, font)
        painter.end()
    return QPointF(box.topLeft()), picture


def _on_whole_pixels(box: QRect) -> QRect:
    """A little larger, so that screens of 1.25, 1.5 or 1.75 pixels have whole ones at its edges."""
    left, top = box.left() // 4 * 4, box.top() // 4 * 4
    wide, high = box.right() + 1 - left, box.bottom() + 1 - top
    return QRect(left, top, -(-wide // 4) * 4, -(-high // 4) * 4)


def _area(laid: PlacedDrawing) -> QRectF:
    """Around all that is painted of a drawing."""
    area = laid.lines.bounds.adjusted(-_REACH_PX, -_REACH_PX, _REACH_PX, _REACH_PX)
    for handle in laid.grips:
        reach = QPointF(_REACH_PX, _REACH_PX)
        area = area.united(QRectF(handle - reach, handle + reach))
    return area.united(laid.label.adjusted(-4, -4, 4, 4)) if laid.label else area


def _paint(painter: QPainter, all_laid: list[PlacedDrawing], font: QFont) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setFont(font)
    for laid in all_laid:
        _paint_lines(painter, laid)
    for laid in all_laid:
        if laid.label is not None:
            _paint_label(painter, laid.label, laid.shown.drawing.lines, _ink(laid.shown))


def _paint_lines(painter: QPainter, laid: PlacedDrawing) -> None:
    ink, path = QColor(_ink(laid.shown)), _path(laid)
    for colour, width in ((RIM, RIM_PX), (ink, LINE_PX)):
        pen = QPen(colour, width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPath(path)
    painter.setPen(QPen(RIM, 1))
    for place in laid.grips:
        half = QPointF(HANDLE_PX, HANDLE_PX)
        box = QRectF(place - half, place + half)
        painter.fillRect(box, ink)
        painter.drawRect(box)


def _path(laid: PlacedDrawing) -> QPainterPath:
    path = QPainterPath()
    for stroke, polygon in zip(laid.shown.drawing.strokes, laid.lines.polygons, strict=True):
        path.addPolygon(polygon)
        if stroke.shape is Shape.ARROW:
            for side in arrow_head(polygon.first(), polygon.last()):
                path.moveTo(polygon.last())
                path.lineTo(side)
    return path


def _paint_label(painter: QPainter, box: QRectF, lines: tuple[str, ...], ink: str) -> None:
    high = box.height() / len(lines)
    for number, line in enumerate(lines):
        row = QRectF(box.left(), box.top() + number * high, box.width(), high)
        draw_outlined(painter, row, Qt.AlignmentFlag.AlignLeft, line, ink)


def _ink(shown: DrawingState) -> str:
    return SELECTED_INK if shown.selected else INK


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
