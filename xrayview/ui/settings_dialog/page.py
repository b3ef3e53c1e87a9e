"""A page of the settings dialog: the settings of one group with their fields and notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from xrayview.errors import UsageError
from xrayview.services.settings import Setting, Settings
from xrayview.ui.settings_dialog.fields import Field, make_field

Check = Callable[[Any, Settings], str]
"""Returns why a value of the right kind cannot be used; empty where it can."""


class SettingsPage(QScrollArea):
    """Edits the settings of one group; a valid value is stored at once."""

    changed = Signal(str)
    """The key of the setting that changed."""

    def __init__(
        self, title: str, rows: Sequence[Setting], settings: Settings, checks: Mapping[str, Check]
    ) -> None:
        super().__init__()
        self._settings = settings
        self._checks = checks
        self.fields: dict[str, Field] = {}
        self.notes: dict[str, QLabel] = {}
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(16)
        heading = QLabel(title)
        heading.setProperty("role", "title")
        column.addWidget(heading)
        for row in rows:
            column.addLayout(self._lines(row))
        column.addStretch(1)
        self.defaults = QPushButton("Restore these defaults")
        self.defaults.setAutoDefault(False)
        self.defaults.setToolTip(f"Reset every setting of “{title}” to its default")
        self.defaults.clicked.connect(self.restore_defaults)
        column.addWidget(self.defaults, 0, Qt.AlignmentFlag.AlignLeft)
        self.setWidget(body)
        self.show_values()

    def show_values(self) -> None:
        """Show the current value of every setting."""
        for key in self.fields:
            self.show_value(key)

    def show_value(self, key: str, problem: str = "") -> None:
        """Show the current value of a setting, with a problem if the user's value was refused."""
        self.fields[key].show_value(self._settings[key])
        self._show_note(key, problem)

    def restore_defaults(self) -> None:
        """Reset every setting of the page to its default."""
        before = {key: self._settings[key] for key in self.fields}
        for key in before:
            self._settings.reset(key)
        self.show_values()
        for key, value in before.items():
            if self._settings[key] != value:
                self.changed.emit(key)

    def _lines(self, row: Setting) -> QVBoxLayout:
        """The description and field of a setting, with a note below."""
        field = self.fields[row.key] = make_field(row)
        field.edited.connect(lambda value: self._store(row.key, value))
        field.refused.connect(lambda text: self._show_note(row.key, text))
        label = QLabel(row.description)
        label.setWordWrap(True)
        label.setBuddy(field)
        note = self.notes[row.key] = QLabel()
        note.setWordWrap(True)
        note.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout()
        column.setSpacing(4)
        if field.wide:
            column.addWidget(label)
            column.addWidget(field)
        else:
            line = QHBoxLayout()
            line.setSpacing(24)
            line.addWidget(label, 1)
            line.addWidget(field)
            column.addLayout(line)
        column.addWidget(note)
        return column

    def _store(self, key: str, value: object) -> None:
        if value == self._settings[key]:
            self._show_note(key, "")
            return
        problem = self._checks[key](value, self._settings) if key in self._checks else ""
        if not problem:
            try:
                self._settings[key] = value
            except UsageError as error:
                problem = str(error)
        self._show_note(key, problem)
        if not problem:
            self.changed.emit(key)

    def _show_note(self, key: str, problem: str) -> None:
        note, row = self.notes[key], self.fields[key].row
        note.setText(problem or _hint(row))
        note.setVisible(bool(note.text()))
        note.setProperty("role", "error" if problem else "quiet")
        note.style().polish(note)
        note.setAccessibleName(note.text())


def _hint(row: Setting) -> str:
    """The range of a number, and when a change takes effect if not at once."""
    texts = []
    if row.low is not None and row.high is not None:
        unit = f" {row.unit}" if row.unit else ""
        texts.append(f"{row.low:g} to {row.high:g}{unit}")
    if row.takes_effect != "at once":
        texts.append(f"Takes effect {row.takes_effect}")
    return " · ".join(texts)
