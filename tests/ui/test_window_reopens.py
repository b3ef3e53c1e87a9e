"""What was open last is open again at the next start; what is gone is not missed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, LentEngine
from xrayview import app
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow


def reopen(window: MainWindow, last: Path) -> None:
    """As at a start, with the look at the disk behind it."""
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
    kept = Settings(settings.path)
    assert kept["reopen_folder"]
    again = MainWindow(kept, tmp_path / "results")
    qtbot.addWidget(again)
    again.build_panels(LentEngine(engine))
    again.banners.close_message("model")
    controller = again.workspace.films
    with qtbot.waitSignal(controller.finished_listing, timeout=WAIT_MS):
        reopen(again, Path(kept["window_state"]["source"]))
    assert again.workspace.session.folder == films
    again.close()


def test_that_a_folder_that_is_gone_leaves_the_start_page(
    window: MainWindow, tmp_path: Path
) -> None:
    reopen(window, tmp_path / "gone")
    assert window.pages.currentWidget() is window.start_page
    assert not window.banners.messages()


def test_that_what_the_user_opened_meanwhile_stays(
    opened: MainWindow, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[Path]] = []
    monkeypatch.setattr(opened, "open_paths", asked.append)
    reopen(opened, tmp_path)
    assert asked == []
    assert opened.workspace.session.folder == films
