"""What a press of a key does: the rows of the table, and who keeps a key for himself."""

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
    """Binds the keys in force to the actions of a window; `renew` when they are others.

    Rows of several numbered keys pass the place of the key, from 0.

    Raises:
        KeyError: a row has no action.
    """

    def __init__(self, window: QWidget, actions: Mapping[str, Act]) -> None:
        super().__init__(window)
        self._window = window
        self._actions = {row.name: actions[row.name] for row in shortcuts.KEYS}
        self._bound: list[QShortcut] = []
        self._by_key: dict[str, Callable[[], None]] = {}
        qapp = QApplication.instance()
        assert isinstance(qapp, QApplication)
        qapp.focusChanged.connect(self._follow)
        window.installEventFilter(self)  # what no widget in it wants ends here
        self.renew()

    def renew(self) -> None:
        """Bind the keys that are in force now, and those alone."""
        for shortcut in self._bound:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._by_key = {
            QKeySequence(key).toString(): _call(self._actions[row.name], row.numbered, place)
            for row in shortcuts.KEYS
            for place, key in enumerate(shortcuts.keys_of(row.name))
        }
        self._bound = [self._shortcut(key, act) for key, act in self._by_key.items()]

    def _shortcut(self, key: str, act: Callable[[], None]) -> QShortcut:
        shortcut = QShortcut(QKeySequence(key), self._window)
        shortcut.activated.connect(act)
        return shortcut

    def _follow(self, left: QWidget | None, focused: QWidget | None) -> None:
        """Hear the one widget that keys go to: all of the program's events would be many."""
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
        act = self._by_key.get(digit_pressed(event))
        if act is not None and not isinstance(watched, _WRITTEN_IN):
            # Accepted here, it comes again as a press, which no shortcut has taken by then.
            event.accept()
            if kind == QEvent.Type.KeyPress:
                act()
            return True
        return kind == QEvent.Type.ShortcutOverride and self._keep(watched, event)

    def _keep(self, watched: QWidget, event: QKeyEvent) -> bool:
        """Leave a focused field, button or slider its own keys, before shortcuts take them."""
        for kind, keys in _KEPT:
            if isinstance(watched, kind) and event.key() in keys:
                event.accept()
                return True
        # A table of results is walked by its own cursor, and copies its own cells.
        if isinstance(watched, QAbstractItemView) and watched.property("own_keys"):
            own = event.key() in _CURSOR | _PRESS or event.matches(QKeySequence.StandardKey.Copy)
            event.setAccepted(own)
            return own
        return False


def _call(act: Act, numbered: bool, place: int) -> Callable[[], None]:
    def run() -> None:
        act(place) if numbered else act()

    return run


_CURSOR = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home,
    Qt.Key.Key_End,
}  # fmt: skip
_PRESS = {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}
_WRITTEN_IN = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit)
# Keys that a focused widget needs more than the film does.
_KEPT: tuple[tuple[type[QWidget], set[Qt.Key]], ...] = (
    (QLineEdit, {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Home, Qt.Key.Key_End}),
    (QAbstractButton, _PRESS),
    (QComboBox, _CURSOR | _PRESS),
    (QAbstractSlider, _CURSOR),
)

# The row of digits by the place of its keys. On many layouts (French, Czech) it writes other
# signs without Shift, or with it, and Qt then names the sign and not the key.
_BY_SCAN_CODE = {
    "linux": {10 + place: digit for place, digit in enumerate("1234567890")},  # X11, Wayland
    "win32": {2 + place: digit for place, digit in enumerate("1234567890")},
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
    """`3`, `Shift+3`: a key of the row of digits with its modifiers, whatever sign it writes.

    Empty for any other key, and where the platform does not say which key it was.
    """
    digit = _BY_SCAN_CODE.get(platform, {}).get(event.nativeScanCode())
    digit = digit or _BY_VIRTUAL_KEY.get(platform, {}).get(event.nativeVirtualKey())
    if digit is None or event.modifiers() & Qt.KeyboardModifier.GroupSwitchModifier:
        return ""
    return QKeySequence(event.modifiers() & _MODIFIERS | Qt.Key(ord(digit))).toString()


def key_pressed(event: QKeyEvent) -> str:
    """What a press is called in the table; empty for Shift and its like alone."""
    if event.key() in _ALONE:
        return ""
    if digit := digit_pressed(event):
        return digit
    plain = event.modifiers() & _MODIFIERS
    # Shift that was needed to write the sign is part of the sign: `?`, not `Shift+?`.
    writes = event.text()[:1]
    if writes and writes.isprintable() and not (writes.isalnum() or writes.isspace()):
        plain &= ~Qt.KeyboardModifier.ShiftModifier
    key = Qt.Key.Key_Tab if event.key() == Qt.Key.Key_Backtab else Qt.Key(event.key())
    return QKeySequence(plain | key).toString()


_ALONE = {
    Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta,
    Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_unknown,
}  # fmt: skip
