"""The keys: one table that binds them, and that the F1 sheet is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QLineEdit,
    QWidget,
)


@dataclass(frozen=True)
class Key:
    """One row: what it is called, its keys, what they say, and the group on the sheet."""

    name: str
    keys: tuple[str, ...]
    text: str
    group: str


_SHIFTED = tuple(f"Shift+{n}" for n in range(1, 10))

KEYS: tuple[Key, ...] = (
    Key("open_folder", ("Ctrl+O",), "Open folder", "Folder and film"),
    Key("previous_film", ("Up",), "Previous film", "Folder and film"),
    Key("next_film", ("Down",), "Next film", "Folder and film"),
    Key("previous_series", ("PgUp",), "Previous series", "Folder and film"),
    Key("next_series", ("PgDown",), "Next series", "Folder and film"),
    Key("first_film", ("Home",), "First film", "Folder and film"),
    Key("last_film", ("End",), "Last film", "Folder and film"),
    Key("find", ("Ctrl+F",), "Filter the films", "Folder and film"),
    Key("auto_window", ("0",), "Auto window", "Grey-scale"),
    Key("voi", tuple("123456789"), "Windows of the file, then presets", "Grey-scale"),
    Key("invert", ("I",), "Invert", "Grey-scale"),
    Key("histogram", ("Ctrl+H",), "Histogram on or off", "Grey-scale"),
    Key("tool_window", ("W",), "Window tool", "Tools"),
    Key("tool_zoom", ("Z",), "Zoom tool", "Tools"),
    Key("tool_pan", ("P",), "Pan tool", "Tools"),
    Key("flip_horizontal", ("H",), "Flip left-right", "Placement"),
    Key("flip_vertical", ("V",), "Flip top-bottom", "Placement"),
    Key("rotate_right", ("R",), "Rotate right", "Placement"),
    Key("rotate_left", ("L",), "Rotate left", "Placement"),
    Key("fit", ("F",), "Fit the film", "Placement"),
    Key("one_to_one", ("Ctrl+1",), "One to one", "Placement"),
    Key("reset_view", ("Space",), "Reset the view", "Placement"),
    Key("classify", ("Return", "Enter"), "Classify the film", "Model"),
    Key("classify_folder", ("B",), "Classify the folder", "Model"),
    Key("heat_map", ("G",), "Heat map on or off", "Model"),
    Key("heat_fainter", ("[",), "Heat map fainter", "Model"),
    Key("heat_stronger", ("]",), "Heat map stronger", "Model"),
    Key("heat_finding", _SHIFTED, "Heat map of finding 1-9", "Model"),
    Key("copy_picture", ("Ctrl+C",), "Copy the picture without identity", "Window"),
    Key("tags", ("T",), "Tags of the film", "Window"),
    Key("pipeline", ("Shift+T",), "Pipeline of the film", "Window"),
    Key("hide_identity", ("X",), "Hide or show identity", "Window"),
    Key("full_screen", ("F11",), "Full screen", "Window"),
    Key("shortcuts", ("F1",), "This sheet", "Window"),
)  # fmt: skip


def label(name: str) -> str:
    """The first key of a row as the platform writes it, for tooltips."""
    key = next(row for row in KEYS if row.name == name)
    return QKeySequence(key.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)


def span(key: Key) -> str:
    """The keys of a row as one text: `W`, `1-9`, `Shift+1-9`."""
    if len(key.keys) > 2:
        return f"{key.keys[0]}-{key.keys[-1][-1]}"
    return QKeySequence(key.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)


def bind(window: QWidget, actions: Mapping[str, Callable[..., object]]) -> list[QShortcut]:
    """Bind every row of the table; rows of several keys pass the place of the key, from 0.

    Raises:
        KeyError: a row has no action.
    """
    bound = []
    for row in KEYS:
        act = actions[row.name]
        for place, keys in enumerate(row.keys):
            numbered = len(row.keys) > 2
            shortcut = QShortcut(QKeySequence(keys), window)
            shortcut.activated.connect(_call(act, place) if numbered else _call(act))
            bound.append(shortcut)
    _KeyKeeper(window)  # lives as long as the window, its parent
    return bound


def _call(act: Callable[..., object], *args: int) -> Callable[[], None]:
    def run() -> None:
        act(*args)

    return run


_CURSOR = {
    Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home,
    Qt.Key.Key_End,
}  # fmt: skip
_PRESS = {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}
# Keys that a focused widget needs more than the film does.
_KEPT: tuple[tuple[type[QWidget], set[Qt.Key]], ...] = (
    (QLineEdit, {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Home, Qt.Key.Key_End}),
    (QAbstractButton, _PRESS),
    (QComboBox, _CURSOR | _PRESS),
    (QAbstractSlider, _CURSOR),
)


class _KeyKeeper(QObject):
    """Leaves a focused field, button or slider its own keys, before shortcuts take them."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        qapp = QApplication.instance()
        assert qapp is not None
        qapp.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        if not isinstance(watched, QWidget) or QWidget.window(watched) is not self._window:
            return False
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
