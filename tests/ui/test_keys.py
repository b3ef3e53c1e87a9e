"""Changing keys: refusals, swaps, the press of a key, and the editor."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.key_binding import KeyBinding, digit_pressed, key_pressed
from xrayview.ui.keys.keymap import RESERVED, Keymap
from xrayview.ui.settings_dialog.key_editor import HINT, KeyEditor

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier
FRENCH_1 = 10
"""X11's code of the key that types `&` on a French keyboard, and `1` with Shift."""


@pytest.fixture(autouse=True)
def _default_keys_afterwards():
    yield
    shortcuts.use({})


def press(key: Qt.Key, modifiers=NONE, text: str = "", code: int = 0) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.KeyPress, key, modifiers, code, 0, 0, text)


# The map


def test_that_a_free_key_replaces_the_old_one() -> None:
    keymap = Keymap()
    assert keymap.problem("invert", "Ctrl+I") == ""
    assert keymap.conflicts("invert", "Ctrl+I") == []
    keymap.assign("invert", "Ctrl+I")
    assert keymap.keys("invert") == ("Ctrl+I",)
    assert keymap.owner("I") is None
    assert keymap.as_setting() == {"invert": "Ctrl+I"}


def test_that_a_key_of_another_action_is_named_and_swapped() -> None:
    keymap = Keymap()
    assert [row.name for row in keymap.conflicts("invert", "W")] == ["tool_window"]
    keymap.assign("invert", "W")
    assert (keymap.keys("invert"), keymap.keys("tool_window")) == (("W",), ("I",))


def test_that_an_action_with_two_keys_can_lose_one_of_them() -> None:
    keymap = Keymap()
    keymap.assign("invert", "Return")
    assert keymap.keys("classify") == ("Enter",)


def test_that_a_numbered_row_changes_as_a_whole() -> None:
    keymap = Keymap()
    assert "digit" in keymap.problem("voi", "Q")
    keymap.assign("voi", "Ctrl+Alt+7")
    assert keymap.keys("voi") == tuple(f"Ctrl+Alt+{n}" for n in range(1, 10))
    keymap.assign("voi", "Shift+1")
    assert keymap.keys("heat_finding") == tuple(f"Ctrl+Alt+{n}" for n in range(1, 10))


@pytest.mark.parametrize("key", RESERVED)
def test_that_reserved_keys_are_refused_with_the_reason(key: str) -> None:
    assert RESERVED[key] in Keymap().problem("invert", key)


def test_that_a_reset_takes_the_key_from_the_action_that_has_it() -> None:
    keymap = Keymap()
    keymap.assign("invert", "W")
    keymap.reset("tool_window")
    assert (keymap.keys("tool_window"), keymap.keys("invert")) == (("W",), ())
    keymap.reset_all()
    assert keymap.as_setting() == {}


def test_that_saved_keys_are_loaded_again() -> None:
    keymap = Keymap()
    keymap.assign("invert", "Ctrl+,")
    keymap.assign("classify", "C")
    keymap.assign("heat_finding", "Ctrl+Shift+1")
    keymap.clear("fit")
    again = Keymap(keymap.as_setting())
    assert again.problems == []
    assert again.own() == keymap.own()


def test_that_no_two_actions_share_a_key() -> None:
    keymap = Keymap()
    for name, key in (("invert", "W"), ("voi", "Shift+1"), ("tool_pan", "3"), ("fit", "Return")):
        keymap.assign(name, key)
    keymap.reset("voi")
    keys = [key for row in shortcuts.KEYS for key in keymap.keys(row.name)]
    assert len(keys) == len(set(keys))


def test_that_a_key_of_the_user_overrides_a_default_of_a_newer_version() -> None:
    # As if no action had `T` when the user chose it.
    keymap = Keymap({"invert": "T"})
    assert (keymap.keys("invert"), keymap.keys("tags")) == (("T",), ())


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"no such": "A"}, "no such is not an action"),
        ({"invert": "Hyper+Foo"}, "invert cannot have"),
        ({"invert": "Esc"}, "invert cannot have"),
        ({"voi": "1"}, "voi needs 9 keys"),
        ({"invert": "Q", "fit": "Q"}, "fit cannot have Q, which another action has"),
    ],
)
def test_that_invalid_keys_in_the_settings_are_reported_and_the_default_used(
    changed: dict[str, str], problem: str
) -> None:
    keymap = Keymap(changed)
    assert len(keymap.problems) == 1
    assert problem in keymap.problems[0]


def test_that_the_table_writes_keys_in_qts_notation() -> None:
    from PySide6.QtGui import QKeySequence

    keys = [key for row in shortcuts.KEYS for key in row.keys]
    assert [QKeySequence(key).toString() for key in keys] == keys


# The press


@pytest.mark.parametrize(
    ("key", "modifiers", "text", "expected"),
    [
        (Qt.Key.Key_Ampersand, NONE, "&", "1"),
        (Qt.Key.Key_1, SHIFT, "1", "Shift+1"),
        (Qt.Key.Key_Exclam, SHIFT, "!", "Shift+1"),
        (Qt.Key.Key_Ampersand, CTRL, "", "Ctrl+1"),
    ],
)
def test_that_the_digit_row_is_recognised_by_its_physical_keys(
    key: Qt.Key, modifiers, text: str, expected: str
) -> None:
    event = press(key, modifiers, text, FRENCH_1)
    assert digit_pressed(event, "linux") == expected
    assert digit_pressed(press(key, modifiers, text, 2), "win32") == expected


def test_that_other_keys_are_not_digits() -> None:
    assert digit_pressed(press(Qt.Key.Key_A, code=38), "linux") == ""
    assert digit_pressed(press(Qt.Key.Key_1), "linux") == ""


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (press(Qt.Key.Key_Shift, SHIFT), ""),
        (press(Qt.Key.Key_Q, SHIFT, "Q"), "Shift+Q"),
        (press(Qt.Key.Key_Question, SHIFT, "?"), "?"),
        (press(Qt.Key.Key_F5, SHIFT), "Shift+F5"),
        (press(Qt.Key.Key_Backtab, SHIFT), "Shift+Tab"),
        (press(Qt.Key.Key_Space, NONE, " "), "Space"),
    ],
    ids=str,
)
def test_that_a_press_is_written_as_in_the_table(event: QKeyEvent, expected: str) -> None:
    assert key_pressed(event) == expected


@pytest.fixture
def calls() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def window(qtbot: QtBot, calls: list[tuple[str, int]]) -> QWidget:
    window = QWidget()
    column = QVBoxLayout(window)
    column.addWidget(QLineEdit())
    column.addWidget(QPushButton("Act"))
    actions = {row.name: _recorder(calls, row.name) for row in shortcuts.KEYS}
    window.binding = KeyBinding(window, actions)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def _recorder(calls: list[tuple[str, int]], name: str):
    return lambda *index: calls.append((name, *index))


@pytest.mark.skipif(sys.platform != "linux", reason="the codes are those of X11")
def test_that_a_french_keyboard_reaches_windows_and_findings(
    window: QWidget, calls: list[tuple[str, int]]
) -> None:
    window.setFocus()
    for key, modifiers, text in ((Qt.Key.Key_Ampersand, NONE, "&"), (Qt.Key.Key_1, SHIFT, "1")):
        for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            event = QKeyEvent(kind, key, modifiers, FRENCH_1, 0, 0, text)
            QApplication.sendEvent(window, event)
            assert event.isAccepted()
    assert calls == [("voi", 0), ("heat_finding", 0)]


@pytest.mark.skipif(sys.platform != "linux", reason="the codes are those of X11")
def test_that_a_digit_typed_into_a_field_stays_there(
    window: QWidget, calls: list[tuple[str, int]]
) -> None:
    field = window.findChild(QLineEdit)
    field.setFocus()
    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_1, NONE, FRENCH_1, 0, 0, "1")
    QApplication.sendEvent(field, event)
    assert (field.text(), calls) == ("1", [])


def test_that_only_events_of_the_focused_widget_are_filtered(window: QWidget) -> None:
    filtered: list[QObject] = []

    class Recording(KeyBinding):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            filtered.append(watched)
            return super().eventFilter(watched, event)

    Recording(window, {row.name: filtered.clear for row in shortcuts.KEYS})
    field, button = window.findChild(QLineEdit), window.findChild(QPushButton)
    field.setFocus()
    button.setFocus()
    filtered.clear()
    for widget in (field, button):
        QApplication.sendEvent(widget, QEvent(QEvent.Type.User))
    assert filtered == [button]


def test_that_the_old_key_does_nothing_after_a_change(
    qtbot: QtBot, window: QWidget, calls: list[tuple[str, int]]
) -> None:
    keymap = Keymap()
    keymap.assign("invert", "Y")
    shortcuts.use(keymap.own())
    window.binding.renew()
    window.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_I)
    qtbot.keyClick(window, Qt.Key.Key_Y)
    assert calls == [("invert",)]


def test_that_tooltips_and_menus_show_the_key_in_force(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    button, action = QPushButton(window), QAction(window)
    shortcuts.describe(button, "invert")
    shortcuts.describe(action, "invert")
    assert (button.toolTip(), action.text()) == ("Invert (I)", "Invert\tI")
    shortcuts.use({"invert": ("Ctrl+I",)})
    shortcuts.refresh(window)
    assert (button.toolTip(), action.text()) == ("Invert (Ctrl+I)", "Invert\tCtrl+I")
    assert (button.accessibleName(), shortcuts.key_label("invert")) == ("Invert", "Ctrl+I")
    shortcuts.use({"invert": ()})
    shortcuts.refresh(window)
    assert button.toolTip() == "Invert"


# The editor


@pytest.fixture
def editor(qtbot: QtBot) -> KeyEditor:
    editor = KeyEditor(Keymap())
    qtbot.addWidget(editor)
    editor.show()
    qtbot.waitExposed(editor)
    return editor


def shown(editor: KeyEditor, name: str) -> str:
    return editor._items[name].text(1)


def test_that_a_key_is_changed_by_selecting_and_pressing(qtbot: QtBot, editor: KeyEditor) -> None:
    editor.select("invert")
    editor.tree.setFocus()
    qtbot.keyClick(editor.tree, Qt.Key.Key_Return)
    assert shown(editor, "invert") == "Press a key …"
    with qtbot.waitSignal(editor.changed):
        qtbot.keyClick(editor.tree, Qt.Key.Key_Y, CTRL | Qt.KeyboardModifier.AltModifier)
    assert editor.keymap.keys("invert") == ("Ctrl+Alt+Y",)
    assert shown(editor, "invert") == shortcuts.native("Ctrl+Alt+Y")


def test_that_escape_cancels_a_change(qtbot: QtBot, editor: KeyEditor) -> None:
    editor.select("invert")
    editor.wait()
    qtbot.keyClick(editor.tree, Qt.Key.Key_Escape)
    assert (shown(editor, "invert"), editor.note.text()) == ("I", HINT)
    assert editor.keymap.as_setting() == {}


def test_that_a_conflict_is_named_and_nothing_changes_until_it_is_swapped(
    qtbot: QtBot, editor: KeyEditor
) -> None:
    editor.select("invert")
    editor.wait()
    qtbot.keyClick(editor.tree, Qt.Key.Key_W)
    assert "Window tool" in editor.note.text()
    assert editor.keymap.as_setting() == {}
    editor.keep.click()
    assert editor.keymap.as_setting() == {}
    assert not editor.swap.isVisible()
    editor.wait()
    qtbot.keyClick(editor.tree, Qt.Key.Key_W)
    editor.swap.click()
    assert (shown(editor, "invert"), shown(editor, "tool_window")) == ("W", "I")


def test_that_the_list_is_searched_by_action_and_by_key(editor: KeyEditor) -> None:
    for typed, left in (("ctrl+o", "open_folder"), ("rotate left", "rotate_left")):
        editor.field.setText(typed)
        assert {n for n, item in editor._items.items() if not item.isHidden()} == {left}
    editor.field.clear()
    assert not any(item.isHidden() for item in editor._items.values())


def test_that_one_key_or_all_keys_can_be_reset(editor: KeyEditor) -> None:
    for name, key in (("invert", "Ctrl+Alt+I"), ("fit", "Ctrl+Alt+F")):
        editor.select(name)
        editor.wait()
        editor.press(key)
    editor.select("invert")
    editor.reset.click()
    assert editor.keymap.as_setting() == {"fit": "Ctrl+Alt+F"}
    editor.remove.click()
    assert shown(editor, "invert") == "no key"
    editor.reset_all.click()
    assert editor.keymap.as_setting() == {}
    assert shown(editor, "fit") == "F"
