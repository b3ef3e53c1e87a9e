"""Dialogs with answers: nothing is lost by Enter, Esc, Cancel or the close button."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from xrayview.errors import ContractBroken
from xrayview.ui.export.figure_dialog import FigureDialog
from xrayview.ui.export.folder_deidentify import FolderDeidentify
from xrayview.ui.export.folder_pictures import FolderPictures
from xrayview.ui.export.folder_tags import FolderTags
from xrayview.ui.model_import.dialog import ModelImportDialog
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.widgets.form_dialog import FormDialog

FOURTEEN = [f"Finding {number}" for number in range(1, 15)]


def answer_import(dialog: FormDialog) -> None:
    assert isinstance(dialog, ModelImportDialog)
    dialog.findings.add(FOURTEEN)
    for box, value in ((dialog.fit, "letterbox"), (dialog.scale.names, "plain")):
        box.setCurrentIndex(box.findData(value))


def answer_figure(dialog: FormDialog) -> None:
    assert isinstance(dialog, FigureDialog)
    dialog.boxes["corners"].toggle()


def answer_folder(dialog: FormDialog) -> None:
    assert isinstance(dialog, FolderPictures | FolderDeidentify)
    dialog.folder.edit.setText("somewhere")


def answer_tags(dialog: FormDialog) -> None:
    assert isinstance(dialog, FolderTags)
    dialog.columns.choose(["Rows", "Columns"])


FORMS: dict[str, Callable[[FormDialog], None]] = {
    "import": answer_import,
    "save_figure": answer_figure,
    "export_folder": answer_folder,
    "deidentify": answer_folder,
    "tag_table": answer_tags,
}


def open_form(qtbot: QtBot, window: MainWindow, name: str, path: Path) -> FormDialog:
    if name == "import":
        window.panels.model_import.ask(path)
        dialog = window.panels.model_import.dialog
    else:
        exports = window.panels.exports
        exports.commands()[name]()
        qtbot.waitUntil(lambda: exports.dialog(name) is not None, timeout=WAIT_MS)
        dialog = exports.dialog(name)
    assert isinstance(dialog, FormDialog)
    return dialog


def is_open(window: MainWindow, dialog: FormDialog) -> bool:
    return any(form is dialog for form in window.findChildren(FormDialog) if form.isVisible())


def answer_question(dialog: FormDialog, text: str) -> None:
    box = dialog.question
    assert isinstance(box, QMessageBox)
    next(button for button in box.buttons() if button.text() == text).click()


def press(window: MainWindow, dialog: FormDialog, how: str) -> None:
    if how == "Esc":
        # Not by keyClick: offscreen, the window stays the active one and takes the key.
        none = Qt.KeyboardModifier.NoModifier
        dialog.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, none))
    elif how == "X":
        dialog.close()
    else:
        buttons = [b for b in dialog.findChildren(QPushButton) if b.window() is dialog]
        close = next(
            b for b in buttons if b.text().strip("&") in ("Cancel", "Close") and b.isVisible()
        )
        close.click()


@pytest.mark.parametrize("name", FORMS)
def test_that_closing_a_filled_form_asks(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, name: str
) -> None:
    dialog = open_form(qtbot, opened, name, tmp_path / "net.pt")
    FORMS[name](dialog)
    answers = dialog.answers()
    for how in ("Esc", "X", "Cancel"):
        press(opened, dialog, how)
        assert dialog.question is not None, how
        answer_question(dialog, "Continue")
        assert is_open(opened, dialog)
        assert dialog.answers() == answers
    press(opened, dialog, "Esc")
    answer_question(dialog, "Discard and close")
    qtbot.waitUntil(lambda: not is_open(opened, dialog), timeout=WAIT_MS)


@pytest.mark.parametrize("name", FORMS)
def test_that_an_untouched_form_closes_at_once(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, name: str
) -> None:
    dialog = open_form(qtbot, opened, name, tmp_path / "net.pt")
    press(opened, dialog, "Esc")
    qtbot.waitUntil(lambda: not is_open(opened, dialog), timeout=WAIT_MS)


@pytest.mark.parametrize("name", FORMS)
def test_that_enter_never_presses_a_button_that_closes_a_form(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, name: str
) -> None:
    dialog = open_form(qtbot, opened, name, tmp_path / "net.pt")
    for button in dialog.findChildren(QPushButton):
        if button.text().strip("&") in ("Cancel", "Close"):
            assert not button.autoDefault()
            assert not button.isDefault()
    dialog.discard()


def test_that_enter_after_a_refused_description_tries_again(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    dialog = open_form(qtbot, opened, "import", tmp_path / "net.pt")
    assert isinstance(dialog, ModelImportDialog)
    answer_import(dialog)
    described: list[object] = []
    dialog.described.disconnect()
    dialog.described.connect(described.append)
    dialog.save.setFocus()
    QTest.keyClick(dialog.save, Qt.Key.Key_Return)
    dialog.show_state("Testing the description on the network …")
    QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Return)
    assert is_open(opened, dialog)
    dialog.show_error(ContractBroken("It does not fit", why="2 outputs, not 14"))
    assert dialog.focusWidget() is dialog.save
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)
    assert is_open(opened, dialog)
    assert len(described) == 2
    assert [finding.name for finding in dialog.findings.findings()] == FOURTEEN
    dialog.discard()


def test_that_a_second_file_does_not_replace_answers_about_the_first(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    dialog = open_form(qtbot, opened, "import", tmp_path / "net.pt")
    answer_import(dialog)
    opened.panels.model_import.ask(tmp_path / "other.pt")
    assert opened.panels.model_import.dialog is dialog
    dialog.discard()


def test_that_closing_the_window_asks_about_a_filled_form(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    dialog = open_form(qtbot, opened, "tag_table", tmp_path)
    answer_tags(dialog)
    opened.close()
    assert opened.isVisible()
    answer_question(dialog, "Discard and close")
    qtbot.waitUntil(lambda: not is_open(opened, dialog), timeout=WAIT_MS)
    opened.close()
    assert not opened.isVisible()


def test_that_answers_that_were_used_are_not_asked_about(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    dialog = open_form(qtbot, opened, "export_folder", tmp_path)
    assert isinstance(dialog, FolderPictures)
    dialog.folder.edit.setText(str(tmp_path / "pictures"))
    dialog.start_button.setFocus()
    dialog.start()
    press(opened, dialog, "Esc")  # stops nothing without a question
    assert dialog.question is not None
    assert dialog.question.text() == "Stop and close?"
    answer_question(dialog, "Continue")
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)
    assert dialog.focusWidget() is dialog.start_button
    press(opened, dialog, "Cancel")
    qtbot.waitUntil(lambda: not is_open(opened, dialog), timeout=WAIT_MS)
