"""Drawing with the mouse on real films: values match the arithmetic in any placement."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QGraphicsView
from pytestqt.qtbot import QtBot

from tests.ui.conftest import real_film
from xrayview.display.greyscale import apply_lut, build_lut
from xrayview.display.measure import cobb_angle, distance, measure
from xrayview.display.regions import region_window, roi_statistics
from xrayview.domain.film import FilmRef
from xrayview.domain.measurement import Annotation, FilmMarks, Mark, Probe
from xrayview.domain.radiograph import (
    Greyscale,
    Point,
    Radiograph,
    Spacing,
    SpacingKind,
    Window,
)
from xrayview.ui.measure.film_marks import FilmMarksModel, film_key
from xrayview.ui.measure.layer import MeasureLayer
from xrayview.ui.viewer.film_view import FilmViewer

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE = Qt.MouseButton.NoButton
DETECTOR = Spacing(0.2, 0.1, SpacingKind.DETECTOR)
"""Oblong, so that swapping rows and columns would be noticed."""

VIEWS: dict[str, Callable[[FilmViewer], None]] = {
    "fitted": lambda viewer: viewer.fit(),
    "one to one": lambda viewer: viewer.one_to_one(),
    "flipped": lambda viewer: viewer.flip_horizontal(),
    "upside down": lambda viewer: viewer.flip_vertical(),
    "turned": lambda viewer: viewer.rotate(1),
    "turned and flipped": lambda viewer: (viewer.rotate(-1), viewer.flip_horizontal()),
    "enlarged": lambda viewer: viewer._canvas.set_placement(
        viewer.placement.zoomed_at(QPointF(300, 250), 20)
    ),
}


class Mouse:
    """Sends mouse events to a viewer with one real film."""

    def __init__(self, film: Radiograph) -> None:
        self.viewer = FilmViewer()
        self.viewer.resize(640, 480)
        self.viewer.show()
        self.marks = FilmMarksModel()
        self.marks.take(FilmMarks())
        self.film = film
        self.viewer.show_film(film, (1, 1))
        self.layer.set_marks(self.marks)

    @property
    def layer(self) -> MeasureLayer:
        return self.viewer.measure

    def send(self, kind: QEvent.Type, button: Qt.MouseButton, position: QPointF) -> None:
        target = self.viewer.findChild(QGraphicsView).viewport()
        pressed = kind not in (QEvent.Type.MouseButtonRelease, QEvent.Type.MouseMove)
        held = button if pressed else NONE
        everywhere = QPointF(target.mapToGlobal(position.toPoint()))
        none = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(target, QMouseEvent(kind, position, everywhere, button, held, none))

    def drag(self, *positions: QPointF, button: Qt.MouseButton = LEFT) -> None:
        self.send(QEvent.Type.MouseButtonPress, button, positions[0])
        for position in positions[1:]:
            self.send(QEvent.Type.MouseMove, button, position)
        self.send(QEvent.Type.MouseButtonRelease, button, positions[-1])

    def click(self, position: QPointF) -> None:
        self.drag(position)

    def hover(self, position: QPointF) -> None:
        self.send(QEvent.Type.MouseMove, NONE, position)

    def double_click(self, position: QPointF) -> None:
        self.click(position)
        self.send(QEvent.Type.MouseButtonDblClick, LEFT, position)
        self.send(QEvent.Type.MouseButtonRelease, LEFT, position)

    def draw(self, tool: str, *positions: QPointF) -> Annotation:
        self.viewer.set_tool(tool)
        self.drag(*positions)
        self.viewer.set_tool("window")
        return self.layer.annotations()[-1]

    def at(self, point: Point) -> QPointF:
        """Return the position of a film point in the viewport."""
        return self.layer.item.to_screen(point)

    def value(self, annotation: Annotation, name: str) -> float:
        values = {value.name: value.value for value in self.layer.values(annotation)}
        value = values[name]
        assert value is not None
        return value


@pytest.fixture(scope="module")
def chest() -> Radiograph:
    return replace(real_film("RG1_UNCR.dcm"), spacing=DETECTOR)


@pytest.fixture(scope="module")
def leg() -> Radiograph:
    return real_film("RG3_UNCR.dcm")


@pytest.fixture
def mouse(qtbot: QtBot, chest: Radiograph) -> Mouse:
    mouse = Mouse(chest)
    qtbot.addWidget(mouse.viewer)
    return mouse


A, B, C, D = QPointF(250, 140), QPointF(330, 190), QPointF(280, 260), QPointF(360, 300)


@pytest.mark.parametrize("view", VIEWS)
def test_that_a_drawn_length_is_the_distance_of_the_film_points_under_its_ends(
    mouse: Mouse, view: str
) -> None:
    VIEWS[view](mouse.viewer)
    to_film = mouse.viewer.placement.to_film
    drawn = mouse.draw("length", A, C, B)
    expected = tuple((p.y() - 0.5, p.x() - 0.5) for p in (to_film(A), to_film(B)))
    assert np.allclose(drawn.points, expected)
    assert mouse.value(drawn, "length") == pytest.approx(distance(*expected, DETECTOR))
    assert drawn.film == film_key(mouse.film) == mouse.film.ref.sop_uid


@pytest.mark.parametrize("view", VIEWS)
def test_that_a_drawing_stays_at_its_position_on_the_film(mouse: Mouse, view: str) -> None:
    drawn = mouse.draw("length", A, B)
    value = mouse.value(drawn, "length")
    VIEWS[view](mouse.viewer)
    ends = [
        mouse.viewer.placement.to_view().map(QPointF(c + 0.5, r + 0.5)) for r, c in drawn.points
    ]
    assert [mouse.at(point) for point in drawn.points] == ends
    assert mouse.value(drawn, "length") == value


@pytest.mark.parametrize("view", VIEWS)
def test_that_the_probe_reads_the_pixel_under_the_pointer(mouse: Mouse, view: str) -> None:
    VIEWS[view](mouse.viewer)
    probes: list[Probe | None] = []
    mouse.layer.probed.connect(probes.append)
    mouse.hover(A)
    pixel = probes[-1]
    assert pixel is not None
    under = mouse.viewer.placement.to_film(A)
    assert (pixel.row, pixel.column) == (math.floor(under.y()), math.floor(under.x()))
    stored_HW = mouse.film.pixels_HW[pixel.row : pixel.row + 1, pixel.column : pixel.column + 1]
    lut = build_lut(mouse.film.greyscale, mouse.viewer.voi, stored_HW.dtype)
    assert pixel.stored == stored_HW.item()
    assert pixel.displayed == apply_lut(stored_HW, lut).item()


def test_that_the_probe_follows_window_and_inversion_and_is_empty_beside_the_film(
    mouse: Mouse,
) -> None:
    probes: list[Probe | None] = []
    mouse.layer.probed.connect(probes.append)
    mouse.hover(QPointF(320, 200))
    before = probes[-1]
    mouse.viewer.set_inverted(True)
    after = probes[-1]
    assert before is not None
    assert after is not None
    assert after.displayed == 255 - before.displayed
    mouse.hover(QPointF(2, 200))
    assert probes[-1] is None
    mouse.hover(QPointF(320, 200))
    QApplication.sendEvent(mouse.viewer._canvas, QEvent(QEvent.Type.Leave))
    assert probes[-1] is None


def test_that_a_length_on_a_film_without_spacing_is_in_pixels(
    qtbot: QtBot, leg: Radiograph
) -> None:
    mouse = Mouse(leg)
    qtbot.addWidget(mouse.viewer)
    drawn = mouse.draw("length", A, B)
    (value,) = mouse.layer.values(drawn)
    assert (value.unit, value.spacing) == ("px", SpacingKind.UNKNOWN)
    (drawing,) = mouse.layer.drawings()
    assert drawing.lines[0].endswith(" px")


def test_that_an_angle_is_dragged_and_then_clicked(mouse: Mouse) -> None:
    mouse.viewer.set_tool("angle")
    mouse.drag(A, C, B)
    mouse.hover(D)
    mouse.click(D)
    (drawn,) = mouse.layer.annotations()
    (degrees,) = measure(drawn, mouse.film)
    assert drawn.points == tuple(mouse.layer.item.to_film(position) for position in (A, B, D))
    assert mouse.value(drawn, "angle") == degrees.value


def test_that_two_dragged_lines_make_a_cobb_angle_and_a_cardiothoracic_ratio(mouse: Mouse) -> None:
    for tool, name in (("cobb", "cobb angle"), ("cardiothoracic", "cardiothoracic ratio")):
        mouse.viewer.set_tool("window")
        mouse.layer.clear()
        mouse.viewer.set_tool(tool)
        mouse.drag(A, B)
        assert mouse.layer.annotations() == ()
        mouse.drag(C, D)
        (drawn,) = mouse.layer.annotations()
        a, b, c, d = drawn.points
        expected = {
            "cobb angle": cobb_angle((a, b), (c, d), DETECTOR),
            "cardiothoracic ratio": distance(a, b, DETECTOR) / distance(c, d, DETECTOR),
        }
        assert mouse.value(drawn, name) == pytest.approx(expected[name])


@pytest.mark.parametrize("tool", ["rectangle", "ellipse"])
@pytest.mark.parametrize("view", ["fitted", "turned and flipped"])
def test_that_a_region_has_the_statistics_of_its_pixels(mouse: Mouse, tool: str, view: str) -> None:
    VIEWS[view](mouse.viewer)
    drawn = mouse.draw(tool, A, C, D)
    statistics = roi_statistics(mouse.film, drawn.kind, drawn.points)
    for name, value in (("mean", statistics.mean), ("SD", statistics.sd)):
        assert mouse.value(drawn, name) == value


def test_that_a_polygon_ends_where_it_began_or_with_a_double_click(mouse: Mouse) -> None:
    mouse.viewer.set_tool("polygon")
    for corner in (A, B, C):
        mouse.click(corner)
    assert mouse.layer.annotations() == ()
    mouse.click(A)
    mouse.viewer.set_tool("window")
    mouse.viewer.set_tool("polygon")
    offset = QPointF(150, 0)
    for corner in (A, B):
        mouse.click(corner + offset)
    mouse.double_click(C + offset)
    closed, clicked = mouse.layer.annotations()
    assert len(closed.points) == len(clicked.points) == 3


def test_that_a_click_does_not_draw_a_length(mouse: Mouse) -> None:
    mouse.viewer.set_tool("length")
    mouse.click(A)
    mouse.click(A)
    assert mouse.layer.annotations() == ()


@pytest.mark.parametrize("tool", ["window", "pan", "length"])
def test_that_a_handle_can_be_dragged_with_any_tool(mouse: Mouse, tool: str) -> None:
    drawn = mouse.draw("length", A, B)
    mouse.viewer.set_tool(tool)
    window, placement = mouse.viewer.voi, mouse.viewer.placement
    mouse.drag(B + QPointF(3, 2), C, D)
    (after,) = mouse.layer.annotations()
    assert after.points[0] == drawn.points[0]
    assert after.points[1] == mouse.layer.item.to_film(D)
    assert (mouse.viewer.voi, mouse.viewer.placement) == (window, placement)


def test_that_a_line_is_moved_as_a_whole_and_keeps_its_length(mouse: Mouse) -> None:
    drawn = mouse.draw("length", A, B)
    middle = (A + B) / 2
    mouse.drag(middle, middle + QPointF(10, 10), middle + QPointF(30, -20))
    (after,) = mouse.layer.annotations()
    assert mouse.at(after.points[0]).toTuple() == pytest.approx((A + QPointF(30, -20)).toTuple())
    assert mouse.value(after, "length") == pytest.approx(mouse.value(drawn, "length"))


def test_that_a_press_beside_the_drawings_changes_the_window(mouse: Mouse) -> None:
    mouse.draw("length", A, B)
    before = mouse.viewer.voi
    mouse.drag(QPointF(400, 400), QPointF(430, 410))
    assert mouse.viewer.voi != before
    assert mouse.layer.selected is None


def test_that_the_middle_button_pans_with_any_tool(mouse: Mouse) -> None:
    mouse.viewer.set_tool("length")
    center = mouse.viewer.placement.center
    mouse.drag(A, B, button=MIDDLE)
    assert mouse.viewer.placement.center != center
    assert mouse.layer.annotations() == ()


def test_that_a_click_selects_and_delete_removes(mouse: Mouse) -> None:
    first, second = mouse.draw("length", A, B), mouse.draw("length", C, D)
    assert mouse.layer.selected == second
    mouse.click((A + B) / 2)
    assert mouse.layer.selected == first
    mouse.layer.delete_selected()
    assert mouse.layer.annotations() == (second,)
    assert mouse.layer.selected is None


def test_that_every_change_can_be_undone_and_redone(mouse: Mouse) -> None:
    states = [mouse.layer.annotations()]

    def note() -> None:
        states.append(mouse.layer.annotations())

    mouse.draw("length", A, B)
    note()
    mouse.drag(B, D)
    note()
    mouse.layer.delete_selected()
    note()
    assert len(set(states)) == 3  # nothing is drawn at the beginning and at the end
    for state in reversed(states[:-1]):
        mouse.layer.undo()
        assert mouse.layer.annotations() == state
    mouse.layer.undo()
    for state in states[1:]:
        mouse.layer.redo()
        assert mouse.layer.annotations() == state


def test_that_escape_cancels_the_drawing_then_the_selection_then_the_tool(
    mouse: Mouse, qtbot: QtBot
) -> None:
    mouse.viewer.set_tool("length")
    mouse.drag(A, B)
    mouse.viewer.set_tool("angle")
    mouse.drag(C, D)
    assert len(mouse.layer.item.states) == 2
    mouse.layer.cancel()
    assert len(mouse.layer.item.states) == 1
    mouse.layer.select(mouse.layer.annotations()[0])
    mouse.layer.cancel()
    assert mouse.layer.selected is None
    with qtbot.waitSignal(mouse.viewer.tool_changed) as chosen:
        mouse.layer.cancel()
    assert chosen.args == ["window"]
    assert len(mouse.layer.annotations()) == 1


def test_that_text_is_written_on_the_film_and_edited_with_a_double_click(
    mouse: Mouse, qtbot: QtBot
) -> None:
    mouse.viewer.set_tool("text")
    mouse.click(A)
    field = mouse.layer.field
    assert field.isVisible()
    qtbot.keyClicks(field, "nodule D A")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    mouse.viewer.set_tool("window")
    (drawn,) = mouse.layer.annotations()
    assert (drawn.kind, drawn.text) == (Mark.TEXT, "nodule D A")
    mouse.double_click(A)
    qtbot.keyClicks(field, "scar")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert [a.text for a in mouse.layer.annotations()] == ["scar"]
    mouse.double_click(A)
    qtbot.keyClicks(field, "lost")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert [a.text for a in mouse.layer.annotations()] == ["scar"]
    mouse.double_click(A)
    field.clear()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert mouse.layer.annotations() == ()


def test_that_a_region_sets_the_window_and_is_not_kept_on_the_film(mouse: Mouse) -> None:
    mouse.viewer.set_tool("region_window")
    mouse.drag(A, C, D)
    points = tuple(mouse.layer.item.to_film(position) for position in (A, D))
    assert mouse.viewer.voi == region_window(mouse.film, points)
    assert mouse.layer.annotations() == ()


def test_that_calibration_changes_lengths_and_the_corner_and_is_undone(mouse: Mouse) -> None:
    drawn = mouse.draw("length", A, B)
    before = mouse.value(drawn, "length")
    mouse.marks.calibrate(Spacing(0.4, 0.2, SpacingKind.USER))
    assert mouse.value(drawn, "length") == pytest.approx(2 * before)
    (drawing,) = mouse.layer.drawings()
    assert drawing.lines[0].endswith(" mm (user-calibrated)")
    assert "0.4 × 0.2 mm/px (user-calibrated)" in mouse.viewer._corners.texts.bottom_right
    mouse.layer.undo()
    assert mouse.value(drawn, "length") == before
    assert "0.2 × 0.1 mm/px at detector" in mouse.viewer._corners.texts.bottom_right


def test_that_drawing_a_calibration_line_asks_for_its_length(mouse: Mouse, qtbot: QtBot) -> None:
    mouse.viewer.set_tool("calibrate")
    with qtbot.waitSignal(mouse.layer.length_drawn) as drawn:
        mouse.drag(A, B)
    assert drawn.args == [mouse.layer.item.to_film(position) for position in (A, B)]
    assert mouse.layer.annotations() == ()


def test_that_another_film_has_its_own_drawings(mouse: Mouse, leg: Radiograph) -> None:
    mouse.draw("length", A, B)
    mouse.viewer.show_film(leg, (2, 2))
    assert mouse.layer.annotations() == ()
    assert mouse.layer.item.states == ()
    mouse.viewer.set_tool("length")
    mouse.drag(A, B)  # its saved annotations are not loaded yet
    assert mouse.layer.annotations() == ()
    mouse.viewer.show_film(mouse.film, (1, 2))
    mouse.layer.set_marks(mouse.marks)
    assert len(mouse.layer.annotations()) == 1


def test_that_two_views_of_one_film_share_its_drawings(
    mouse: Mouse, qtbot: QtBot, chest: Radiograph
) -> None:
    other = Mouse(chest)
    qtbot.addWidget(other.viewer)
    other.layer.set_marks(mouse.marks)
    drawn = mouse.draw("length", A, B)
    assert other.layer.annotations() == (drawn,)
    other.layer.select(drawn)
    other.layer.delete_selected()
    assert mouse.layer.annotations() == ()
    assert mouse.layer.selected is None


def test_that_a_picture_has_the_drawings_but_no_handles(mouse: Mouse) -> None:
    empty = mouse.viewer.picture()
    mouse.draw("length", A, B)
    mouse.viewer.set_tool("window")
    chosen = mouse.viewer.picture()
    mouse.layer.select(None)
    plain = mouse.viewer.picture()
    assert chosen == plain != empty


@pytest.mark.parametrize("grey", [0, 255], ids=["black", "white"])
def test_that_drawings_are_readable_on_white_and_on_black(qtbot: QtBot, grey: int) -> None:
    ref = FilmRef(Path("a.dcm"), "a.dcm", sop_uid="1")
    mouse = Mouse(Radiograph(ref, np.full((300, 400), grey, np.uint8), Greyscale()))
    qtbot.addWidget(mouse.viewer)
    mouse.viewer.set_window(Window(128.0, 256.0))
    mouse.draw("length", QPointF(200, 200), QPointF(440, 200))
    mouse.layer.select(None)
    image = mouse.viewer.picture()
    across = [image.pixelColor(300, y).value() for y in range(192, 209)]
    assert across[0] == grey
    assert max(across) - min(across) > 100
    assert max(across) > 150
    assert min(across) < 110


def test_that_a_large_region_is_computed_in_the_background(mouse: Mouse) -> None:
    waiting: list[Callable[[], None]] = []
    mouse.layer.later = lambda _slot, work, done: waiting.append(lambda: done(work()))
    drawn = mouse.draw("rectangle", QPointF(200, 60), QPointF(440, 420))
    assert [value.name for value in mouse.layer.values(drawn)] == ["area"]
    assert len(waiting) == 1
    waiting[0]()
    expected = roi_statistics(mouse.film, drawn.kind, drawn.points).mean
    assert mouse.value(drawn, "mean") == expected


def test_that_a_file_without_uid_is_identified_by_its_hash() -> None:
    film = real_film("RG1_UNCR.dcm")
    nameless = replace(film, ref=replace(film.ref, sop_uid="", path=Path("a.png")))
    assert film_key(nameless) == f"sha256:{film.sha256}"
