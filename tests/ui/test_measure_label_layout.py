"""The layout of drawings: labels that do not cover each other, and a cached picture."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QTransform
from pytestqt.qtbot import QtBot

from xrayview.display.drawings import AnnotationDrawing, handles, make_drawing
from xrayview.domain.measurement import Annotation, Mark
from xrayview.ui.measure.hit import find_hit
from xrayview.ui.measure.label_layout import DrawingState, LabelLayout, PlacedDrawing
from xrayview.ui.measure.marks_item import _paint, arrow_head, picture_of
from xrayview.ui.style.fonts import SMALL_PX, pixels

VIEW = QRectF(0, 0, 600, 400)


def layout(to_view: QTransform | None = None) -> LabelLayout:
    return LabelLayout(to_view or QTransform(), VIEW, QFontMetricsF(pixels(SMALL_PX)))


def text(*point: float, content: str = "a note") -> Annotation:
    return Annotation(Mark.TEXT, (point,), "1", text=content)  # type: ignore[arg-type]


def arrange(*annotations: Annotation, selected: Annotation | None = None) -> list[PlacedDrawing]:
    states = [DrawingState(make_drawing(a), a, a == selected) for a in annotations]
    return layout().arrange(states)


def test_that_labels_do_not_cover_each_other(qtbot: QtBot) -> None:
    labels = [placed.label for placed in arrange(*(text(100.0 + n, 50.0) for n in range(8)))]
    for index, label in enumerate(labels):
        assert not any(label.intersects(other) for other in labels[:index])


@pytest.mark.parametrize("position", [(10.0, 595.0), (399.0, 300.0), (0.0, 0.0)])
def test_that_a_label_stays_inside_the_viewport(
    qtbot: QtBot, position: tuple[float, float]
) -> None:
    (placed,) = arrange(text(*position, content="a long note that needs its room"))
    assert VIEW.contains(placed.label)


def test_that_a_label_is_upright_however_the_film_is_turned(qtbot: QtBot) -> None:
    line = Annotation(Mark.LENGTH, ((10.0, 10.0), (10.0, 90.0)), "1", text="long")
    turned = QTransform(0, 1, -1, 0, 300, 0)
    (placed,) = layout(turned).arrange([DrawingState(make_drawing(line), line)])
    ends = [turned.map(QPointF(column + 0.5, row + 0.5)) for row, column in line.points]
    assert placed.lines.polygons[0].toList() == ends
    assert placed.label.left() > max(end.x() for end in ends)
    assert placed.label.width() > placed.label.height()


def test_that_the_selected_and_then_the_last_drawn_is_hit(qtbot: QtBot) -> None:
    first, second = (
        Annotation(Mark.LENGTH, ((50.0, 50.0), (50.0, 200.0)), "1", text=name) for name in "ab"
    )
    middle = QPointF(120, 50.5)
    assert find_hit(arrange(first, second), middle).annotation == second
    assert find_hit(arrange(first, second, selected=first), middle).annotation == first
    assert find_hit(arrange(first, second), QPointF(50, 50)).handle == 0
    assert find_hit(arrange(first, second), QPointF(120, 80)) is None


def test_that_every_corner_of_a_rectangle_can_be_grabbed_and_its_inside_cannot(
    qtbot: QtBot,
) -> None:
    box = Annotation(Mark.RECTANGLE, ((50.0, 50.0), (150.0, 250.0)), "1")
    placed = arrange(box)
    for index, (row, column) in enumerate(handles(box.kind, box.points)):
        assert find_hit(placed, QPointF(column + 3, row - 3)).handle == index
    assert find_hit(placed, QPointF(150, 100)) is None
    assert find_hit(placed, QPointF(150, 52)).handle is None


def test_that_an_ellipse_is_grabbed_on_its_line(qtbot: QtBot) -> None:
    placed = arrange(Annotation(Mark.ELLIPSE, ((50.0, 50.0), (150.0, 250.0)), "1"))
    assert find_hit(placed, QPointF(150.5, 50.5)) is not None
    assert find_hit(placed, QPointF(60, 60)) is None


def test_that_an_arrow_points_at_its_head() -> None:
    sides = arrow_head(QPointF(0, 0), QPointF(100, 0))
    assert all(80 < side.x() < 100 for side in sides)
    assert sides[0].y() == pytest.approx(-sides[1].y())
    assert arrow_head(QPointF(5, 5), QPointF(5, 5)) == (QPointF(5, 5), QPointF(5, 5))


def test_that_a_drawing_without_lines_or_text_paints_nothing(qtbot: QtBot) -> None:
    states = DrawingState(AnnotationDrawing(Mark.TEXT, (), (), ((0.0, 0.0),)))
    (placed,) = layout().arrange([states])
    assert placed.label is None
    assert placed.lines.bounds.isEmpty()
    assert find_hit([placed], QPointF(0, 0)) is None


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_that_the_cached_picture_equals_direct_painting(qtbot: QtBot, ratio: float) -> None:
    line = Annotation(Mark.LENGTH, ((31.0, 21.0), (77.0, 203.0)), "1", text="note")
    font = pixels(SMALL_PX)
    placed = arrange(line, selected=line)
    size = VIEW.size().toSize() * ratio
    fresh, cached = (QImage(size, QImage.Format.Format_ARGB32_Premultiplied) for _ in range(2))
    for image in (fresh, cached):
        image.setDevicePixelRatio(ratio)
        image.fill(0)
        painter = QPainter(image)
        if image is fresh:
            _paint(painter, placed, font)
        else:
            painter.drawImage(*picture_of(placed, VIEW, ratio, font))
        painter.end()
    assert cached == fresh
