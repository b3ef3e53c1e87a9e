"""Keys that the user may change: what is refused, what is swapped, and who spells them."""

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
"""X11's code of the key that writes `&` on a French keyboard, and `1` with Shift."""


@pytest.fixture(autouse=True)
def _own_keys_again():
    yield
    shortcuts.use({})


def press(key: Qt.Key, modifiers=NONE, text: str = "", code: int = 0) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.KeyPress, key, modifiers, code, 0, 0, text)


# The map


def test_that_a_free_key_takes_the_place_of_the_old_one() -> None:
    keymap = Keymap()
    assert keymap.problem("invert", "Ctrl+I") == ""
    assert keymap.in_the_way("invert", "Ctrl+I") == []
    keymap.give("invert", "Ctrl+I")
    assert keymap.keys("invert") == ("Ctrl+I",)
    assert keymap.owner("I") is None
    assert keymap.as_setting() == {"invert": "Ctrl+I"}


def test_that_a_key_of_another_action_is_named_and_swapped() -> None:
    keymap = Keymap()
    assert [row.name for row in keymap.in_the_way("invert", "W")] == ["tool_window"]
    keymap.give("invert", "W")
    assert (keymap.keys("invert"), keymap.keys("tool_window")) == (("W",), ("I",))


def test_that_a_row_of_two_keys_gives_up_one_and_keeps_the_other() -> None:
    keymap = Keymap()
    keymap.give("invert", "Return")
    assert keymap.keys("classify") == ("Enter",)


def test_that_a_numbered_row_changes_as_a_whole() -> None:
    keymap = Keymap()
    assert "digit" in keymap.problem("voi", "Q")
    keymap.give("voi", "Ctrl+Alt+7")
    assert keymap.keys("voi") == tuple(f"Ctrl+Alt+{n}" for n in range(1, 10))
    keymap.give("voi", "Shift+1")
    assert keymap.keys("heat_finding") == tuple(f"Ctrl+Alt+{n}" for n in range(1, 10))


@pytest.mark.parametrize("key", RESERVED)
def test_that_keys_of_every_program_are_refused_with_the_reason(key: str) -> None:
    assert RESERVED[key] in Keymap().problem("invert", key)


def test_that_a_reset_takes_the_key_back_from_who_has_it_now() -> None:
    keymap = Keymap()
    keymap.give("invert", "W")
    keymap.reset("tool_window")
    assert (keymap.keys("tool_window"), keymap.keys("invert")) == (("W",), ())
    keymap.reset_all()
    assert keymap.as_setting() == {}


def test_that_what_was_saved_comes_back() -> None:
    keymap = Keymap()
    keymap.give("invert", "Ctrl+,")
    keymap.give("classify", "C")
    keymap.give("heat_finding", "Ctrl+Shift+1")
    keymap.clear("fit")
    again = Keymap(keymap.as_setting())
    assert again.problems == []
    assert again.own() == keymap.own()


def test_that_no_two_rows_ever_have_a_key_in_common() -> None:
    keymap = Keymap()
    for name, key in (("invert", "W"), ("voi", "Shift+1"), ("tool_pan", "3"), ("fit", "Return")):
        keymap.give(name, key)
    keymap.reset("voi")
    keys = [key for row in shortcuts.KEYS for key in keymap.keys(row.name)]
    assert len(keys) == len(set(keys))


def test_that_a_key_of_the_user_goes_before_a_default_of_a_newer_version() -> None:
    # As if `T` had been free when the user took it for another action.
    keymap = Keymap({"invert": "T"})
    assert (keymap.keys("invert"), keymap.keys("tags")) == (("T",), ())


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"no such": "A"}, "no such is no action"),
        ({"invert": "Hyper+Foo"}, "invert cannot have"),
        ({"invert": "Esc"}, "invert cannot have"),
        ({"voi": "1"}, "voi needs 9 keys"),
        ({"invert": "Q", "fit": "Q"}, "fit cannot have Q too"),
    ],
)
def test_that_bad_keys_of_a_settings_file_fall_back_and_say_so(
    changed: dict[str, str], problem: str
) -> None:
    keymap = Keymap(changed)
    assert len(keymap.problems) == 1
    assert problem in keymap.problems[0]


def test_that_the_table_writes_its_keys_as_they_are_compared() -> None:
    from PySide6.QtGui import QKeySequence

    keys = [key for row in shortcuts.KEYS for key in row.keys]
    assert [QKeySequence(key).toString() for key in keys] == keys


# The press


@pytest.mark.parametrize(
    ("key", "modifiers", "text", "means"),
    [
        (Qt.Key.Key_Ampersand, NONE, "&", "1"),
        (Qt.Key.Key_1, SHIFT, "1", "Shift+1"),
        (Qt.Key.Key_Exclam, SHIFT, "!", "Shift+1"),
        (Qt.Key.Key_Ampersand, CTRL, "", "Ctrl+1"),
    ],
)
def test_that_the_row_of_digits_is_known_by_the_place_of_its_keys(
    key: Qt.Key, modifiers, text: str, means: str
) -> None:
    event = press(key, modifiers, text, FRENCH_1)
    assert digit_pressed(event, "linux") == means
    assert digit_pressed(press(key, modifiers, text, 2), "win32") == means


def test_that_a_key_elsewhere_is_no_digit() -> None:
    assert digit_pressed(press(Qt.Key.Key_A, code=38), "linux") == ""
    assert digit_pressed(press(Qt.Key.Key_1), "linux") == ""


@pytest.mark.parametrize(
    ("event", "called"),
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
def test_that_a_press_is_called_as_the_table_calls_it(event: QKeyEvent, called: str) -> None:
    assert key_pressed(event) == called


@pytest.fixture
def heard() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def window(qtbot: QtBot, heard: list[tuple[str, int]]) -> QWidget:
    window = QWidget()
    column = QVBoxLayout(window)
    column.addWidget(QLineEdit())
    column.addWidget(QPushButton("Act"))
    note = {row.name: _note(heard, row.name) for row in shortcuts.KEYS}
    window.binding = KeyBinding(window, note)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def _note(heard: list[tuple[str, int]], name: str):
    return lambda *place: heard.append((name, *place))


@pytest.mark.skipif(sys.platform != "linux", reason="the codes are those of X11")
def test_that_a_french_keyboard_reaches_windows_and_findings(
    window: QWidget, heard: list[tuple[str, int]]
) -> None:
    window.setFocus()
    for key, modifiers, text in ((Qt.Key.Key_Ampersand, NONE, "&"), (Qt.Key.Key_1, SHIFT, "1")):
        for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            event = QKeyEvent(kind, key, modifiers, FRENCH_1, 0, 0, text)
            QApplication.sendEvent(window, event)
            assert event.isAccepted()
    assert heard == [("voi", 0), ("heat_finding", 0)]


@pytest.mark.skipif(sys.platform != "linux", reason="the codes are those of X11")
def test_that_a_digit_typed_into_a_field_stays_there(
    window: QWidget, heard: list[tuple[str, int]]
) -> None:
    field = window.findChild(QLineEdit)
    field.setFocus()
    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_1, NONE, FRENCH_1, 0, 0, "1")
    QApplication.sendEvent(field, event)
    assert (field.text(), heard) == ("1", [])


def test_that_only_the_widget_that_has_the_keyboard_is_listened_to(window: QWidget) -> None:
    noted: list[QObject] = []

    class Noting(KeyBinding):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            noted.append(watched)
            return super().eventFilter(watched, event)

    Noting(window, {row.name: noted.clear for row in shortcuts.KEYS})
    field, button = window.findChild(QLineEdit), window.findChild(QPushButton)
    field.setFocus()
    button.setFocus()
    noted.clear()
    for widget in (field, button):
        QApplication.sendEvent(widget, QEvent(QEvent.Type.User))
    assert noted == [button]


def test_that_the_old_key_does_nothing_once_there_is_a_new_one(
    qtbot: QtBot, window: QWidget, heard: list[tuple[str, int]]
) -> None:
    keymap = Keymap()
    keymap.give("invert", "Y")
    shortcuts.use(keymap.own())
    window.binding.renew()
    window.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_I)
    qtbot.keyClick(window, Qt.Key.Key_Y)
    assert heard == [("invert",)]


def test_that_tooltips_and_menus_spell_the_key_in_force(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    button, action = QPushButton(window), QAction(window)
    shortcuts.describe(button, "invert")
    shortcuts.describe(action, "invert")
    assert (button.toolTip(), action.text()) == ("Invert (I)", "Invert\tI")
    shortcuts.use({"invert": ("Ctrl+I",)})
    shortcuts.refresh(window)
    assert (button.toolTip(), action.text()) == ("Invert (Ctrl+I)", "Invert\tCtrl+I")
    assert (button.accessibleName(), shortcuts.label("invert")) == ("Invert", "Ctrl+I")
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


def test_that_a_key_is_changed_by_choosing_and_pressing(qtbot: QtBot, editor: KeyEditor) -> None:
    editor.choose("invert")
    editor.tree.setFocus()
    qtbot.keyClick(editor.tree, Qt.Key.Key_Return)
    assert shown(editor, "invert") == "Press a key …"
    with qtbot.waitSignal(editor.changed):
        qtbot.keyClick(editor.tree, Qt.Key.Key_Y, CTRL | Qt.KeyboardModifier.AltModifier)
    assert editor.keymap.keys("invert") == ("Ctrl+Alt+Y",)
    assert shown(editor, "invert") == shortcuts.native("Ctrl+Alt+Y")


def test_that_escape_leaves_the_key(qtbot: QtBot, editor: KeyEditor) -> None:
    editor.choose("invert")
    editor.wait()
    qtbot.keyClick(editor.tree, Qt.Key.Key_Escape)
    assert (shown(editor, "invert"), editor.note.text()) == ("I", HINT)
    assert editor.keymap.as_setting() == {}


def test_that_a_conflict_is_named_and_nothing_changes_until_it_is_swapped(
    qtbot: QtBot, editor: KeyEditor
) -> None:
    editor.choose("invert")
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
    for words, left in (("ctrl+o", "open_folder"), ("rotate left", "rotate_left")):
        editor.field.setText(words)
        assert {n for n, item in editor._items.items() if not item.isHidden()} == {left}
    editor.field.clear()
    assert not any(item.isHidden() for item in editor._items.values())


def test_that_one_key_is_reset_and_all_are(editor: KeyEditor) -> None:
    for name, key in (("invert", "Ctrl+Alt+I"), ("fit", "Ctrl+Alt+F")):
        editor.choose(name)
        editor.wait()
        editor.press(key)
    editor.choose("invert")
    editor.reset.click()
    assert editor.keymap.as_setting() == {"fit": "Ctrl+Alt+F"}
    editor.remove.click()
    assert shown(editor, "invert") == "no key"
    editor.reset_all.click()
    assert editor.keymap.as_setting() == {}
    assert shown(editor, "fit") == "F"
