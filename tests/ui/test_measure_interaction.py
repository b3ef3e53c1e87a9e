"""The hand on the film: drawn by mouse on real films, read as the arithmetic says, at any view."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QGraphicsView
from pytestqt.qtbot import QtBot

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
from xrayview.io.readers import read_film, read_header
from xrayview.ui.measure.film_marks import FilmMarksModel, film_key
from xrayview.ui.measure.layer import MeasureLayer
from xrayview.ui.viewer.film_view import FilmViewer

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE = Qt.MouseButton.NoButton
DETECTOR = Spacing(0.2, 0.1, SpacingKind.DETECTOR)
"""Oblong, so that rows and columns cannot be exchanged unseen."""

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


def real_film(name: str) -> Radiograph:
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip("pydicom-data is not installed")
    path = Path(str(found))
    return read_film(read_header(path, path.parent))


class Hand:
    """A viewer with one real film and a mouse."""

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

    def send(self, kind: QEvent.Type, button: Qt.MouseButton, place: QPointF) -> None:
        target = self.viewer.findChild(QGraphicsView).viewport()
        pressed = kind not in (QEvent.Type.MouseButtonRelease, QEvent.Type.MouseMove)
        held = button if pressed else NONE
        everywhere = QPointF(target.mapToGlobal(place.toPoint()))
        none = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(target, QMouseEvent(kind, place, everywhere, button, held, none))

    def drag(self, *places: QPointF, button: Qt.MouseButton = LEFT) -> None:
        self.send(QEvent.Type.MouseButtonPress, button, places[0])
        for place in places[1:]:
            self.send(QEvent.Type.MouseMove, button, place)
        self.send(QEvent.Type.MouseButtonRelease, button, places[-1])

    def click(self, place: QPointF) -> None:
        self.drag(place)

    def hover(self, place: QPointF) -> None:
        self.send(QEvent.Type.MouseMove, NONE, place)

    def double_click(self, place: QPointF) -> None:
        self.click(place)
        self.send(QEvent.Type.MouseButtonDblClick, LEFT, place)
        self.send(QEvent.Type.MouseButtonRelease, LEFT, place)

    def draw(self, tool: str, *places: QPointF) -> Annotation:
        self.viewer.set_tool(tool)
        self.drag(*places)
        self.viewer.set_tool("window")
        return self.layer.annotations()[-1]

    def at(self, point: Point) -> QPointF:
        """Where a film point lies in the viewport."""
        return self.layer.item.to_screen(point)

    def value(self, annotation: Annotation, name: str) -> float:
        figures = {figure.name: figure.value for figure in self.layer.values(annotation)}
        value = figures[name]
        assert value is not None
        return value


@pytest.fixture(scope="module")
def chest() -> Radiograph:
    return replace(real_film("RG1_UNCR.dcm"), spacing=DETECTOR)


@pytest.fixture(scope="module")
def leg() -> Radiograph:
    return real_film("RG3_UNCR.dcm")


@pytest.fixture
def hand(qtbot: QtBot, chest: Radiograph) -> Hand:
    hand = Hand(chest)
    qtbot.addWidget(hand.viewer)
    return hand


A, B, C, D = QPointF(250, 140), QPointF(330, 190), QPointF(280, 260), QPointF(360, 300)


@pytest.mark.parametrize("view", VIEWS)
def test_that_a_drawn_length_is_the_distance_of_the_film_points_under_its_ends(
    hand: Hand, view: str
) -> None:
    VIEWS[view](hand.viewer)
    to_film = hand.viewer.placement.to_film
    drawn = hand.draw("length", A, C, B)
    expected = tuple((p.y() - 0.5, p.x() - 0.5) for p in (to_film(A), to_film(B)))
    assert np.allclose(drawn.points, expected)
    assert hand.value(drawn, "length") == pytest.approx(distance(*expected, DETECTOR))
    assert drawn.film == film_key(hand.film) == hand.film.ref.sop_uid


@pytest.mark.parametrize("view", VIEWS)
def test_that_a_drawing_stays_on_its_place_of_the_film(hand: Hand, view: str) -> None:
    drawn = hand.draw("length", A, B)
    value = hand.value(drawn, "length")
    VIEWS[view](hand.viewer)
    ends = [hand.viewer.placement.to_view().map(QPointF(c + 0.5, r + 0.5)) for r, c in drawn.points]
    assert [hand.at(point) for point in drawn.points] == ends
    assert hand.value(drawn, "length") == value


@pytest.mark.parametrize("view", VIEWS)
def test_that_the_probe_tells_the_pixel_under_the_pointer(hand: Hand, view: str) -> None:
    VIEWS[view](hand.viewer)
    heard: list[Probe | None] = []
    hand.layer.probed.connect(heard.append)
    hand.hover(A)
    pixel = heard[-1]
    assert pixel is not None
    under = hand.viewer.placement.to_film(A)
    assert (pixel.row, pixel.column) == (math.floor(under.y()), math.floor(under.x()))
    stored_HW = hand.film.pixels_HW[pixel.row : pixel.row + 1, pixel.column : pixel.column + 1]
    lut = build_lut(hand.film.greyscale, hand.viewer.voi, stored_HW.dtype)
    assert pixel.stored == stored_HW.item()
    assert pixel.displayed == apply_lut(stored_HW, lut).item()


def test_that_the_probe_follows_window_and_inversion_and_is_quiet_beside_the_film(
    hand: Hand,
) -> None:
    heard: list[Probe | None] = []
    hand.layer.probed.connect(heard.append)
    hand.hover(QPointF(320, 200))
    before = heard[-1]
    hand.viewer.set_inverted(True)
    after = heard[-1]
    assert before is not None
    assert after is not None
    assert after.displayed == 255 - before.displayed
    hand.hover(QPointF(2, 200))
    assert heard[-1] is None
    hand.hover(QPointF(320, 200))
    QApplication.sendEvent(hand.viewer._canvas, QEvent(QEvent.Type.Leave))
    assert heard[-1] is None


def test_that_a_length_on_a_film_without_spacing_is_in_pixels(
    qtbot: QtBot, leg: Radiograph
) -> None:
    hand = Hand(leg)
    qtbot.addWidget(hand.viewer)
    drawn = hand.draw("length", A, B)
    (figure,) = hand.layer.values(drawn)
    assert (figure.unit, figure.spacing) == ("px", SpacingKind.UNKNOWN)
    (drawing,) = hand.layer.drawings()
    assert drawing.lines[0].endswith(" px")


def test_that_an_angle_is_dragged_and_then_clicked(hand: Hand) -> None:
    hand.viewer.set_tool("angle")
    hand.drag(A, C, B)
    hand.hover(D)
    hand.click(D)
    (drawn,) = hand.layer.annotations()
    (degrees,) = measure(drawn, hand.film)
    assert drawn.points == tuple(hand.layer.item.to_film(place) for place in (A, B, D))
    assert hand.value(drawn, "angle") == degrees.value


def test_that_two_dragged_lines_make_a_cobb_angle_and_a_cardiothoracic_ratio(hand: Hand) -> None:
    for tool, name in (("cobb", "cobb angle"), ("cardiothoracic", "cardiothoracic ratio")):
        hand.viewer.set_tool("window")
        hand.layer.clear()
        hand.viewer.set_tool(tool)
        hand.drag(A, B)
        assert hand.layer.annotations() == ()
        hand.drag(C, D)
        (drawn,) = hand.layer.annotations()
        a, b, c, d = drawn.points
        expected = {
            "cobb angle": cobb_angle((a, b), (c, d), DETECTOR),
            "cardiothoracic ratio": distance(a, b, DETECTOR) / distance(c, d, DETECTOR),
        }
        assert hand.value(drawn, name) == pytest.approx(expected[name])


@pytest.mark.parametrize("tool", ["rectangle", "ellipse"])
@pytest.mark.parametrize("view", ["fitted", "turned and flipped"])
def test_that_a_region_tells_the_statistics_of_its_pixels(hand: Hand, tool: str, view: str) -> None:
    VIEWS[view](hand.viewer)
    drawn = hand.draw(tool, A, C, D)
    statistics = roi_statistics(hand.film, drawn.kind, drawn.points)
    for name, value in (("mean", statistics.mean), ("SD", statistics.sd)):
        assert hand.value(drawn, name) == value


def test_that_a_polygon_ends_where_it_began_or_with_a_double_click(hand: Hand) -> None:
    hand.viewer.set_tool("polygon")
    for corner in (A, B, C):
        hand.click(corner)
    assert hand.layer.annotations() == ()
    hand.click(A)
    hand.viewer.set_tool("window")
    hand.viewer.set_tool("polygon")
    offset = QPointF(150, 0)
    for corner in (A, B):
        hand.click(corner + offset)
    hand.double_click(C + offset)
    closed, clicked = hand.layer.annotations()
    assert len(closed.points) == len(clicked.points) == 3


def test_that_a_click_alone_draws_no_length(hand: Hand) -> None:
    hand.viewer.set_tool("length")
    hand.click(A)
    hand.click(A)
    assert hand.layer.annotations() == ()


@pytest.mark.parametrize("tool", ["window", "pan", "length"])
def test_that_a_handle_is_dragged_with_any_tool_in_hand(hand: Hand, tool: str) -> None:
    drawn = hand.draw("length", A, B)
    hand.viewer.set_tool(tool)
    window, placement = hand.viewer.voi, hand.viewer.placement
    hand.drag(B + QPointF(3, 2), C, D)
    (after,) = hand.layer.annotations()
    assert after.points[0] == drawn.points[0]
    assert after.points[1] == hand.layer.item.to_film(D)
    assert (hand.viewer.voi, hand.viewer.placement) == (window, placement)


def test_that_a_line_is_moved_as_a_whole_and_keeps_its_length(hand: Hand) -> None:
    drawn = hand.draw("length", A, B)
    middle = (A + B) / 2
    hand.drag(middle, middle + QPointF(10, 10), middle + QPointF(30, -20))
    (after,) = hand.layer.annotations()
    assert hand.at(after.points[0]).toTuple() == pytest.approx((A + QPointF(30, -20)).toTuple())
    assert hand.value(after, "length") == pytest.approx(hand.value(drawn, "length"))


def test_that_a_press_beside_the_drawings_windows_the_film(hand: Hand) -> None:
    hand.draw("length", A, B)
    before = hand.viewer.voi
    hand.drag(QPointF(400, 400), QPointF(430, 410))
    assert hand.viewer.voi != before
    assert hand.layer.selected is None


def test_that_the_middle_button_pans_while_a_tool_is_in_hand(hand: Hand) -> None:
    hand.viewer.set_tool("length")
    center = hand.viewer.placement.center
    hand.drag(A, B, button=MIDDLE)
    assert hand.viewer.placement.center != center
    assert hand.layer.annotations() == ()


def test_that_a_click_selects_and_delete_takes_it_off(hand: Hand) -> None:
    first, second = hand.draw("length", A, B), hand.draw("length", C, D)
    assert hand.layer.selected == second
    hand.click((A + B) / 2)
    assert hand.layer.selected == first
    hand.layer.delete_selected()
    assert hand.layer.annotations() == (second,)
    assert hand.layer.selected is None


def test_that_every_change_is_undone_and_done_again(hand: Hand) -> None:
    states = [hand.layer.annotations()]

    def note() -> None:
        states.append(hand.layer.annotations())

    hand.draw("length", A, B)
    note()
    hand.drag(B, D)
    note()
    hand.layer.delete_selected()
    note()
    assert len(set(states)) == 3  # nothing is drawn at the begin and at the end
    for state in reversed(states[:-1]):
        hand.layer.undo()
        assert hand.layer.annotations() == state
    hand.layer.undo()
    for state in states[1:]:
        hand.layer.redo()
        assert hand.layer.annotations() == state


def test_that_escape_gives_up_the_drawing_then_the_selection_then_the_tool(
    hand: Hand, qtbot: QtBot
) -> None:
    hand.viewer.set_tool("length")
    hand.drag(A, B)
    hand.viewer.set_tool("angle")
    hand.drag(C, D)
    assert len(hand.layer.item.states) == 2
    hand.layer.cancel()
    assert len(hand.layer.item.states) == 1
    hand.layer.select(hand.layer.annotations()[0])
    hand.layer.cancel()
    assert hand.layer.selected is None
    with qtbot.waitSignal(hand.viewer.tool_changed) as chosen:
        hand.layer.cancel()
    assert chosen.args == ["window"]
    assert len(hand.layer.annotations()) == 1


def test_that_text_is_written_on_the_film_and_edited_with_a_double_click(
    hand: Hand, qtbot: QtBot
) -> None:
    hand.viewer.set_tool("text")
    hand.click(A)
    field = hand.layer.field
    assert field.isVisible()
    qtbot.keyClicks(field, "nodule D A")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    hand.viewer.set_tool("window")
    (drawn,) = hand.layer.annotations()
    assert (drawn.kind, drawn.text) == (Mark.TEXT, "nodule D A")
    hand.double_click(A)
    qtbot.keyClicks(field, "scar")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert [a.text for a in hand.layer.annotations()] == ["scar"]
    hand.double_click(A)
    qtbot.keyClicks(field, "lost")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert [a.text for a in hand.layer.annotations()] == ["scar"]
    hand.double_click(A)
    field.clear()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert hand.layer.annotations() == ()


def test_that_a_region_sets_the_window_and_leaves_nothing_on_the_film(hand: Hand) -> None:
    hand.viewer.set_tool("region_window")
    hand.drag(A, C, D)
    points = tuple(hand.layer.item.to_film(place) for place in (A, D))
    assert hand.viewer.voi == region_window(hand.film, points)
    assert hand.layer.annotations() == ()


def test_that_calibration_changes_lengths_and_the_corner_and_is_undone(hand: Hand) -> None:
    drawn = hand.draw("length", A, B)
    before = hand.value(drawn, "length")
    hand.marks.calibrate(Spacing(0.4, 0.2, SpacingKind.USER))
    assert hand.value(drawn, "length") == pytest.approx(2 * before)
    (drawing,) = hand.layer.drawings()
    assert drawing.lines[0].endswith(" mm user")
    assert "0.4 × 0.2 mm/px user" in hand.viewer._corners.texts.bottom_right
    hand.layer.undo()
    assert hand.value(drawn, "length") == before
    assert "0.2 × 0.1 mm/px at detector" in hand.viewer._corners.texts.bottom_right


def test_that_a_known_length_is_asked_for_where_it_was_drawn(hand: Hand, qtbot: QtBot) -> None:
    hand.viewer.set_tool("calibrate")
    with qtbot.waitSignal(hand.layer.length_drawn) as asked:
        hand.drag(A, B)
    assert asked.args == [hand.layer.item.to_film(place) for place in (A, B)]
    assert hand.layer.annotations() == ()


def test_that_another_film_has_its_own_drawings(hand: Hand, leg: Radiograph) -> None:
    hand.draw("length", A, B)
    hand.viewer.show_film(leg, (2, 2))
    assert hand.layer.annotations() == ()
    assert hand.layer.item.states == ()
    hand.viewer.set_tool("length")
    hand.drag(A, B)  # what is kept of it is not read yet
    assert hand.layer.annotations() == ()
    hand.viewer.show_film(hand.film, (1, 2))
    hand.layer.set_marks(hand.marks)
    assert len(hand.layer.annotations()) == 1


def test_that_two_views_of_one_film_share_its_drawings(
    hand: Hand, qtbot: QtBot, chest: Radiograph
) -> None:
    other = Hand(chest)
    qtbot.addWidget(other.viewer)
    other.layer.set_marks(hand.marks)
    drawn = hand.draw("length", A, B)
    assert other.layer.annotations() == (drawn,)
    other.layer.select(drawn)
    other.layer.delete_selected()
    assert hand.layer.annotations() == ()
    assert hand.layer.selected is None


def test_that_a_picture_has_the_drawings_but_no_handles(hand: Hand) -> None:
    empty = hand.viewer.picture()
    hand.draw("length", A, B)
    hand.viewer.set_tool("window")
    chosen = hand.viewer.picture()
    hand.layer.select(None)
    plain = hand.viewer.picture()
    assert chosen == plain != empty


@pytest.mark.parametrize("grey", [0, 255], ids=["black", "white"])
def test_that_drawings_are_readable_on_white_and_on_black(qtbot: QtBot, grey: int) -> None:
    ref = FilmRef(Path("a.dcm"), "a.dcm", sop_uid="1")
    hand = Hand(Radiograph(ref, np.full((300, 400), grey, np.uint8), Greyscale()))
    qtbot.addWidget(hand.viewer)
    hand.viewer.set_window(Window(128.0, 256.0))
    hand.draw("length", QPointF(200, 200), QPointF(440, 200))
    hand.layer.select(None)
    image = hand.viewer.picture()
    across = [image.pixelColor(300, y).value() for y in range(192, 209)]
    assert across[0] == grey
    assert max(across) - min(across) > 100
    assert max(across) > 150
    assert min(across) < 110


def test_that_a_large_region_is_counted_where_nobody_waits(hand: Hand) -> None:
    waiting: list[Callable[[], None]] = []
    hand.layer.later = lambda _slot, work, done: waiting.append(lambda: done(work()))
    drawn = hand.draw("rectangle", QPointF(200, 60), QPointF(440, 420))
    assert [figure.name for figure in hand.layer.values(drawn)] == ["area"]
    assert len(waiting) == 1
    waiting[0]()
    expected = roi_statistics(hand.film, drawn.kind, drawn.points).mean
    assert hand.value(drawn, "mean") == expected


def test_that_a_film_of_a_file_without_uid_is_known_by_its_hash() -> None:
    film = real_film("RG1_UNCR.dcm")
    nameless = replace(film, ref=replace(film.ref, sop_uid="", path=Path("a.png")))
    assert film_key(nameless) == f"sha256:{film.sha256}"
