"""Every control can be reached by keyboard and has a name for screen readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QScrollBar,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from xrayview.ui.browser.filter_line import FilterPage
from xrayview.ui.findings.card_dialog import CardDialog
from xrayview.ui.findings.score_bar import ScoreBar
from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.shortcut_sheet import ShortcutSheet
from xrayview.ui.model_import.dialog import ModelImportDialog
from xrayview.ui.settings_dialog.dialog import KEYS_PAGE
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.viewer.canvas import Canvas

NO_FOCUS = Qt.FocusPolicy.NoFocus


def is_part_of_another(widget: QWidget) -> bool:
    """True for parts that Qt builds into a control, which is named as a whole."""
    parent = widget.parentWidget()
    inside = (QLineEdit, QComboBox, QAbstractSpinBox)
    while parent is not None:
        if isinstance(parent, inside):
            return True
        parent = parent.parentWidget()
    return (
        widget.objectName().startswith("qt_")
        or isinstance(widget.parentWidget(), QAbstractScrollArea)
        or isinstance(widget, QMenu | QDialog | QTabBar)
    )


def controls(top: QWidget) -> Iterator[QWidget]:
    for widget in top.findChildren(QWidget):
        takes_part = widget.focusPolicy() != NO_FOCUS or isinstance(widget, QAbstractButton)
        if takes_part and widget.focusProxy() is None and not is_part_of_another(widget):
            yield widget


def speaks(widget: QWidget) -> bool:
    text = getattr(widget, "text", None)
    return bool(widget.accessibleName() or (isinstance(widget, QAbstractButton) and text()))


def mute(top: QWidget) -> list[str]:
    return [
        f"{type(w).__name__} in {type(w.parentWidget()).__name__}: {w.toolTip()}"
        for w in controls(top)
        if not speaks(w)
    ]


def test_that_every_control_of_the_window_has_a_name(ready: MainWindow) -> None:
    assert len(list(controls(ready))) > 30
    assert mute(ready) == []


def test_that_every_control_of_the_dialogs_has_a_name(window: MainWindow) -> None:
    window.preferences.show()
    assert mute(window.preferences.dialog) == []
    window.preferences.dialog.close()
    window._show_shortcuts()
    sheet = window.findChild(ShortcutSheet)
    assert mute(sheet) == []
    sheet.close()


def without_a_tip(top: QWidget) -> list[str]:
    """Controls without a text and without a tooltip."""
    wordless = (QAbstractSlider, QComboBox, QAbstractSpinBox, QAbstractButton)
    return [
        f"{type(w).__name__} in {type(w.parentWidget()).__name__}: {w.accessibleName()}"
        for w in controls(top)
        if isinstance(w, wordless) and not (w.toolTip() or has_text(w))
    ]


def has_text(widget: QWidget) -> bool:
    """True for a button with a text, or one that paints itself."""
    return isinstance(widget, QAbstractButton) and bool(widget.text() or widget.icon().isNull())


def test_that_every_control_without_text_has_a_tooltip(ready: MainWindow) -> None:
    assert without_a_tip(ready) == []


@pytest.mark.parametrize("name", ["save_figure", "export_folder", "deidentify", "tag_table"])
def test_that_every_control_of_an_export_has_a_name_and_a_tip(
    qtbot: QtBot, ready: MainWindow, name: str
) -> None:
    getattr(ready.panels.exports, name)()
    qtbot.waitUntil(lambda: ready.panels.exports.dialog(name) is not None, timeout=WAIT_MS)
    dialog = ready.panels.exports.dialog(name)
    assert dialog is not None
    seen = walked(qtbot, next(controls(dialog)))
    assert (missed(dialog, seen), unmarked(seen)) == ([], [])
    assert (mute(dialog), without_a_tip(dialog)) == ([], [])
    dialog.close()
    qtbot.waitUntil(lambda: ready.panels.exports.dialog(name) is None, timeout=WAIT_MS)


def test_that_the_card_and_the_filter_have_names(qtbot: QtBot, ready: MainWindow) -> None:
    model = ready.workspace.session.model
    assert model is not None
    card = CardDialog(model)
    qtbot.addWidget(card)
    page = ready.findChild(FilterPage)
    assert (mute(card), mute(page), without_a_tip(page)) == ([], [], [])


def test_that_every_control_of_the_second_window_has_a_name_and_is_reached(
    qtbot: QtBot, ready: MainWindow
) -> None:
    ready.workspace.second_window.open()
    window = ready.workspace.second_window.window
    assert window is not None
    seen = walked(qtbot, window.pin)
    assert (mute(window), without_a_tip(window)) == ([], [])
    assert (missed(window, seen), unmarked(seen)) == ([], [])
    window.close()


def test_that_every_control_of_the_model_import_has_a_name_and_is_reached(
    qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = ModelImportDialog(tmp_path / "net.pt")
    qtbot.addWidget(dialog)
    dialog.show()
    seen = walked(qtbot, next(controls(dialog)))
    assert mute(dialog) == []
    assert (missed(dialog, seen), unmarked(seen)) == ([], [])


def test_that_every_button_of_the_toolbar_has_a_tooltip_with_its_key(window: MainWindow) -> None:
    for name, button in window.bar.buttons.items():
        assert button.toolTip(), name
        if name in shortcuts.ROWS and shortcuts.key_label(name):
            assert shortcuts.keys_label(shortcuts.ROWS[name]) in button.toolTip()


def test_that_tab_moves_through_the_toolbar_from_left_to_right(
    qtbot: QtBot, ready: MainWindow
) -> None:
    ready.activateWindow()
    first = ready.bar.buttons["open_folder"]
    first.setFocus()
    walked = [first]
    while (widget := walked[-1].nextInFocusChain()) is not first:
        walked.append(widget)
    reached = [
        widget
        for widget in walked
        if ready.bar.isAncestorOf(widget)
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    positions = [widget.mapTo(ready, widget.rect().topLeft()).x() for widget in reached]
    assert len(reached) > 10
    assert positions == sorted(positions)


def walked(qtbot: QtBot, first: QWidget) -> list[QWidget]:
    """The widgets that get the focus with each Tab, until the first one has it again."""
    seen: list[QWidget] = []
    first.window().activateWindow()
    qtbot.waitUntil(lambda: first.window().isActiveWindow(), timeout=WAIT_MS)
    first.setFocus()
    while (here := QApplication.focusWidget()) is not None and here not in seen:
        seen.append(here)
        qtbot.keyClick(here, Qt.Key.Key_Tab)
    return seen


def is_reached_by_arrows(button: QWidget, seen: list[QWidget]) -> bool:
    """True in an exclusive group where Tab reached the checked button; arrows reach the others."""
    group = button.group() if isinstance(button, QAbstractButton) else None
    return group is not None and any(other in seen for other in group.buttons())


def missed(top: QWidget, seen: list[QWidget]) -> list[str]:
    return [
        f"{type(w).__name__}: {w.accessibleName()}"
        for w in controls(top)
        if w.isVisibleTo(top) and w.isEnabled() and w not in seen
        and not isinstance(w, QScrollBar | QLabel)
        and w.focusPolicy() != NO_FOCUS and not is_reached_by_arrows(w, seen)
    ]  # fmt: skip


def unmarked(seen: list[QWidget]) -> list[str]:
    """Widgets that look the same with and without the focus, except films, which have a frame."""
    return [
        f"{type(widget).__name__}: {widget.accessibleName()}"
        for widget in seen
        if widget.isVisible() and not isinstance(widget, Canvas) and not is_marked(widget)
    ]


def is_marked(widget: QWidget) -> bool:
    top = widget.window()
    area = QRect(widget.mapTo(top, widget.rect().topLeft()), widget.size())
    pictures = []
    for act in (widget.setFocus, widget.clearFocus):
        act()
        QApplication.processEvents()
        pictures.append(top.grab(area).toImage())
    return pictures[0] != pictures[1]


@pytest.mark.parametrize("page", ["tags", "pipeline", "measurements"])
def test_that_tab_reaches_every_control_of_the_window(
    qtbot: QtBot, ready: MainWindow, page: str
) -> None:
    workspace = ready.workspace
    workspace.batch_runner.start()
    qtbot.waitUntil(lambda: not workspace.batch_runner.running, timeout=WAIT_MS)
    workspace.result_table.show()
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "classified", timeout=WAIT_MS)
    ready.panels.dock.open_page(page)
    QApplication.processEvents()
    seen = walked(qtbot, ready.bar.buttons["open_folder"])
    assert (missed(ready, seen), unmarked(seen)) == ([], [])
    bars, switch = [w for w in seen if isinstance(w, ScoreBar)], workspace.findings.heat.switch
    assert len(bars) == 2
    assert seen.index(bars[-1]) == seen.index(switch) - 1


def test_that_tab_reaches_every_control_of_the_settings(qtbot: QtBot, window: MainWindow) -> None:
    window.preferences.show()
    dialog = window.preferences.dialog
    for page in (*dialog.pages, KEYS_PAGE):
        dialog.turn_to(page)
        seen = walked(qtbot, dialog.names)
        assert (missed(dialog, seen), unmarked(seen)) == ([], [])
    dialog.close()


def greyscale_menu(window: MainWindow) -> QMenu:
    menu = window.bar.buttons["menu_more"].menu()
    found = next(a.menu() for a in menu.actions() if a.menu() and a.text() == "Greyscale")
    found.aboutToShow.emit()
    return found


def test_that_every_command_is_in_the_menu_with_its_key(window: MainWindow) -> None:
    menu = window.bar.buttons["menu_more"].menu()
    found: set[str] = set()
    for action in menu.actions():
        if action.menu() is not None:
            action.menu().aboutToShow.emit()
            for entry in action.menu().actions():
                row = entry.property("key_row")
                found.add(row or entry.text())
                if row:
                    key = shortcuts.keys_label(shortcuts.ROWS[row])
                    assert entry.text() == f"{shortcuts.ROWS[row].text}\t{key}"
    expected = {row.text if row.is_numbered else row.name for row in shortcuts.KEYS}
    assert found == expected


def test_that_unavailable_commands_are_disabled_in_the_menu(window: MainWindow) -> None:
    entries = {entry.property("key_row"): entry for entry in greyscale_menu(window).actions()}
    assert not window.bar.buttons["invert"].isEnabled()
    assert not entries["invert"].isEnabled()


def test_that_the_menu_has_the_commands_that_a_narrow_toolbar_hides(ready: MainWindow) -> None:
    ready.resize(ready.minimumSize())
    QApplication.processEvents()
    assert not ready.bar.buttons["invert"].isVisible()
    grey = greyscale_menu(ready)
    entries = {entry.property("key_row"): entry for entry in grey.actions()}
    entries["invert"].trigger()
    assert ready.workspace.viewer.inverted


def test_that_a_menu_entry_does_the_same_as_its_key(ready: MainWindow) -> None:
    grey = greyscale_menu(ready)
    entries = {entry.property("key_row"): entry for entry in grey.actions()}
    entries["invert"].trigger()
    assert ready.workspace.viewer.inverted
    numbered = next(e.menu() for e in grey.actions() if e.menu())
    numbered.aboutToShow.emit()
    before = ready.workspace.viewer.voi
    numbered.actions()[1].trigger()
    assert ready.workspace.viewer.voi != before
