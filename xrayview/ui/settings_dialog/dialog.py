"""The settings dialog: a page for each group of the table, and one for the keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from xrayview.services.settings import ROWS, SETTINGS, Settings
from xrayview.ui.keys.keymap import Keymap
from xrayview.ui.settings_dialog.fields import FoldersField
from xrayview.ui.settings_dialog.key_editor import KeyEditor
from xrayview.ui.settings_dialog.page import Check, SettingsPage

KEYS_PAGE = "Keys"
_SIZE = QSize(820, 600)


class SettingsDialog(QDialog):
    """Changes take effect at once, or at the next start where a line says so."""

    changed = Signal(str)
    """The key of the setting that changed; `shortcuts` after a change of keys."""

    def __init__(
        self,
        settings: Settings,
        keymap: Keymap,
        checks: Mapping[str, Check] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.resize(_SIZE)
        self.pages: dict[str, SettingsPage] = {}
        self.names = QListWidget()
        self.names.setProperty("pages", True)
        self.names.setAccessibleName("Groups of settings")
        self.names.setFixedWidth(160)
        self.stack = QStackedWidget()
        for group in dict.fromkeys(row.group for row in SETTINGS if row.group):
            rows = [row for row in SETTINGS if row.group == group]
            page = self.pages[group] = SettingsPage(group, rows, settings, checks or {})
            page.changed.connect(self.changed)
            self._add(group, page)
        self.keys = KeyEditor(keymap)
        self.keys.changed.connect(lambda: self.changed.emit("shortcuts"))
        self._add(KEYS_PAGE, self.keys)
        self.names.currentRowChanged.connect(self.stack.setCurrentIndex)
        self.names.setCurrentRow(0)
        self._lay_out()

    def turn_to(self, name: str) -> None:
        """Show the page with this name."""
        found = self.names.findItems(name, Qt.MatchFlag.MatchExactly)
        if found:
            self.names.setCurrentItem(found[0])
        if name == KEYS_PAGE:
            self.keys.field.setFocus()

    def show_value(self, key: str, problem: str = "") -> None:
        """Show the current value of a setting, with a problem if the user's value was refused."""
        self._page(key).show_value(key, problem)

    def show_missing(self, key: str, missing: Collection[str]) -> None:
        """Mark folders of a setting that do not exist."""
        field = self._page(key).fields[key]
        assert isinstance(field, FoldersField)
        field.show_missing(missing)

    def _page(self, key: str) -> SettingsPage:
        return self.pages[ROWS[key].group]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Enter confirms a field; it must not close the dialog.
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def _add(self, name: str, page: QWidget) -> None:
        self.names.addItem(name)
        self.stack.addWidget(page)

    def _lay_out(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        note = QLabel("Changes take effect at once, unless a line says otherwise.")
        note.setProperty("role", "quiet")
        lower = QHBoxLayout()
        lower.setContentsMargins(24, 8, 24, 16)
        lower.addWidget(note, 1)
        lower.addWidget(buttons)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.stack, 1)
        right.addLayout(lower)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.names)
        row.addLayout(right, 1)
