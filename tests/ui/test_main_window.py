"""The main window: drops, recent folders, screens, and starts in unusual home folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pydicom.data
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from xrayview.services.settings import BROKEN, Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.start_page import NOT_FOUND
from xrayview.ui.widgets.drop_target import Dropped, dropped
from xrayview.ui.widgets.window_placement import placed, to_next_screen

ROOT = Path(__file__).parents[2]
COPY, LEFT = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier


def data_of(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def drop(window: MainWindow, *paths: Path) -> None:
    """Drag over a widget, then drop; Qt delivers a drop only where the drag was accepted."""
    data = data_of(*paths)
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(20, 20), COPY, data, LEFT, NO_KEY))
    QApplication.sendEvent(window, QDropEvent(QPointF(20, 20), COPY, data, LEFT, NO_KEY))


# Drop


@pytest.mark.parametrize(
    ("names", "films", "model", "text"),
    [
        (["study"], ["study"], None, "Drop to open study"),
        (["a.dcm", "b.png"], ["a.dcm", "b.png"], None, "Drop to open 2 items"),
        (["m.PT"], [], "m.PT", "Drop to load the model m"),
        (["cd/DICOMDIR"], ["cd/DICOMDIR"], None, "Drop to open DICOMDIR"),
        (["study", "m.pt"], ["study"], "m.pt", "Drop to open study and load the model m"),
        ([], [], None, ""),
    ],
)
def test_that_a_drag_is_described_before_it_is_dropped(
    names: list[str], films: list[str], model: str | None, text: str
) -> None:
    root = Path("/films")
    what = dropped([root / name for name in names])
    assert what == Dropped(tuple(root / f for f in films), root / model if model else None)
    assert what.text == text


def test_that_the_drop_target_is_visible_only_during_a_drag(
    window: MainWindow, films: Path
) -> None:
    data = data_of(films)
    enter = QDragEnterEvent(QPoint(20, 20), COPY, data, LEFT, NO_KEY)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    assert window.drop_target.isVisible()
    assert window.drop_target.text() == f"Drop to open {films.name}"
    assert window.drop_target.geometry() == window.rect()
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not window.drop_target.isVisible()


def test_that_files_may_be_dropped_on_every_panel(qtbot: QtBot, opened: MainWindow) -> None:
    """A widget that accepts a drag and ignores the drop would hide it from the window."""
    opened.workspace.show_histogram(True)
    opened.panels.dock.open_page("tags")
    data = data_of(Path("/films/a.dcm"))
    data.setText("file:///films/a.dcm")  # as file managers do
    qtbot.waitUntil(lambda: opened.workspace.histogram.plot is not None, timeout=WAIT_MS)
    shown = [widget for widget in opened.findChildren(QWidget) if widget.isVisible()]
    names = {widget.accessibleName() for widget in shown}
    assert names >= {"Film", "Filter films", "Search the tags", "Grey-value histogram"}
    refused: list[str] = []
    for widget in shown:
        QApplication.sendEvent(widget, QDragEnterEvent(QPoint(2, 2), COPY, data, LEFT, NO_KEY))
        if not opened.drop_target.isVisible():
            refused.append(f"{type(widget).__name__} {widget.accessibleName()}")
        QApplication.sendEvent(opened, QDragLeaveEvent())
    assert refused == []


def test_that_a_dropped_text_is_not_a_film(window: MainWindow) -> None:
    data = QMimeData()
    data.setText("https://example.org")
    enter = QDragEnterEvent(QPoint(20, 20), COPY, data, LEFT, NO_KEY)
    enter.setAccepted(False)
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()
    assert not window.drop_target.isVisible()


def test_that_films_and_a_model_are_dropped_together(
    qtbot: QtBot, window: MainWindow, films: Path, bundle: Path
) -> None:
    drop(window, films, bundle)
    assert not window.drop_target.isVisible()
    session = window.workspace.session
    qtbot.waitUntil(
        lambda: session.model is not None and session.radiograph is not None, timeout=WAIT_MS
    )
    assert (session.folder, session.model.model.path) == (films, bundle)


def test_that_a_dicomdir_opens_the_films_it_refers_to(qtbot: QtBot, window: MainWindow) -> None:
    index = Path(pydicom.data.get_testdata_file("DICOMDIR"))
    with qtbot.waitSignal(window.workspace.films.finished_listing, timeout=WAIT_MS):
        drop(window, index)
    session = window.workspace.session
    assert session.folder == index.parent
    assert session.films
    assert index not in [film.path for film in session.films]


# Recent folders


def test_that_a_missing_folder_is_marked_and_can_be_removed_from_the_list(
    qtbot: QtBot, window: MainWindow, settings: Settings, films: Path
) -> None:
    gone = Path("/nowhere/gone")
    settings["recent_folders"] = [str(films), str(gone)]
    window.start_page.folder_forgotten.emit(Path("/never/there"))  # updates the list

    def row(name: str) -> QPushButton | None:
        buttons = window.start_page.findChildren(QPushButton)
        return next((b for b in buttons if b.text().startswith(name) and b.isVisible()), None)

    qtbot.waitUntil(lambda: row("gone") is not None and not row("gone").isEnabled())
    assert NOT_FOUND in row("gone").toolTip()
    assert row(films.name).isEnabled()
    menu = window.bar.buttons["open_folder"].menu()
    assert [action.isEnabled() for action in menu.actions()] == [True, False]
    forget = next(
        b
        for b in window.start_page.findChildren(QToolButton)
        if b.accessibleName() == "Remove gone from this list"
    )
    forget.click()
    assert settings["recent_folders"] == [str(films)]
    qtbot.waitUntil(lambda: row("gone") is None)


# Screens


SCREENS = [QRect(0, 0, 1920, 1080), QRect(1920, 0, 1280, 1024)]


@pytest.mark.parametrize(
    ("window", "screens", "expected"),
    [
        (QRect(100, 50, 1280, 800), SCREENS, QRect(100, 50, 1280, 800)),
        (QRect(2000, 40, 1100, 800), SCREENS, QRect(2000, 40, 1100, 800)),
        # Its monitor was disconnected.
        (QRect(2000, 40, 1100, 800), SCREENS[:1], QRect(410, 140, 1100, 800)),
        (QRect(-3000, -50, 1280, 800), SCREENS, QRect(320, 140, 1280, 800)),
        # The title bar is above the screen and out of reach.
        (QRect(100, -300, 1280, 800), SCREENS, QRect(320, 140, 1280, 800)),
        # A small screen limits the window.
        (QRect(0, 0, 1280, 800), [QRect(0, 0, 1024, 700)], QRect(0, 0, 1024, 700)),
    ],
)
def test_that_a_window_is_moved_onto_the_screen(
    window: QRect, screens: list[QRect], expected: QRect
) -> None:
    assert placed(window, screens) == expected


def test_that_a_message_says_that_only_one_monitor_is_connected(window: MainWindow) -> None:
    assert not to_next_screen(window)
    window._next_screen()
    assert "one monitor" in window.banners.messages()[-1].title


def test_that_full_screen_shows_only_the_film_and_restores_the_panels(
    qtbot: QtBot, opened: MainWindow
) -> None:
    workspace = opened.workspace
    around = {
        "bar": opened.bar,
        "status": opened.status,
        "browser": workspace.browser,
        "findings": workspace.findings,
        "dock": opened.panels.dock,
        "table": workspace.result_table,
    }
    before = {name: part.isVisible() for name, part in around.items()}
    qtbot.keyClick(opened, Qt.Key.Key_F11)
    assert opened.isFullScreen()
    assert not any(part.isVisible() for part in around.values())
    assert workspace.viewer.isVisible()
    qtbot.keyClick(opened, Qt.Key.Key_Escape)
    assert not opened.isFullScreen()
    assert {name: part.isVisible() for name, part in around.items()} == before


def test_that_a_window_closed_in_full_screen_opens_with_its_panels(
    qtbot: QtBot, opened: MainWindow, settings: Settings, tmp_path: Path
) -> None:
    opened._full_screen()
    opened.close()
    again = MainWindow(Settings(settings.path), tmp_path)
    qtbot.addWidget(again)
    again.show()
    assert not again.isFullScreen()
    assert again.bar.isVisible()


@pytest.mark.parametrize("size", [(1024, 700), (960, 600)])
def test_that_nothing_is_cut_off_on_a_small_screen(
    qtbot: QtBot, opened: MainWindow, size: tuple[int, int]
) -> None:
    opened.resize(*size)
    qtbot.waitUntil(lambda: (opened.width(), opened.height()) == size)
    workspace = opened.workspace
    for part in (workspace.browser, workspace.viewer, workspace.findings):
        area = QRect(part.mapTo(opened, QPoint(0, 0)), part.size())
        assert opened.rect().contains(area)
    assert workspace.viewer.width() >= 300


# A start in an unusual home folder

_START = """
import json, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from xrayview import app
from xrayview.ui.shell.main_window import MainWindow
report = {}
build_steps = MainWindow.build_steps
def built(window, *args):
    QTimer.singleShot(20_000, window.close)
    yield from build_steps(window, *args)
    report["titles"] = [message.title for message in window.banners.messages()]
    window.preferences.show()
    QTimer.singleShot(300, window.close)
MainWindow.build_steps = built
if __name__ == "__main__":
    report["code"] = app.main([])
    print(json.dumps(report))
"""


def start(folder: Path, **environment: str) -> dict:
    """Start the program, let it build its panels, close it; its exit code and banners."""
    import json

    script = folder / "start.py"
    script.write_text(_START, encoding="utf-8")
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    inherited = {key: value for key, value in os.environ.items() if key not in names}
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=200,
        check=False,
        env={**inherited, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen", **environment},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="the folders are those of Linux")
def test_that_the_program_starts_where_no_folder_can_be_made(tmp_path: Path) -> None:
    wall = tmp_path / "wall"
    wall.touch()  # a folder below a file cannot be made, not even by root
    report = start(tmp_path, HOME=str(wall / "home"))
    assert report["code"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the folders are those of Linux")
def test_that_the_program_starts_with_a_damaged_settings_file_and_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / ".config" / "xrayview" / "settings.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"device": "cpu", ')
    report = start(tmp_path, HOME=str(tmp_path))
    assert any("settings.json is damaged" in title for title in report["titles"])
    assert path.with_suffix(BROKEN).read_text() == '{"device": "cpu", '
    assert Settings(path).notes == ()


def test_that_a_user_without_a_home_gets_a_folder(monkeypatch) -> None:
    import platformdirs

    from xrayview.services import user_folders

    monkeypatch.setattr(platformdirs, "user_config_path", lambda *a, **k: Path("~/.config/x"))
    monkeypatch.setattr(platformdirs, "user_documents_path", lambda: Path("~/Documents"))
    assert user_folders.config_folder().is_absolute()
    assert user_folders.results_folder().is_absolute()
    assert not Path("~").exists()
