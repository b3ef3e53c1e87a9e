"""The film in a second window: what it shows, who it listens to, and that it is given back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.workspace import Workspace
from xrayview.ui.viewer.film_view import FilmViewer

ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def workspace(qtbot: QtBot, opened: MainWindow) -> Iterator[Workspace]:
    """Films on screen, and the current one in a second window too."""
    workspace = opened.workspace
    qtbot.keyClick(opened, Qt.Key.Key_F12)
    settle(qtbot, workspace)
    yield workspace
    workspace.second_window.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def settle(qtbot: QtBot, workspace: Workspace) -> None:
    views = workspace.session.views
    qtbot.waitUntil(
        lambda: all(v.film is None or v.radiograph or v.error for v in views), timeout=WAIT_MS
    )


def detached(workspace: Workspace) -> FilmViewer:
    return workspace.grid.detachable_cell.viewer


def beside(workspace: Workspace) -> FilmViewer:
    return workspace.grid.viewers[workspace.session.active_in_grid]


def press(qtbot: QtBot, workspace: Workspace, viewer: FilmViewer, key: Qt.Key, *held) -> None:
    """Click a film, press a key in its window, wait for the films."""
    qtbot.mouseClick(pixels_of(viewer), LEFT)
    qtbot.keyClick(viewer.focusProxy(), key, *held)
    settle(qtbot, workspace)


def pixels_of(viewer: FilmViewer) -> QWidget:
    return viewer.focusProxy().viewport()


def film_ids(workspace: Workspace) -> tuple[str, str]:
    return beside(workspace).film_id, detached(workspace).film_id


def test_that_the_second_window_shows_the_current_film_and_follows_the_list(
    qtbot: QtBot, workspace: Workspace
) -> None:
    assert detached(workspace).window() is workspace.second_window.window is not workspace.window()
    assert detached(workspace).isVisible()
    first = film_ids(workspace)
    assert first[0] == first[1] != ""
    workspace.browser.film_chosen.emit(workspace.session.films[2])
    settle(qtbot, workspace)
    assert film_ids(workspace) == (workspace.session.films[2].film_id,) * 2


def test_that_a_film_is_decoded_once_for_both(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.browser.film_chosen.emit(workspace.session.films[1])
    settle(qtbot, workspace)
    main, second = workspace.session.views
    assert main.radiograph is second.radiograph


def test_that_keys_pressed_in_the_second_window_are_about_its_film(
    qtbot: QtBot, workspace: Workspace
) -> None:
    press(qtbot, workspace, detached(workspace), Qt.Key.Key_I)
    assert (beside(workspace).inverted, detached(workspace).inverted) == (False, True)
    press(qtbot, workspace, beside(workspace), Qt.Key.Key_H)
    assert (beside(workspace).placement.mirrored, detached(workspace).placement.mirrored) == (
        True,
        False,
    )


def test_that_a_key_in_the_second_window_steps_both_while_it_follows(
    qtbot: QtBot, workspace: Workspace
) -> None:
    before = film_ids(workspace)
    press(qtbot, workspace, detached(workspace), Qt.Key.Key_Down)
    after = film_ids(workspace)
    assert after[0] == after[1] != before[0]


def test_that_a_pinned_film_stays_while_others_are_walked_through(
    qtbot: QtBot, workspace: Workspace
) -> None:
    pinned = detached(workspace).film_id
    press(qtbot, workspace, detached(workspace), Qt.Key.Key_F12, SHIFT)
    assert workspace.second_window.window.pin.isChecked()
    for viewer in (
        beside(workspace),
        detached(workspace),
    ):  # in whichever window the key is pressed
        before = beside(workspace).film_id
        press(qtbot, workspace, viewer, Qt.Key.Key_Down)
        assert detached(workspace).film_id == pinned
        assert beside(workspace).film_id not in (before, pinned)
    workspace.second_window.window.pin.click()
    settle(qtbot, workspace)
    assert detached(workspace).film_id == beside(workspace).film_id


def test_that_another_folder_takes_the_pin_out(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path, films: Path
) -> None:
    workspace.second_window.toggle_pin()
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        workspace.films.open_paths([films / "png"])
    settle(qtbot, workspace)
    assert not workspace.second_window.window.pin.isChecked()
    assert film_ids(workspace) == (workspace.session.films[0].film_id,) * 2


def test_that_a_pinned_film_outlives_every_layout(qtbot: QtBot, workspace: Workspace) -> None:
    workspace.second_window.toggle_pin()
    pinned = detached(workspace).film_id
    press(qtbot, workspace, beside(workspace), Qt.Key.Key_Down)
    for key, count in ((Qt.Key.Key_4, 4), (Qt.Key.Key_2, 2), (Qt.Key.Key_1, 1)):
        press(qtbot, workspace, beside(workspace), key, ALT)
        assert detached(workspace).film_id == pinned
        assert detached(workspace).radiograph is not None
        assert len(workspace.session.views) == count + 1
        shown = [viewer for viewer in workspace.grid.viewers if viewer.isVisible()]
        assert shown == list(workspace.grid.viewers[: count + 1])


def test_that_the_view_that_was_clicked_last_is_followed(
    qtbot: QtBot, workspace: Workspace
) -> None:
    press(qtbot, workspace, beside(workspace), Qt.Key.Key_2, ALT)
    other = workspace.grid.viewers[1]
    qtbot.mouseClick(pixels_of(other), LEFT)
    settle(qtbot, workspace)
    assert detached(workspace).film_id == other.film_id != workspace.grid.viewers[0].film_id


def test_that_the_second_window_has_the_heat_map_of_its_own_film(
    qtbot: QtBot, ready: MainWindow
) -> None:
    workspace = ready.workspace
    workspace.second_window.open()
    qtbot.mouseClick(pixels_of(detached(workspace)), LEFT)
    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS):
        workspace.heat_maps.set_on(True)
        workspace.model_controller.classify()
    assert detached(workspace).heat_layer is not None
    assert beside(workspace).heat_layer is None
    workspace.second_window.close()


def test_that_a_double_click_gives_the_film_the_whole_of_its_screen_and_escape_ends_it(
    qtbot: QtBot, workspace: Workspace
) -> None:
    window = workspace.second_window.window
    qtbot.mouseDClick(pixels_of(detached(workspace)), LEFT)
    assert window.isFullScreen()
    assert not window.pin.isVisible()
    assert not workspace.window().isFullScreen()
    qtbot.keyClick(detached(workspace).focusProxy(), Qt.Key.Key_Escape)
    assert not window.isFullScreen()
    assert window.pin.isVisible()


@pytest.mark.parametrize("closed_by", ["key", "window"])
def test_that_closing_gives_the_view_back(
    qtbot: QtBot, workspace: Workspace, closed_by: str
) -> None:
    qtbot.mouseClick(pixels_of(detached(workspace)), LEFT)
    assert workspace.session.active == workspace.session.detached == 1
    if closed_by == "key":
        qtbot.keyClick(detached(workspace).focusProxy(), Qt.Key.Key_F12)
    else:
        workspace.second_window.window.close()
    assert workspace.second_window.window is None
    assert (len(workspace.session.views), workspace.session.active, workspace.grid.active) == (
        1,
        0,
        0,
    )
    assert not detached(workspace).isVisible()
    assert workspace.viewer.isVisible()
    assert workspace.viewer.radiograph is workspace.session.radiograph is not None
    qtbot.waitUntil(workspace.window().isActiveWindow)
    qtbot.keyClick(workspace.window(), Qt.Key.Key_I)
    assert workspace.viewer.inverted


def test_that_the_main_window_takes_the_second_one_with_it_and_it_comes_back(
    qtbot: QtBot,
    opened: MainWindow,
    engine: Engine,
    settings: Settings,
    films: Path,
    tmp_path: Path,
) -> None:
    opened.workspace.second_window.open()
    opened.workspace.second_window.window.setGeometry(60, 70, 500, 420)
    opened.close()
    assert opened.workspace.second_window.window is None
    again = MainWindow(Settings(settings.path), tmp_path)
    qtbot.addWidget(again)
    again.show()
    again.build_panels(SharedEngine(engine))
    workspace = again.workspace
    assert workspace.second_window.window is None  # until there is a film
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        again.open_paths([films])
    settle(qtbot, workspace)
    assert workspace.second_window.window.geometry().getRect() == (60, 70, 500, 420)
    assert film_ids(workspace) == (workspace.session.current.film_id,) * 2
    again.close()


def test_that_what_is_hidden_in_one_window_is_hidden_in_the_other(
    qtbot: QtBot, workspace: Workspace
) -> None:
    press(qtbot, workspace, detached(workspace), Qt.Key.Key_X)
    assert workspace.hides_identity
    assert all(viewer._identity_hidden for viewer in (beside(workspace), detached(workspace)))
