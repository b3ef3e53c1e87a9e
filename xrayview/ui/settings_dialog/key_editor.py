"""The editor of the keys: search for an action and press a new key for it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from xrayview.ui.keys.key_binding import key_pressed
from xrayview.ui.keys.keymap import Keymap
from xrayview.ui.keys.shortcuts import KEYS, ROWS, format_keys, groups, native
from xrayview.ui.style import fonts

HINT = "Choose an action, press “Change key” or Enter, then press the new key."
_NAME = Qt.ItemDataRole.UserRole
_KEY_PX = 150


class KeyEditor(QWidget):
    """Edits a keymap; asks before it takes a key away from another action."""

    changed = Signal()

    def __init__(self, keymap: Keymap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keymap = keymap
        self._waiting = ""
        """The action that waits for a key; empty while none does."""
        self._conflict: tuple[str, str] | None = None
        """The action and the key that the user is asked about."""
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search for an action or a key")
        self.field.setAccessibleName("Search for an action or a key")
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._search)
        self.tree = self._make_tree()
        self.note = QLabel(HINT)
        self.note.setWordWrap(True)
        self.swap = _button("Swap", self._swap)
        self.keep = _button("Keep the old keys", self._cancel)
        self.change = _button("Change key", self.wait)
        self.remove = _button("Remove key", self._remove)
        self.reset = _button("Reset", self._reset)
        self.reset_all = _button("Reset all", self._reset_all)
        self._lay_out()
        self._fill()
        self._show_note(HINT)

    def select(self, name: str) -> None:
        """Select an action."""
        self.tree.setCurrentItem(self._items[name])

    def selected(self) -> str:
        """The selected action; empty on a heading."""
        item = self.tree.currentItem()
        return (item.data(0, _NAME) or "") if item is not None else ""

    def wait(self) -> None:
        """Wait for a key for the selected action."""
        if not self.selected():
            return
        self._cancel()
        self._waiting = self.selected()
        self._items[self._waiting].setText(1, "Press a key …")
        self._show_note(f"Press the new key for “{ROWS[self._waiting].text}”, or Esc to cancel.")
        self.tree.setFocus()

    def press(self, key: str) -> None:
        """Use a key that was pressed while the editor waited."""
        name, self._waiting = self._waiting, ""
        self._show(name)
        if key == "Esc" or key in self.keymap.keys(name):
            self._show_note(HINT)
        elif problem := self.keymap.problem(name, key):
            self._show_note(problem, error=True)
        elif others := self.keymap.conflicts(name, key):
            self._conflict = (name, key)
            names = ", ".join(f"“{row.text}”" for row in others)
            self._show_note(f"{native(key)} is used by {names}. Swap the keys?", error=True)
        else:
            self._assign(name, key)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.ShortcutOverride and self._waiting:
            event.accept()
            return True
        if event.type() != QEvent.Type.KeyPress:
            return False
        if self._waiting:
            if key := key_pressed(event):
                self.press(key)
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2):
            self.wait()
            return True
        return False

    def _assign(self, name: str, key: str) -> None:
        self.keymap.assign(name, key)
        keys = format_keys(ROWS[name], self.keymap.keys(name))
        self._on_changed(f"The key for “{ROWS[name].text}” is {keys}.")

    def _swap(self) -> None:
        if self._conflict is not None:
            self._assign(*self._conflict)

    def _cancel(self) -> None:
        if self._waiting:
            self._show(self._waiting)
        self._waiting = ""
        self._conflict = None
        self._show_note(HINT)

    def _remove(self) -> None:
        if name := self.selected():
            self.keymap.clear(name)
            self._on_changed(f"“{ROWS[name].text}” has no key.")

    def _reset(self) -> None:
        if name := self.selected():
            self.keymap.reset(name)
            self._on_changed(f"“{ROWS[name].text}” has its default key.")

    def _reset_all(self) -> None:
        self.keymap.reset_all()
        self._on_changed("All keys are reset to their defaults.")

    def _on_changed(self, text: str) -> None:
        self._conflict = None
        for name in self._items:
            self._show(name)
        self._show_note(text)
        self.changed.emit()

    def _show_note(self, text: str, *, error: bool = False) -> None:
        self.note.setText(text)
        self.note.setAccessibleName(text)
        self.note.setProperty("role", "warn" if error else "quiet")
        self.note.style().polish(self.note)
        for button in (self.swap, self.keep):
            button.setVisible(self._conflict is not None)
        for button in (self.change, self.remove, self.reset, self.reset_all):
            button.setVisible(self._conflict is None)
        if self._conflict is not None:
            self.swap.setFocus()

    def _show(self, name: str) -> None:
        item, keys = self._items[name], self.keymap.keys(name)
        several = not ROWS[name].is_numbered and len(keys) > 1
        text = " or ".join(map(native, keys)) if several else format_keys(ROWS[name], keys)
        item.setText(1, text or "no key")
        font = item.font(1)
        font.setBold(self.keymap.is_changed(name))
        item.setFont(1, font)
        item.setToolTip(1, "Changed by you" if self.keymap.is_changed(name) else "")

    def _search(self, query: str) -> None:
        words = query.casefold().split()
        for head, items in self._heads:
            for item in items:
                text = f"{head.text(0)} {item.text(0)} {item.text(1)}".casefold()
                item.setHidden(not all(word in text for word in words))
            head.setHidden(all(item.isHidden() for item in items))

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setColumnCount(2)
        tree.setHeaderLabels(["Action", "Key"])
        tree.setAccessibleName("Actions and their keys")
        tree.setRootIsDecorated(False)
        tree.setProperty("roomy", True)
        tree.header().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        tree.setItemsExpandable(False)
        tree.setIndentation(12)
        tree.setUniformRowHeights(True)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, tree.header().ResizeMode.Stretch)
        tree.setColumnWidth(1, _KEY_PX)
        tree.itemDoubleClicked.connect(lambda *_: self.wait())
        tree.currentItemChanged.connect(lambda *_: self._cancel() if self._waiting else None)
        tree.installEventFilter(self)
        return tree

    def _fill(self) -> None:
        self._items: dict[str, QTreeWidgetItem] = {}
        self._heads: list[tuple[QTreeWidgetItem, list[QTreeWidgetItem]]] = []
        for group, rows in groups().items():
            head = QTreeWidgetItem([group])
            head.setFlags(Qt.ItemFlag.ItemIsEnabled)
            font = fonts.pixels(fonts.SMALL_PX)
            font.setBold(True)
            head.setFont(0, font)
            self.tree.addTopLevelItem(head)
            for row in rows:
                item = self._items[row.name] = QTreeWidgetItem(head, [row.text])
                item.setData(0, _NAME, row.name)
                self._show(row.name)
            self._heads.append((head, [self._items[row.name] for row in rows]))
        self.tree.expandAll()
        self.select(KEYS[0].name)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.swap, self.keep, self.change, self.remove, self.reset):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.reset_all)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        title = QLabel("Keys")
        title.setProperty("role", "title")
        for widget in (title, self.field, self.tree, self.note):
            column.addWidget(widget, 1 if widget is self.tree else 0)
        column.addLayout(buttons)


def _button(text: str, act: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _checked: act())
    return button
