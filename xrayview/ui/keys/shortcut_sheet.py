"""F1: the keys, drawn from their table."""

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
    ("Left drag", "The tool: window, zoom or pan"),
    ("Middle drag", "Pan"),
    ("Right drag", "Zoom"),
    ("Wheel", "Next, previous film"),
    ("Ctrl+Wheel", "Zoom at the cursor"),
    ("Double click", "Film alone, and back"),
)


WHERE = (
    "While the tags, a table or a field has the keyboard, arrows, Home, End, Space and Enter are "
    "its own. A click on the film, or Esc in the tags, gives the film the keyboard back."
)
_SIZE = QSize(1280, 740)
_OF_SCREEN = 0.98
_COLUMNS = 4
"""As many as 1280 pixels hold, so that all keys are seen at once on 1280 x 800."""
_KEY_PX = 104
"""The longest of the table's keys; all groups have their words at one edge."""


class ShortcutSheet(QDialog):
    """Groups in columns, each with its keys; scrolled where the screen is smaller than that."""

    edit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        groups = [
            (name, [(shortcuts.span(row) or "no key", row.text) for row in rows])
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
        pages.setAccessibleName("Keys and mouse")
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
        note = QLabel(WHERE)
        note.setProperty("role", "quiet")
        note.setWordWrap(True)
        lower.addWidget(note, 1)
        lower.addWidget(buttons)
        outer.addLayout(lower)
        self.resize(_SIZE.boundedTo(self.screen().availableSize() * _OF_SCREEN))

    def _edit(self) -> None:
        self.close()
        self.edit_requested.emit()


Group = tuple[str, list[tuple[str, str]]]


def _columns(groups: list[Group]) -> list[list[Group]]:
    """Groups in their order, cut where the longest of the columns is shortest."""
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
        cap = QLabel(key)
        cap.setAlignment(Qt.AlignmentFlag.AlignCenter)
        cap.setProperty("role", "key")
        grid.addWidget(cap, row, 0, Qt.AlignmentFlag.AlignTop)
        words = QLabel(text)
        words.setWordWrap(True)
        grid.addWidget(words, row, 1)
    return grid
