"""The table of keys: its bindings, the sheet, and widgets that keep keys for themselves."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.key_binding import KeyBinding
from xrayview.ui.keys.shortcut_sheet import ShortcutSheet
from xrayview.ui.style import theme

HABITS: dict[str, tuple[str, ...]] = {
    "auto_window": ("0",), "voi": tuple("123456789"), "invert": ("I",),
    "tool_window": ("W",), "tool_zoom": ("Z",), "tool_pan": ("P",),
    "flip_horizontal": ("H",), "flip_vertical": ("V",),
    "rotate_right": ("R",), "rotate_left": ("L",),
    "reset_view": ("Space",), "fit": ("F",), "one_to_one": ("Ctrl+1",),
    "previous_film": ("Up",), "next_film": ("Down",),
    "previous_series": ("PgUp",), "next_series": ("PgDown",),
    "first_film": ("Home",), "last_film": ("End",),
    "tool_length": ("D",), "tool_angle": ("A",), "star": ("K",), "tags": ("T",),
    "classify": ("Return", "Enter"), "classify_folder": ("B",),
    "state_films": ("Shift+B",),
    "heat_map": ("G",), "heat_fainter": ("[",), "heat_stronger": ("]",),
    "heat_finding": tuple(f"Shift+{digit}" for digit in range(1, 10)),
    "undo": ("Ctrl+Z",), "redo": ("Ctrl+Y",), "delete_mark": ("Del",),
    "copy_picture": ("Ctrl+C",), "full_screen": ("F11",), "shortcuts": ("F1",),
    "hide_identity": ("X",), "open_folder": ("Ctrl+O",),
}  # fmt: skip
"""Keys as in other viewers and in the manual; new actions must not take them."""


class Calls(dict[str, list[int]]):
    """Records the calls of every action of the table."""

    def actions(self) -> dict[str, object]:
        return {key.name: self._recorder(key.name) for key in shortcuts.KEYS}

    def _recorder(self, name: str):
        return lambda *args: self.setdefault(name, []).append(args[0] if args else -1)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def window(qtbot: QtBot, calls: Calls) -> QWidget:
    window = QWidget()
    column = QVBoxLayout(window)
    for part in (QLineEdit(), QPushButton("Act"), QSlider(Qt.Orientation.Horizontal)):
        column.addWidget(part)
    KeyBinding(window, calls.actions())
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def test_that_no_key_is_bound_twice() -> None:
    keys = Counter(QKeySequence(key).toString() for row in shortcuts.KEYS for key in row.keys)
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize("name", HABITS)
def test_that_keys_that_readers_know_by_heart_are_the_defaults(name: str) -> None:
    assert shortcuts.ROWS[name].keys == HABITS[name]


def test_that_every_key_of_the_table_is_known_to_qt() -> None:
    assert all(QKeySequence(key).count() == 1 for row in shortcuts.KEYS for key in row.keys)


def test_that_the_sheet_shows_every_row(qtbot: QtBot) -> None:
    sheet = ShortcutSheet()
    qtbot.addWidget(sheet)
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    assert {key.text for key in shortcuts.KEYS} <= shown
    assert {shortcuts.keys_label(key) for key in shortcuts.KEYS if key.keys} <= shown


def test_that_the_sheet_says_which_keys_a_focused_list_takes(qtbot: QtBot) -> None:
    sheet = ShortcutSheet()
    qtbot.addWidget(sheet)
    texts = " ".join(label.text() for label in sheet.findChildren(QLabel))
    assert "Home, End, Space and Enter act on it" in texts


def test_that_all_keys_are_visible_on_a_small_screen(qtbot: QtBot, qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    sheet = ShortcutSheet()
    qtbot.addWidget(sheet)
    sheet.resize(1254, 740)
    sheet.show()
    pages = sheet.findChild(QScrollArea)
    assert pages is not None
    qtbot.waitUntil(lambda: pages.widget().width() <= pages.viewport().width())
    assert pages.widget().minimumSizeHint().width() <= pages.viewport().width()
    assert pages.verticalScrollBar().maximum() == 0


@pytest.mark.parametrize(
    ("key", "name", "index"),
    [
        (Qt.Key.Key_0, "auto_window", -1),
        (Qt.Key.Key_1, "voi", 0),
        (Qt.Key.Key_9, "voi", 8),
        (Qt.Key.Key_Space, "reset_view", -1),
        (Qt.Key.Key_BracketRight, "heat_stronger", -1),
        (Qt.Key.Key_PageDown, "next_series", -1),
        (Qt.Key.Key_Enter, "classify", -1),
    ],
)
def test_that_a_key_does_what_its_row_says(
    qtbot: QtBot, window: QWidget, calls: Calls, key: Qt.Key, name: str, index: int
) -> None:
    window.setFocus()
    qtbot.keyClick(window, key)
    assert calls == {name: [index]}


def test_that_shift_and_a_digit_is_not_the_digit(
    qtbot: QtBot, window: QWidget, calls: Calls
) -> None:
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ShiftModifier)
    assert calls == {"heat_finding": [2]}


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (QLineEdit, Qt.Key.Key_I),
        (QLineEdit, Qt.Key.Key_Space),
        (QLineEdit, Qt.Key.Key_Home),
        (QLineEdit, Qt.Key.Key_Return),
        (QPushButton, Qt.Key.Key_Space),
        (QSlider, Qt.Key.Key_Up),
    ],
)
def test_that_a_focused_widget_keeps_the_keys_it_needs(
    qtbot: QtBot, window: QWidget, calls: Calls, kind: type[QWidget], key: Qt.Key
) -> None:
    widget = window.findChild(kind)
    widget.setFocus()
    qtbot.keyClick(widget, key)
    assert calls == {}


def test_that_a_focused_button_does_not_take_letters(
    qtbot: QtBot, window: QWidget, calls: Calls
) -> None:
    button = window.findChild(QPushButton)
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_I)
    assert calls == {"invert": [-1]}
