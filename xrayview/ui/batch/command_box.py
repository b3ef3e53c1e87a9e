"""The command line of a folder classification, to be copied into a terminal."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

_WIDTH_PX, _HEIGHT_PX = 640, 220


class CommandBox(QDialog):
    """Shows a command with a button that copies it.

    Args:
        command: one line.
        left_out: what the command does not repeat, as sentences; empty if nothing.
    """

    def __init__(self, command: str, left_out: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("The same classification in a terminal")
        self.text = QPlainTextEdit(command)
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Command")
        note = QLabel(left_out)
        note.setWordWrap(True)
        note.setVisible(bool(left_out))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(command))
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.text, 1)
        column.addWidget(note)
        column.addWidget(buttons)
        self.resize(_WIDTH_PX, _HEIGHT_PX)
