"""A folder classification under a filter, and beside another folder."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from tests.ui.test_window_batch import open_many, rows_of
from xrayview.batch.report import report_path
from xrayview.ui.batch.which_films import WhichFilms
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.widgets.banners import FOLDER_TOPICS, Message


def ask(qtbot: QtBot, window: MainWindow, text: str) -> WhichFilms:
    """Filter the list by a text and press B."""
    window.workspace.browser.field.setText(text)
    window.activateWindow()  # an earlier question may have been the active window
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_B)
    question = window.findChild(WhichFilms)
    assert question is not None
    assert not window.workspace.batch_runner.running
    return question


def csv_after(qtbot: QtBot, window: MainWindow, button: QPushButton) -> Path:
    batch = window.workspace.batch_runner
    with qtbot.waitSignal(batch.finished, timeout=WAIT_MS):
        button.click()
    assert batch.csv_path is not None
    return batch.csv_path


def test_that_a_batch_under_a_filter_classifies_the_listed_films_or_all(
    qtbot: QtBot, ready: MainWindow
) -> None:
    question = ask(qtbot, ready, "film2")
    assert "1 film matches" in question.informativeText()
    path = csv_after(qtbot, ready, question.listed_button)
    assert [row["path"] for row in rows_of(path)] == ["film2.dcm"]
    assert json.loads(report_path(path).read_text(encoding="utf-8"))["chosen_files"] == 1
    assert "1 row " in ready.workspace.batch_line.text()

    path = csv_after(qtbot, ready, ask(qtbot, ready, "film2").all_button)
    assert len(rows_of(path)) == 6


def test_that_the_question_can_be_cancelled(qtbot: QtBot, ready: MainWindow) -> None:
    ask(qtbot, ready, "film").cancel_button.click()
    assert not ready.workspace.batch_runner.running
    assert ready.workspace.batch_line.isHidden()


def test_that_without_a_listed_film_only_the_folder_is_offered(
    qtbot: QtBot, ready: MainWindow
) -> None:
    question = ask(qtbot, ready, "no such film")
    assert not question.listed_button.isEnabled()
    question.cancel_button.click()


def test_that_a_run_of_another_folder_is_called_so_and_blocks_a_second_one(
    qtbot: QtBot, ready: MainWindow, films: Path, tmp_path: Path
) -> None:
    workspace = ready.workspace
    open_many(qtbot, ready, films, tmp_path / "many", 60)
    qtbot.keyClick(ready, Qt.Key.Key_B)
    qtbot.waitSignal(workspace.batch_runner.progressed, timeout=WAIT_MS).wait()
    workspace.batch_runner.set_paused(True)
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        ready.open_paths([films / "png"])
    assert workspace.batch_line.text().startswith("Another folder:")
    qtbot.keyClick(ready, Qt.Key.Key_B)
    assert ready.banners.messages()[-1].title == "A folder is being classified"
    with qtbot.waitSignal(workspace.batch_runner.finished, timeout=WAIT_MS):
        workspace.batch_runner.cancel()
    assert workspace.batch_line.text().startswith("Another folder:")
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        ready.open_paths([films])
    assert workspace.batch_line.isHidden()
    qtbot.keyClick(ready, Qt.Key.Key_B)
    assert not workspace.batch_line.text().startswith("Another folder:")
    assert not ready.banners.messages()
    with qtbot.waitSignal(workspace.batch_runner.finished, timeout=WAIT_MS):
        pass


def test_that_a_batch_that_is_cancelled_before_its_first_film_says_so(
    qtbot: QtBot, ready: MainWindow
) -> None:
    batch = ready.workspace.batch_runner
    with qtbot.waitSignal(batch.withdrawn, timeout=WAIT_MS):
        batch.start()
        batch.cancel()
    assert "cancelled before the first film" in ready.workspace.batch_line.text()
    with qtbot.waitSignal(batch.finished, timeout=WAIT_MS):
        batch.resume()
    assert "6 rows" in ready.workspace.batch_line.text()


def test_that_messages_about_a_folder_end_with_it(
    qtbot: QtBot, ready: MainWindow, films: Path
) -> None:
    workspace, banners = ready.workspace, ready.banners
    banners.show_message(Message("model", "warn", "about the model"))
    for topic in FOLDER_TOPICS:
        banners.show_message(Message(topic, "error", "about a file of the folder"))
        with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
            ready.open_paths([films / "png"])
        assert [message.topic for message in banners.messages()] == ["model"]
