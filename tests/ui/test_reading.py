"""Reading sessions in the window: keys, order, blinding, undo, crash, export."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_raster
from tests.ui.conftest import WAIT_MS
from xrayview.domain.reading import FIVE_STEPS, LabelSet, State
from xrayview.errors import UsageError
from xrayview.io.reading_log import SessionHeader, read_log
from xrayview.services.reader_session import project_folder, session_path
from xrayview.ui.reading.controller import ReadingController
from xrayview.ui.shell.main_window import MainWindow

LABELS = LabelSet(("Pneumonia", "Effusion"), FIVE_STEPS)
COUNT = 4


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    for index in range(COUNT):
        write_raster(folder / f"f{index}.png", phantom(64 + index, 64))
    return folder


@pytest.fixture
def at_study(qtbot: QtBot, window: MainWindow, study: Path) -> MainWindow:
    with qtbot.waitSignal(window.workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([study])
    on_screen(qtbot, window)
    return window


def on_screen(qtbot: QtBot, window: MainWindow) -> None:
    session = window.workspace.session
    qtbot.waitUntil(lambda: session.radiograph is not None, timeout=WAIT_MS)
    window.workspace.refresh.run_now()


def begin(qtbot: QtBot, window: MainWindow, *, blinded: bool = False) -> ReadingController:
    controller = window.workspace.reading_controller
    controller.begin(SessionHeader("MK", "1", "", blinded), LABELS)
    on_screen(qtbot, window)
    return controller


def press(
    qtbot: QtBot,
    window: MainWindow,
    key: Qt.Key,
    modifier: Qt.KeyboardModifier = (Qt.KeyboardModifier.NoModifier),
) -> None:
    window.workspace.grid.take_keyboard()
    focused = QApplication.focusWidget() or window
    qtbot.keyClick(focused, key, modifier)
    on_screen(qtbot, window)


def states(study: Path) -> list[dict[str, State]]:
    _, readings = read_log(session_path(project_folder(study), "MK", "1"))
    return [dict(entry.verdict.states) for entry in readings.saved if not entry.taken_back]


def test_that_keys_judge_save_and_open_the_next_film(
    qtbot: QtBot, at_study: MainWindow, study: Path
) -> None:
    controller = begin(qtbot, at_study)
    reading = controller.reading
    assert reading is not None
    for key in reading.order:
        current = at_study.workspace.session.current
        assert current is not None
        assert current.relative_path == key.path
        press(qtbot, at_study, Qt.Key.Key_1)
        press(qtbot, at_study, Qt.Key.Key_2)
        press(qtbot, at_study, Qt.Key.Key_2)
        press(qtbot, at_study, Qt.Key.Key_Return)
    assert states(study) == [{"Pneumonia": State.PRESENT, "Effusion": State.ABSENT}] * COUNT
    assert "All films of this session are read" in controller.panel.note.text()
    assert f"{COUNT} of {COUNT} read" in controller.panel.progress.text()


def test_that_a_film_without_a_verdict_is_not_saved(
    qtbot: QtBot, at_study: MainWindow, study: Path
) -> None:
    controller = begin(qtbot, at_study)
    before = at_study.workspace.session.current
    press(qtbot, at_study, Qt.Key.Key_Return)
    assert at_study.workspace.session.current == before
    assert "The verdict is empty" in controller.panel.note.text()
    assert states(study) == []


def test_that_undo_takes_the_verdict_back_and_shows_its_film(
    qtbot: QtBot, at_study: MainWindow, study: Path
) -> None:
    controller = begin(qtbot, at_study)
    first = at_study.workspace.session.current
    press(qtbot, at_study, Qt.Key.Key_1)
    press(qtbot, at_study, Qt.Key.Key_Return)
    assert at_study.workspace.session.current != first
    press(qtbot, at_study, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert at_study.workspace.session.current == first
    assert states(study) == []
    assert controller.panel.rows[0].state is None


def test_that_skipped_films_stay_unread_and_come_back(qtbot: QtBot, at_study: MainWindow) -> None:
    controller = begin(qtbot, at_study)
    reading = controller.reading
    assert reading is not None
    press(qtbot, at_study, Qt.Key.Key_Down)
    current = at_study.workspace.session.current
    assert current is not None
    assert current.relative_path == reading.order[1].path
    assert reading.progress.read == 0
    press(qtbot, at_study, Qt.Key.Key_Up)
    assert at_study.workspace.session.current == reading.film(reading.order[0])


def test_that_a_rating_and_a_comment_come_back_with_their_film(
    qtbot: QtBot, at_study: MainWindow
) -> None:
    controller = begin(qtbot, at_study)
    controller.panel.rows[0].set_rated(4)
    controller.panel.comment.setText("motion")
    controller.save()
    on_screen(qtbot, at_study)
    assert controller.panel.rows[0].rated is None
    assert controller.panel.comment.text() == ""
    controller.back()
    on_screen(qtbot, at_study)
    assert controller.panel.rows[0].rated == 4
    assert controller.panel.comment.text() == "motion"


def test_that_a_blinded_session_hides_scores_names_and_lists(
    qtbot: QtBot, at_study: MainWindow
) -> None:
    workspace = at_study.workspace
    controller = begin(qtbot, at_study, blinded=True)
    assert not any(panel.isVisible() for panel in workspace.around_the_film())
    assert workspace.hides_identity
    assert at_study.windowTitle() == "XrayView"
    assert at_study.panels.dock.page == "reading"
    assert not any("film" in line for line in workspace.viewer._corners.texts.bottom_left)
    press(qtbot, at_study, Qt.Key.Key_T)
    press(qtbot, at_study, Qt.Key.Key_X)
    assert at_study.panels.dock.page == "reading"
    assert workspace.hides_identity
    workspace.save_state()
    assert not at_study._settings["hide_identity"]  # the next start is not blinded
    controller.end()
    assert workspace.browser.isVisible()
    assert not workspace.hides_identity
    assert "study" in at_study.windowTitle()


def test_that_another_folder_ends_the_session(
    qtbot: QtBot, at_study: MainWindow, tmp_path: Path
) -> None:
    controller = begin(qtbot, at_study, blinded=True)
    other = tmp_path / "other"
    other.mkdir()
    write_raster(other / "x.png", phantom(70, 64))
    with qtbot.waitSignal(at_study.workspace.films.finished_listing, timeout=WAIT_MS):
        at_study.open_paths([other])
    assert controller.reading is None
    assert at_study.workspace.browser.isVisible()
    press(qtbot, at_study, Qt.Key.Key_1)  # a window again
    assert not controller.panel.in_session


def test_that_the_dialog_keeps_its_answers_when_the_session_cannot_begin(
    qtbot: QtBot, at_study: MainWindow
) -> None:
    controller = begin(qtbot, at_study)
    controller.end()
    controller.ask()
    dialog = controller.dialog
    assert dialog is not None
    assert dialog.findings.toPlainText() == "Pneumonia\nEffusion"
    dialog.reader.setText("MK")
    dialog.accept()  # blinded, unlike the session that exists
    assert "begun in another way" in dialog.problem.text()
    assert dialog.isVisible()
    dialog.blinded.setChecked(False)
    dialog.accept()
    assert controller.reading is not None


def test_that_two_windows_do_not_share_a_session(qtbot: QtBot, at_study: MainWindow) -> None:
    controller = begin(qtbot, at_study)
    with pytest.raises(UsageError, match="in use by another run"):
        ReadingController(
            at_study.workspace.session,
            at_study.workspace.grid,
            at_study.workspace.view_controller,
            controller.panel,
        ).begin(SessionHeader("MK", "1"), LABELS)


def test_that_readings_and_labels_are_exported(
    qtbot: QtBot, at_study: MainWindow, study: Path
) -> None:
    controller = begin(qtbot, at_study)
    for row in controller.panel.rows:
        row.set_state(State.ABSENT)
    controller.save()
    controller.end()
    assert "MK, session 1: 1 film read" in controller.panel.sessions.text()
    controller.export()
    exports = project_folder(study) / "exports"
    assert "No Finding" in (exports / "labels.csv").read_text(encoding="utf-8")
    assert (exports / "readings.csv").is_file()
