"""F1: the keys, drawn from their table."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from xrayview.ui import shortcuts

_MOUSE = (
    ("Left drag", "The tool: window, zoom or pan"),
    ("Middle drag", "Pan"),
    ("Right drag", "Zoom"),
    ("Wheel", "Next, previous film"),
    ("Ctrl+Wheel", "Zoom at the cursor"),
    ("Double click", "Film alone, and back"),
)


class ShortcutSheet(QDialog):
    """Groups in two columns, each with its keys."""

    edit_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        groups = [
            (name, [(shortcuts.span(key), key.text) for key in keys])
            for name, keys in groupby(shortcuts.KEYS, lambda key: key.group)
        ]
        groups.append(("Mouse", list(_MOUSE)))
        row = QHBoxLayout()
        row.setSpacing(40)
        for part in _halves(groups):
            column = QVBoxLayout()
            column.setSpacing(16)
            for name, keys in part:
                column.addLayout(_group(name, keys))
            column.addStretch(1)
            row.addLayout(column)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        edit = buttons.addButton("Change keys …", QDialogButtonBox.ButtonRole.ActionRole)
        edit.clicked.connect(self._edit)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 16)
        outer.setSpacing(16)
        outer.addLayout(row)
        outer.addWidget(buttons)

    def _edit(self) -> None:
        self.close()
        self.edit_asked.emit()


Group = tuple[str, list[tuple[str, str]]]


def _halves(groups: list[Group]) -> tuple[list[Group], list[Group]]:
    """Two columns of about the same length."""
    lengths = [len(keys) + 2 for _, keys in groups]
    cut = min(range(len(groups)), key=lambda n: abs(sum(lengths[:n]) - sum(lengths[n:])))
    return groups[:cut], groups[cut:]


def _group(name: str, keys: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(6)
    grid.setColumnMinimumWidth(0, 104)
    grid.setColumnStretch(1, 1)
    title = QLabel(name.upper())
    title.setProperty("role", "heading")
    grid.addWidget(title, 0, 0, 1, 2)
    for row, (key, text) in enumerate(keys, 1):
        cap = QLabel(key)
        cap.setAlignment(Qt.AlignmentFlag.AlignCenter)
        cap.setProperty("role", "key")
        grid.addWidget(cap, row, 0)
        grid.addWidget(QLabel(text), row, 1)
    return grid
