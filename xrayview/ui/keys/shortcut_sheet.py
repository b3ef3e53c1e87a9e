"""The sheet of all keys (F1), built from the table of keys."""

from __future__ import annotations

from itertools import combinations, pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from xrayview.ui.keys import shortcuts

_MOUSE = (
    ("Left drag", "Active tool: window, zoom or pan"),
    ("Middle drag", "Pan"),
    ("Right drag", "Zoom"),
    ("Wheel", "Next or previous film"),
    ("Ctrl+Wheel", "Zoom at the cursor"),
    ("Double click", "Maximise or restore the view"),
)


FOCUS_NOTE = (
    "While the tags, a table or a field has the keyboard focus, the arrow keys, Home, End, Space "
    "and Enter act on it. Click the film, or press Esc in the tags, to return the focus to the "
    "film."
)
_SIZE = QSize(1280, 740)
_MAX_SCREEN_SHARE = 0.98
_COLUMNS = 4
"""As many as fit into 1280 pixels, so that all keys are visible on a 1280 x 800 screen."""
_KEY_PX = 104
"""Width of the longest key, so that the texts of all groups are aligned."""


class ShortcutSheet(QDialog):
    """Shows the keys of each group in columns; scrolls on smaller screens."""

    edit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard and mouse")
        groups = [
            (name, [(shortcuts.keys_label(row) or "no key", row.text) for row in rows])
            for name, rows in shortcuts.groups().items()
        ]
        groups.append(("Mouse", list(_MOUSE)))
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 4, 0)
        row.setSpacing(20)
        for part in _columns(groups):
            column = QVBoxLayout()
            column.setSpacing(12)
            for name, keys in part:
                column.addLayout(_group(name, keys))
            column.addStretch(1)
            row.addLayout(column, 1)
        body = QWidget()
        body.setLayout(row)
        pages = QScrollArea()
        pages.setWidgetResizable(True)
        pages.setFrameShape(QFrame.Shape.NoFrame)
        pages.setAccessibleName("Keyboard and mouse")
        pages.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        pages.setWidget(body)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        edit = buttons.addButton("Change keys …", QDialogButtonBox.ButtonRole.ActionRole)
        edit.clicked.connect(self._edit)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(20, 16, 16, 12)
        outer.setSpacing(12)
        outer.addWidget(pages, 1)
        lower = QHBoxLayout()
        lower.setSpacing(20)
        note = QLabel(FOCUS_NOTE)
        note.setProperty("role", "quiet")
        note.setWordWrap(True)
        lower.addWidget(note, 1)
        lower.addWidget(buttons)
        outer.addLayout(lower)
        self.resize(_SIZE.boundedTo(self.screen().availableSize() * _MAX_SCREEN_SHARE))

    def _edit(self) -> None:
        self.close()
        self.edit_requested.emit()


Group = tuple[str, list[tuple[str, str]]]


def _columns(groups: list[Group]) -> list[list[Group]]:
    """Split the groups, in order, so that the longest column is as short as possible."""
    lengths = [len(keys) + 2 for _, keys in groups]

    def parts(cuts: tuple[int, ...]) -> list[slice]:
        return [slice(*ends) for ends in pairwise((0, *cuts, len(groups)))]

    def longest(cuts: tuple[int, ...]) -> int:
        return max(sum(lengths[part]) for part in parts(cuts))

    best = min(combinations(range(len(groups) + 1), _COLUMNS - 1), key=longest)
    return [groups[part] for part in parts(best)]


def _group(name: str, keys: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(4)
    grid.setColumnMinimumWidth(0, _KEY_PX)
    grid.setColumnStretch(1, 1)
    title = QLabel(name.upper())
    title.setProperty("role", "heading")
    grid.addWidget(title, 0, 0, 1, 2)
    for row, (key, text) in enumerate(keys, 1):
        key_label = QLabel(key)
        key_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        key_label.setProperty("role", "key")
        grid.addWidget(key_label, row, 0, Qt.AlignmentFlag.AlignTop)
        text_label = QLabel(text)
        text_label.setWordWrap(True)
        grid.addWidget(text_label, row, 1)
    return grid
