"""Drawings in their places: labels that do not cover each other, and a picture that is kept."""

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


def laying(to_view: QTransform | None = None) -> LabelLayout:
    return LabelLayout(to_view or QTransform(), VIEW, QFontMetricsF(pixels(SMALL_PX)))


def text(*point: float, words: str = "a note") -> Annotation:
    return Annotation(Mark.TEXT, (point,), "1", text=words)  # type: ignore[arg-type]


def lay(*annotations: Annotation, selected: Annotation | None = None) -> list[PlacedDrawing]:
    shown = [DrawingState(make_drawing(a), a, a == selected) for a in annotations]
    return laying().arrange(shown)


def test_that_texts_do_not_cover_each_other(qtbot: QtBot) -> None:
    labels = [one.label for one in lay(*(text(100.0 + n, 50.0) for n in range(8)))]
    for number, label in enumerate(labels):
        assert not any(label.intersects(other) for other in labels[:number])


@pytest.mark.parametrize("place", [(10.0, 595.0), (399.0, 300.0), (0.0, 0.0)])
def test_that_a_text_stays_inside_the_viewport(qtbot: QtBot, place: tuple[float, float]) -> None:
    (one,) = lay(text(*place, words="a long note that needs its room"))
    assert VIEW.contains(one.label)


def test_that_a_text_is_upright_however_the_film_lies(qtbot: QtBot) -> None:
    line = Annotation(Mark.LENGTH, ((10.0, 10.0), (10.0, 90.0)), "1", text="long")
    turned = QTransform(0, 1, -1, 0, 300, 0)
    (one,) = laying(turned).arrange([DrawingState(make_drawing(line), line)])
    ends = [turned.map(QPointF(column + 0.5, row + 0.5)) for row, column in line.points]
    assert one.lines.polygons[0].toList() == ends
    assert one.label.left() > max(end.x() for end in ends)
    assert one.label.width() > one.label.height()


def test_that_the_selected_and_then_the_last_drawn_is_grabbed(qtbot: QtBot) -> None:
    first, second = (
        Annotation(Mark.LENGTH, ((50.0, 50.0), (50.0, 200.0)), "1", text=name) for name in "ab"
    )
    middle = QPointF(120, 50.5)
    assert find_hit(lay(first, second), middle).annotation == second
    assert find_hit(lay(first, second, selected=first), middle).annotation == first
    assert find_hit(lay(first, second), QPointF(50, 50)).handle == 0
    assert find_hit(lay(first, second), QPointF(120, 80)) is None


def test_that_every_corner_of_a_rectangle_can_be_grabbed_and_its_inside_cannot(
    qtbot: QtBot,
) -> None:
    box = Annotation(Mark.RECTANGLE, ((50.0, 50.0), (150.0, 250.0)), "1")
    laid = lay(box)
    for number, (row, column) in enumerate(handles(box.kind, box.points)):
        assert find_hit(laid, QPointF(column + 3, row - 3)).handle == number
    assert find_hit(laid, QPointF(150, 100)) is None
    assert find_hit(laid, QPointF(150, 52)).handle is None


def test_that_an_ellipse_is_grabbed_on_its_line(qtbot: QtBot) -> None:
    laid = lay(Annotation(Mark.ELLIPSE, ((50.0, 50.0), (150.0, 250.0)), "1"))
    assert find_hit(laid, QPointF(150.5, 50.5)) is not None
    assert find_hit(laid, QPointF(60, 60)) is None


def test_that_an_arrow_points_at_its_head() -> None:
    sides = arrow_head(QPointF(0, 0), QPointF(100, 0))
    assert all(80 < side.x() < 100 for side in sides)
    assert sides[0].y() == pytest.approx(-sides[1].y())
    assert arrow_head(QPointF(5, 5), QPointF(5, 5)) == (QPointF(5, 5), QPointF(5, 5))


def test_that_a_drawing_without_lines_or_text_is_nothing_to_paint(qtbot: QtBot) -> None:
    shown = DrawingState(AnnotationDrawing(Mark.TEXT, (), (), ((0.0, 0.0),)))
    (one,) = laying().arrange([shown])
    assert one.label is None
    assert one.lines.bounds.isEmpty()
    assert find_hit([one], QPointF(0, 0)) is None


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_that_the_kept_picture_shows_what_fresh_paint_shows(qtbot: QtBot, ratio: float) -> None:
    line = Annotation(Mark.LENGTH, ((31.0, 21.0), (77.0, 203.0)), "1", text="note")
    font = pixels(SMALL_PX)
    laid = lay(line, selected=line)
    size = VIEW.size().toSize() * ratio
    fresh, kept = (QImage(size, QImage.Format.Format_ARGB32_Premultiplied) for _ in range(2))
    for image in (fresh, kept):
        image.setDevicePixelRatio(ratio)
        image.fill(0)
        painter = QPainter(image)
        if image is fresh:
            _paint(painter, laid, font)
        else:
            painter.drawImage(*picture_of(laid, VIEW, ratio, font))
        painter.end()
    assert kept == fresh
