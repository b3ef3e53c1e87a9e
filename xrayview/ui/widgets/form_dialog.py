"""A dialog whose answers are not lost by accident: closing it asks once something was answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDialog,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)


@dataclass(frozen=True)
class ClosingQuestion:
    """What is asked before a dialog closes, and the button that closes it."""

    title: str
    text: str
    button: str


_UNUSED = ClosingQuestion(
    "Discard your answers?", "They have not been used yet.", "Discard and close"
)


class FormDialog(QDialog):
    """Asks before Esc, its close button or Cancel discard answers.

    Subclasses call `remember_answers` once they are built and whenever the answers were used.
    Fields with the property `search` are not answers.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form: QWidget = self
        """The widget with all fields."""
        self._used: tuple[object, ...] = ()
        self._focused: QWidget | None = None
        self.question: QMessageBox | None = None
        """The question whether to close, while it is open."""

    def answers(self) -> tuple[object, ...]:
        """The content of all fields, to be compared with an earlier state."""
        return tuple(_answers(self.form))

    def closing_question(self) -> ClosingQuestion | None:
        """What is lost by closing the dialog now; None where nothing is."""
        return _UNUSED if self.answers() != self._used else None

    def remember_answers(self) -> None:
        """Take the present answers as used: closing the dialog loses nothing."""
        self._used = self.answers()

    def reject(self) -> None:
        """Close, or ask first; for Esc, the window's close button and Cancel."""
        question = self.closing_question()
        if question is None:
            self.discard()
        elif self.question is None:
            self._ask(question)

    def discard(self) -> None:
        """Close without a question."""
        if self.question is not None:
            self.question.close()
        self.done(QDialog.DialogCode.Rejected)

    def _ask(self, question: ClosingQuestion) -> None:
        box = self.question = QMessageBox(self)
        box.setWindowTitle(self.windowTitle())
        box.setText(question.title)
        box.setInformativeText(question.text)
        stay = box.addButton("Continue", QMessageBox.ButtonRole.RejectRole)
        leave = box.addButton(question.button, QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)

        def finish() -> None:
            self.question = None
            box.deleteLater()
            if box.clickedButton() is leave:
                self.discard()

        box.finished.connect(finish)
        box.open()

    # A widget that is disabled or hidden loses the focus to the next one, which may be Cancel.

    def keep_focus(self) -> None:
        """Remember the focus before widgets are disabled or hidden for a while."""
        self._focused = self.focusWidget()

    def restore_focus(self) -> None:
        """Give the focus back to where it was."""
        if self._focused is not None and self._focused.isEnabled():
            self._focused.setFocus()
        self._focused = None


def never_default(*buttons: QPushButton) -> None:
    """Keep Enter from pressing buttons that have the focus: it belongs to the dialog's main one."""
    for button in buttons:
        button.setAutoDefault(False)
        button.setDefault(False)


def _answers(form: QWidget) -> Iterator[object]:
    for field in form.findChildren(QWidget):
        if field.property("search"):
            continue
        if isinstance(field, QLineEdit | QAbstractSpinBox):
            yield field.text()
        elif isinstance(field, QComboBox):
            yield field.currentText()
        elif isinstance(field, QCheckBox):
            yield field.isChecked()
        elif isinstance(field, QListWidget):
            yield tuple(field.item(row).text() for row in range(field.count()))
        elif isinstance(field, QTableWidget):
            columns = range(field.columnCount())
            rows = range(field.rowCount())
            yield tuple(_cell(field.item(row, column)) for row in rows for column in columns)


def _cell(item: QTableWidgetItem | None) -> object:
    return None if item is None else (item.text(), item.checkState())
