"""The last folder is opened again at the next start, if it still exists."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview import app
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow


def reopen(window: MainWindow, last: Path) -> None:
    """Reopen a folder as at a start, and wait for the check of the disk."""
    app._reopen(window, last)
    for thread in threading.enumerate():
        if thread.name == "xrayview last folder":
            thread.join()
    QApplication.sendPostedEvents(None, QEvent.Type.MetaCall)


def test_that_the_folder_that_was_open_last_is_opened_again(
    qtbot: QtBot,
    opened: MainWindow,
    settings: Settings,
    engine: Engine,
    films: Path,
    tmp_path: Path,
) -> None:
    opened.close()
    stored = Settings(settings.path)
    assert stored["reopen_folder"]
    again = MainWindow(stored, tmp_path / "results")
    qtbot.addWidget(again)
    again.build_panels(SharedEngine(engine))
    again.banners.close_message("model")
    controller = again.workspace.films
    with qtbot.waitSignal(controller.finished_listing, timeout=WAIT_MS):
        reopen(again, Path(stored["window_state"]["source"]))
    assert again.workspace.session.folder == films
    again.close()


def test_that_the_start_page_stays_if_the_folder_is_missing(
    window: MainWindow, tmp_path: Path
) -> None:
    reopen(window, tmp_path / "gone")
    assert window.pages.currentWidget() is window.start_page
    assert not window.banners.messages()


def test_that_what_the_user_opened_meanwhile_stays(
    opened: MainWindow, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_paths: list[list[Path]] = []
    monkeypatch.setattr(opened, "open_paths", opened_paths.append)
    reopen(opened, tmp_path)
    assert opened_paths == []
    assert opened.workspace.session.folder == films
