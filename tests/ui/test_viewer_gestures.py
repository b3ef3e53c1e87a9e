"""Gestures and placement: first plain values, then real events on a viewport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QGraphicsView
from pytestqt.qtbot import QtBot

from xrayview.display.voi import drag_window, window_to_drag
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Lut, Radiograph, Window
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.viewer.mouse import WheelSteps, zoom_of_drag
from xrayview.ui.viewer.placement import Placement

LEFT, MIDDLE, RIGHT = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.MiddleButton,
    Qt.MouseButton.RightButton,
)
NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
WINDOW = Window(2000.0, 1000.0)


def film(greyscale: Greyscale | None = None) -> Radiograph:
    pixels_HW = np.linspace(0, 4095, 300 * 200).reshape(300, 200).astype(np.uint16)
    ref = FilmRef(Path("folder/film.dcm"), "film.dcm", rows=300, columns=200)
    return Radiograph(ref, pixels_HW, greyscale or Greyscale(windows=(WINDOW,)))


@pytest.fixture
def viewer(viewer: FilmViewer) -> FilmViewer:
    viewer.show_film(film(), (2, 5))
    return viewer


def surface(viewer: FilmViewer) -> QGraphicsView:
    view = viewer.findChild(QGraphicsView)
    assert isinstance(view, QGraphicsView)
    return view


def mouse(viewer: FilmViewer, kind: QEvent.Type, button: Qt.MouseButton, point: QPointF) -> None:
    target = surface(viewer).viewport()
    held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else button
    position = QPointF(target.mapToGlobal(point.toPoint()))
    QApplication.sendEvent(target, QMouseEvent(kind, point, position, button, held, NONE))


def drag(viewer: FilmViewer, button: Qt.MouseButton, start: QPointF, *ends: QPointF) -> None:
    mouse(viewer, QEvent.Type.MouseButtonPress, button, start)
    for end in ends:
        mouse(viewer, QEvent.Type.MouseMove, button, end)
    mouse(viewer, QEvent.Type.MouseButtonRelease, button, (start, *ends)[-1])


def wheel(
    viewer: FilmViewer,
    angle: int,
    *,
    keys: Qt.KeyboardModifier = NONE,
    at: QPointF | None = None,
    phase: Qt.ScrollPhase = Qt.ScrollPhase.NoScrollPhase,
) -> None:
    target = surface(viewer).viewport()
    point = at or QPointF(100, 100)
    position = QPointF(target.mapToGlobal(point.toPoint()))
    turn = QPoint(0, angle)
    event = QWheelEvent(
        point, position, QPoint(), turn, Qt.MouseButton.NoButton, keys, phase, False
    )
    QApplication.sendEvent(target, event)


def test_that_small_turns_of_the_wheel_add_up_to_one_film() -> None:
    steps = WheelSteps()
    assert [steps.add(-40) for _ in range(6)] == [0, 0, 1, 0, 0, 1]


def test_that_the_wheel_steps_back_at_its_first_notch() -> None:
    steps = WheelSteps()
    steps.add(-100)
    assert steps.add(120) == -1


def test_that_fit_shows_the_whole_film_also_when_it_is_turned() -> None:
    placement = Placement(QSize(200, 300), QSize(640, 480), turns=1).fitted()
    shown = placement.to_view().mapRect(placement.film_rect())
    assert shown.width() == pytest.approx(640)
    assert shown.top() >= 0
    assert shown.bottom() <= 480


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_that_a_zoom_keeps_the_point_under_the_pointer(turns: int, mirrored: bool) -> None:
    placement = Placement(QSize(900, 700), QSize(640, 480), turns=turns, mirrored=mirrored).fitted()
    pointer = QPointF(320, 200)
    before = placement.to_film(pointer)
    after = placement.zoomed_at(pointer, 3.0).to_film(pointer)
    assert (after - before).manhattanLength() < 2 / placement.zoom


@pytest.mark.parametrize("turns", range(4))
def test_that_a_flip_swaps_sides_of_the_screen_however_the_film_is_turned(turns: int) -> None:
    placement = Placement(QSize(200, 300), QSize(640, 480), turns=turns).fitted()
    corner = QPointF(10, 20)
    x, y = placement.to_view().map(corner).toTuple()
    flipped = placement.flipped_horizontal().to_view().map(corner)
    assert flipped.toTuple() == pytest.approx((640 - x, y), abs=1)
    upended = placement.flipped_vertical().to_view().map(corner)
    assert upended.toTuple() == pytest.approx((x, 480 - y), abs=1)


def test_that_a_film_cannot_be_dragged_out_of_sight() -> None:
    placement = Placement(QSize(200, 300), QSize(640, 480)).fitted().panned(QPointF(9999, -9999))
    shown = placement.to_view().mapRect(placement.film_rect())
    assert shown.left() == pytest.approx(320, abs=1)
    assert shown.bottom() == pytest.approx(240, abs=1)


def test_that_a_left_drag_moves_width_and_centre_in_steps_of_the_width(viewer: FilmViewer) -> None:
    drag(viewer, LEFT, QPointF(100, 100), QPointF(130, 90), QPointF(164, 68))
    assert viewer.voi_window == drag_window(WINDOW, 64, -32)
    assert viewer.voi_window is not None
    assert viewer.voi_window.width > WINDOW.width
    assert viewer.voi_window.center == pytest.approx(WINDOW.center - WINDOW.width / 8)


def test_that_a_drag_back_to_its_start_restores_the_window(viewer: FilmViewer) -> None:
    drag(viewer, LEFT, QPointF(100, 100), QPointF(300, 50), QPointF(100, 100))
    assert viewer.voi_window is not None
    assert (viewer.voi_window.center, viewer.voi_window.width) == (WINDOW.center, WINDOW.width)


def test_that_a_drag_on_a_voi_lut_gives_a_window_over_its_input(viewer: FilmViewer) -> None:
    lut = Lut(0, np.arange(4096, dtype=np.uint16), 12)
    viewer.show_film(film(Greyscale(voi_luts=(lut,))), (1, 1))
    assert viewer.voi_window is None
    drag(viewer, LEFT, QPointF(100, 100), QPointF(110, 100))
    assert viewer.voi_window == drag_window(window_to_drag(lut), 10, 0)


def test_that_the_wheel_requests_the_next_and_the_previous_film(
    viewer: FilmViewer, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(viewer.step_requested) as forth:
        wheel(viewer, -120)
    with qtbot.waitSignal(viewer.step_requested) as back:
        wheel(viewer, 120)
    assert (forth.args, back.args) == ([1], [-1])


def test_that_touchpad_momentum_does_not_step_through_the_films(
    viewer: FilmViewer, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(viewer.step_requested):
        wheel(viewer, -600, phase=Qt.ScrollPhase.ScrollMomentum)


def test_that_control_and_wheel_zoom_at_the_cursor_and_stay_on_the_film(
    viewer: FilmViewer, qtbot: QtBot
) -> None:
    cursor = QPointF(250, 300)
    before, zoom = viewer.placement.to_film(cursor), viewer.zoom
    with qtbot.assertNotEmitted(viewer.step_requested):
        wheel(viewer, 360, keys=CTRL, at=cursor)
    assert viewer.zoom == pytest.approx(zoom * 1.2**3)
    assert (viewer.placement.to_film(cursor) - before).manhattanLength() < 1


def grey_on(viewer: FilmViewer) -> npt.NDArray[np.int16]:
    image = surface(viewer).viewport().grab().toImage()
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    flat = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return flat[:, : grey.width()].astype(np.int16)


def noise() -> Radiograph:
    pixels_HW = np.random.default_rng(2).integers(0, 4096, (3000, 2000), dtype=np.uint16)
    return replace(film(Greyscale(windows=(Window(2048.0, 4096.0),))), pixels_HW=pixels_HW)


@pytest.mark.parametrize("turns", [0, 1])
def test_that_a_zoomed_film_is_drawn_exactly_once_the_motion_ends(
    viewer: FilmViewer, qtbot: QtBot, turns: int
) -> None:
    viewer.show_film(noise(), (2, 5))
    viewer.rotate(turns)
    item = surface(viewer).film  # type: ignore[attr-defined]
    wheel(viewer, 700, keys=CTRL, at=QPointF(250, 300))
    moving = grey_on(viewer)
    assert item._sample.in_motion
    qtbot.waitUntil(lambda: not item._in_motion)
    at_rest = grey_on(viewer)
    assert not item._sample.in_motion
    item._sample = item._picture = None
    np.testing.assert_array_equal(grey_on(viewer), at_rest)
    # Noise: a shift of an eighth of a pixel is an eighth of the way to any other grey.
    assert np.abs(moving - at_rest).max() <= 255 / 8 + 1


def test_that_panning_after_a_zoom_reuses_no_pixels_of_the_motion(
    viewer: FilmViewer,
) -> None:
    viewer.show_film(noise(), (2, 5))
    wheel(viewer, 700, keys=CTRL, at=QPointF(250, 300))
    grey_on(viewer)
    drag(viewer, MIDDLE, QPointF(200, 200), QPointF(230, 190))
    panned = grey_on(viewer)
    item = surface(viewer).film  # type: ignore[attr-defined]
    item._sample = item._picture = None
    np.testing.assert_array_equal(grey_on(viewer), panned)


def test_that_a_picture_taken_in_motion_is_exact(viewer: FilmViewer, qtbot: QtBot) -> None:
    viewer.show_film(noise(), (2, 5))
    wheel(viewer, 700, keys=CTRL, at=QPointF(250, 300))
    grey_on(viewer)
    item = surface(viewer).film  # type: ignore[attr-defined]
    assert item._sample.in_motion
    taken = viewer.picture()
    qtbot.waitUntil(lambda: not item._in_motion)
    assert taken == viewer.picture()


def test_that_a_right_drag_upwards_enlarges_about_the_press_point(viewer: FilmViewer) -> None:
    press = QPointF(280, 200)
    before, zoom = viewer.placement.to_film(press), viewer.zoom
    drag(viewer, RIGHT, press, QPointF(290, 150))
    assert viewer.zoom == pytest.approx(zoom * zoom_of_drag(-50))
    assert viewer.zoom > zoom
    assert (viewer.placement.to_film(press) - before).manhattanLength() < 1


@pytest.mark.parametrize(
    ("button", "choose"),
    [(MIDDLE, lambda _: None), (LEFT, lambda viewer: viewer.set_tool("pan"))],
    ids=["middle button", "pan tool"],
)
def test_that_the_film_follows_a_pan(
    viewer: FilmViewer, button: Qt.MouseButton, choose: Callable[[FilmViewer], None]
) -> None:
    choose(viewer)
    start, end = QPointF(300, 200), QPointF(320, 215)
    point = viewer.placement.to_film(start)
    drag(viewer, button, start, end)
    assert viewer.placement.to_view().map(point).toTuple() == pytest.approx(end.toTuple(), abs=1)
    assert viewer.voi_window == WINDOW


def test_that_the_zoom_tool_takes_the_left_button(viewer: FilmViewer, qtbot: QtBot) -> None:
    zoom = viewer.zoom
    with qtbot.waitSignal(viewer.tool_changed) as chosen:
        viewer.set_tool("zoom")
    drag(viewer, LEFT, QPointF(300, 200), QPointF(300, 240))
    assert chosen.args == ["zoom"]
    assert viewer.zoom < zoom
    assert viewer.voi_window == WINDOW


def test_that_a_double_click_requests_to_maximise_the_view(
    viewer: FilmViewer, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(viewer.maximise_requested):
        mouse(viewer, QEvent.Type.MouseButtonDblClick, LEFT, QPointF(100, 100))


@pytest.mark.parametrize("button", [LEFT, MIDDLE, RIGHT])
def test_that_a_drag_ends_when_the_film_changes(viewer: FilmViewer, button: Qt.MouseButton) -> None:
    mouse(viewer, QEvent.Type.MouseButtonPress, button, QPointF(100, 100))
    mouse(viewer, QEvent.Type.MouseMove, button, QPointF(150, 150))
    viewer.show_film(film(), (3, 5))
    fresh = viewer.placement
    mouse(viewer, QEvent.Type.MouseMove, button, QPointF(200, 200))
    assert (viewer.voi_window, viewer.placement) == (WINDOW, fresh)
    mouse(viewer, QEvent.Type.MouseButtonRelease, button, QPointF(200, 200))
    mouse(viewer, QEvent.Type.MouseButtonPress, button, QPointF(100, 100))
    viewer.show_empty("Open a folder")
    mouse(viewer, QEvent.Type.MouseMove, button, QPointF(200, 200))
    assert viewer.voi_window is None


def test_that_gestures_without_a_film_change_nothing(viewer: FilmViewer) -> None:
    viewer.show_empty("Open a folder")
    drag(viewer, LEFT, QPointF(100, 100), QPointF(200, 200))
    wheel(viewer, 120, keys=CTRL)
    viewer.auto_window()
    viewer.set_inverted(True)
    viewer.reset_view()
    assert viewer.voi_window is None
    assert not viewer.inverted
