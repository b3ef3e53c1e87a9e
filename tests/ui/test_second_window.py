"""The film in a second window: what it shows, who it listens to, and that it is given back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, LentEngine
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.workspace import Workspace
from xrayview.ui.viewer.film_view import FilmViewer

ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def space(qtbot: QtBot, opened: MainWindow) -> Iterator[Workspace]:
    """Films on screen, and the current one in a second window too."""
    space = opened.workspace
    qtbot.keyClick(opened, Qt.Key.Key_F12)
    settle(qtbot, space)
    yield space
    space.second.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def settle(qtbot: QtBot, space: Workspace) -> None:
    views = space.session.views
    qtbot.waitUntil(
        lambda: all(v.film is None or v.radiograph or v.error for v in views), timeout=WAIT_MS
    )


def detached(space: Workspace) -> FilmViewer:
    return space.grid.detached.viewer


def beside(space: Workspace) -> FilmViewer:
    return space.grid.viewers[space.session.beside]


def press(qtbot: QtBot, space: Workspace, viewer: FilmViewer, key: Qt.Key, *held) -> None:
    """Click a film, press a key in its window, wait for the films."""
    qtbot.mouseClick(pixels_of(viewer), LEFT)
    qtbot.keyClick(viewer.focusProxy(), key, *held)
    settle(qtbot, space)


def pixels_of(viewer: FilmViewer) -> QWidget:
    return viewer.focusProxy().viewport()


def film_ids(space: Workspace) -> tuple[str, str]:
    return beside(space).film_id, detached(space).film_id


def test_that_the_second_window_shows_the_current_film_and_follows_the_list(
    qtbot: QtBot, space: Workspace
) -> None:
    assert detached(space).window() is space.second.window is not space.window()
    assert detached(space).isVisible()
    first = film_ids(space)
    assert first[0] == first[1] != ""
    space.browser.film_chosen.emit(space.session.films[2])
    settle(qtbot, space)
    assert film_ids(space) == (space.session.films[2].film_id,) * 2


def test_that_a_film_is_decoded_once_for_both(qtbot: QtBot, space: Workspace) -> None:
    space.browser.film_chosen.emit(space.session.films[1])
    settle(qtbot, space)
    main, second = space.session.views
    assert main.radiograph is second.radiograph


def test_that_keys_pressed_in_the_second_window_are_about_its_film(
    qtbot: QtBot, space: Workspace
) -> None:
    press(qtbot, space, detached(space), Qt.Key.Key_I)
    assert (beside(space).inverted, detached(space).inverted) == (False, True)
    press(qtbot, space, beside(space), Qt.Key.Key_H)
    assert (beside(space).placement.mirrored, detached(space).placement.mirrored) == (True, False)


def test_that_a_key_in_the_second_window_steps_both_while_it_follows(
    qtbot: QtBot, space: Workspace
) -> None:
    before = film_ids(space)
    press(qtbot, space, detached(space), Qt.Key.Key_Down)
    after = film_ids(space)
    assert after[0] == after[1] != before[0]


def test_that_a_pinned_film_stays_while_others_are_walked_through(
    qtbot: QtBot, space: Workspace
) -> None:
    pinned = detached(space).film_id
    press(qtbot, space, detached(space), Qt.Key.Key_F12, SHIFT)
    assert space.second.window.pin.isChecked()
    for viewer in (beside(space), detached(space)):  # in whichever window the key is pressed
        before = beside(space).film_id
        press(qtbot, space, viewer, Qt.Key.Key_Down)
        assert detached(space).film_id == pinned
        assert beside(space).film_id not in (before, pinned)
    space.second.window.pin.click()
    settle(qtbot, space)
    assert detached(space).film_id == beside(space).film_id


def test_that_another_folder_takes_the_pin_out(
    qtbot: QtBot, space: Workspace, tmp_path: Path, films: Path
) -> None:
    space.second.toggle_pin()
    with qtbot.waitSignal(space.workbench.finished_listing, timeout=WAIT_MS):
        space.workbench.open_paths([films / "png"])
    settle(qtbot, space)
    assert not space.second.window.pin.isChecked()
    assert film_ids(space) == (space.session.films[0].film_id,) * 2


def test_that_a_pinned_film_outlives_every_layout(qtbot: QtBot, space: Workspace) -> None:
    space.second.toggle_pin()
    pinned = detached(space).film_id
    press(qtbot, space, beside(space), Qt.Key.Key_Down)
    for key, count in ((Qt.Key.Key_4, 4), (Qt.Key.Key_2, 2), (Qt.Key.Key_1, 1)):
        press(qtbot, space, beside(space), key, ALT)
        assert detached(space).film_id == pinned
        assert detached(space).radiograph is not None
        assert len(space.session.views) == count + 1
        shown = [viewer for viewer in space.grid.viewers if viewer.isVisible()]
        assert shown == list(space.grid.viewers[: count + 1])


def test_that_the_view_that_was_clicked_last_is_followed(qtbot: QtBot, space: Workspace) -> None:
    press(qtbot, space, beside(space), Qt.Key.Key_2, ALT)
    other = space.grid.viewers[1]
    qtbot.mouseClick(pixels_of(other), LEFT)
    settle(qtbot, space)
    assert detached(space).film_id == other.film_id != space.grid.viewers[0].film_id


def test_that_the_second_window_has_the_heat_map_of_its_own_film(
    qtbot: QtBot, ready: MainWindow
) -> None:
    space = ready.workspace
    space.second.open()
    qtbot.mouseClick(pixels_of(detached(space)), LEFT)
    with qtbot.waitSignal(space.judging.heat_map_ready, timeout=WAIT_MS):
        space.heat.set_on(True)
        space.judging.classify()
    assert detached(space).heat_layer is not None
    assert beside(space).heat_layer is None
    space.second.close()


def test_that_a_double_click_gives_the_film_the_whole_of_its_screen_and_escape_ends_it(
    qtbot: QtBot, space: Workspace
) -> None:
    window = space.second.window
    qtbot.mouseDClick(pixels_of(detached(space)), LEFT)
    assert window.isFullScreen()
    assert not window.pin.isVisible()
    assert not space.window().isFullScreen()
    qtbot.keyClick(detached(space).focusProxy(), Qt.Key.Key_Escape)
    assert not window.isFullScreen()
    assert window.pin.isVisible()


@pytest.mark.parametrize("closed_by", ["key", "window"])
def test_that_closing_gives_the_view_back(qtbot: QtBot, space: Workspace, closed_by: str) -> None:
    qtbot.mouseClick(pixels_of(detached(space)), LEFT)
    assert space.session.active == space.session.detached == 1
    if closed_by == "key":
        qtbot.keyClick(detached(space).focusProxy(), Qt.Key.Key_F12)
    else:
        space.second.window.close()
    assert space.second.window is None
    assert (len(space.session.views), space.session.active, space.grid.active) == (1, 0, 0)
    assert not detached(space).isVisible()
    assert space.viewer.isVisible()
    assert space.viewer.radiograph is space.session.radiograph is not None
    qtbot.waitUntil(space.window().isActiveWindow)
    qtbot.keyClick(space.window(), Qt.Key.Key_I)
    assert space.viewer.inverted


def test_that_the_main_window_takes_the_second_one_with_it_and_it_comes_back(
    qtbot: QtBot,
    opened: MainWindow,
    engine: Engine,
    settings: Settings,
    films: Path,
    tmp_path: Path,
) -> None:
    opened.workspace.second.open()
    opened.workspace.second.window.setGeometry(60, 70, 500, 420)
    opened.close()
    assert opened.workspace.second.window is None
    again = MainWindow(Settings(settings.path), tmp_path)
    qtbot.addWidget(again)
    again.show()
    again.wake(LentEngine(engine))
    space = again.workspace
    assert space.second.window is None  # until there is a film
    with qtbot.waitSignal(space.workbench.finished_listing, timeout=WAIT_MS):
        again.open_paths([films])
    settle(qtbot, space)
    assert space.second.window.geometry().getRect() == (60, 70, 500, 420)
    assert film_ids(space) == (space.session.current.film_id,) * 2
    again.close()


def test_that_what_is_hidden_in_one_window_is_hidden_in_the_other(
    qtbot: QtBot, space: Workspace
) -> None:
    press(qtbot, space, detached(space), Qt.Key.Key_X)
    assert space.hides_identity
    assert all(viewer._identity_hidden for viewer in (beside(space), detached(space)))
