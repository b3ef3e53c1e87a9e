"""Binds keys to actions; focused fields, buttons and lists keep the keys that they need."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from xrayview.ui.keys import shortcuts

Act = Callable[..., object]


class KeyBinding(QObject):
    """Binds the keys in force to the actions of a window; call `renew` after they change.

    Rows of numbered keys pass the index of the key, from 0.

    Raises:
        KeyError: a row has no action.
    """

    def __init__(self, window: QWidget, actions: Mapping[str, Act]) -> None:
        super().__init__(window)
        self._window = window
        self._actions = {row.name: actions[row.name] for row in shortcuts.KEYS}
        self._bound: list[QShortcut] = []
        self._by_key: dict[str, Callable[[], None]] = {}
        self.first: Callable[[], Mapping[str, Callable[[], object]]] = dict
        """Keys that mean something else for a while, with what they do then."""
        qapp = QApplication.instance()
        assert isinstance(qapp, QApplication)
        qapp.focusChanged.connect(self._follow)
        window.installEventFilter(self)  # gets the events that no focused widget accepts
        self.renew()

    def renew(self) -> None:
        """Bind the keys in force in place of the earlier ones."""
        for shortcut in self._bound:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._by_key = {
            QKeySequence(key).toString(): _call(self._actions[row.name], row.is_numbered, index)
            for row in shortcuts.KEYS
            for index, key in enumerate(shortcuts.keys_of(row.name))
        }
        self._bound = [self._shortcut(key, act) for key, act in self._by_key.items()]

    def _shortcut(self, key: str, act: Callable[[], None]) -> QShortcut:
        shortcut = QShortcut(QKeySequence(key), self._window)
        shortcut.activated.connect(act)
        return shortcut

    def _follow(self, left: QWidget | None, focused: QWidget | None) -> None:
        """Filter only the events of the focused widget; those of the whole program are too many."""
        if left is not None and left is not self._window:
            left.removeEventFilter(self)
        if focused is not None:
            focused.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            return False
        if not isinstance(event, QKeyEvent) or not isinstance(watched, QWidget):
            return False
        if QWidget.window(watched) is not self._window:
            return False
        digit = digit_pressed(event)
        act = self._first_act(watched, event, digit) or self._by_key.get(digit)
        if act is not None and not isinstance(watched, _TEXT_FIELDS):
            # An accepted override arrives again as a key press, before any shortcut gets it.
            event.accept()
            if kind == QEvent.Type.KeyPress:
                act()
            return True
        return kind == QEvent.Type.ShortcutOverride and self._reserve(watched, event)

    def _first_act(
        self, watched: QWidget, event: QKeyEvent, digit: str
    ) -> Callable[[], object] | None:
        if isinstance(watched, QAbstractButton) and event.key() in _PRESS:
            return None
        return self.first().get(digit or QKeySequence(event.keyCombination()).toString())

    def _reserve(self, watched: QWidget, event: QKeyEvent) -> bool:
        """Accept the event, so that no shortcut takes a key that the focused widget needs."""
        for kind, keys in _RESERVED:
            if isinstance(watched, kind) and event.key() in keys:
                event.accept()
                return True
        # Tables such as the results move their own cursor and copy their own cells.
        if isinstance(watched, QAbstractItemView) and watched.property("own_keys"):
            own = event.key() in _CURSOR | _PRESS or event.matches(QKeySequence.StandardKey.Copy)
            event.setAccepted(own)
            return own
        return False


def _call(act: Act, numbered: bool, index: int) -> Callable[[], None]:
    def run() -> None:
        act(index) if numbered else act()

    return run


_CURSOR = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home,
    Qt.Key.Key_End,
}  # fmt: skip
_PRESS = {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}
_TEXT_FIELDS = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit)
# Keys that a focused widget gets instead of the shortcuts.
_RESERVED: tuple[tuple[type[QWidget], set[Qt.Key]], ...] = (
    (QLineEdit, {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Home, Qt.Key.Key_End}),
    (QAbstractButton, _PRESS),
    (QComboBox, _CURSOR | _PRESS),
    (QAbstractSlider, _CURSOR),
)

# The digit row by the physical keys. On many layouts (French, Czech) these keys type other
# characters, and Qt then reports the character instead of the key.
_BY_SCAN_CODE = {
    "linux": {10 + i: digit for i, digit in enumerate("1234567890")},  # X11, Wayland
    "win32": {2 + i: digit for i, digit in enumerate("1234567890")},
}
_BY_VIRTUAL_KEY = {
    "darwin": dict(zip((18, 19, 20, 21, 23, 22, 26, 28, 25, 29), "1234567890", strict=True)),
}
_MODIFIERS = (
    Qt.KeyboardModifier.ShiftModifier
    | Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)


def digit_pressed(event: QKeyEvent, platform: str = sys.platform) -> str:
    """A key of the digit row with its modifiers (`3`, `Shift+3`), whatever character it types.

    Empty for any other key, and where the platform does not report the physical key.
    """
    digit = _BY_SCAN_CODE.get(platform, {}).get(event.nativeScanCode())
    digit = digit or _BY_VIRTUAL_KEY.get(platform, {}).get(event.nativeVirtualKey())
    if digit is None or event.modifiers() & Qt.KeyboardModifier.GroupSwitchModifier:
        return ""
    return QKeySequence(event.modifiers() & _MODIFIERS | Qt.Key(ord(digit))).toString()


def key_pressed(event: QKeyEvent) -> str:
    """The pressed key as the table writes it; empty for a modifier alone."""
    if event.key() in _NOT_KEYS:
        return ""
    if digit := digit_pressed(event):
        return digit
    plain = event.modifiers() & _MODIFIERS
    # Shift is part of a character that needs it: `?`, not `Shift+?`.
    typed = event.text()[:1]
    if typed and typed.isprintable() and not (typed.isalnum() or typed.isspace()):
        plain &= ~Qt.KeyboardModifier.ShiftModifier
    key = Qt.Key.Key_Tab if event.key() == Qt.Key.Key_Backtab else Qt.Key(event.key())
    return QKeySequence(plain | key).toString()


_NOT_KEYS = {
    Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta,
    Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_unknown,
}  # fmt: skip
