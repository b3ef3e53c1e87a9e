"""A menu of all commands with their keys, built from the table of keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QMenu

from xrayview.ui.keys import shortcuts

POSSIBLE = "possible"
"""Property of a button: whether its command is available now, even while the button is hidden."""
Actions = Mapping[str, Callable[..., object]]


def add_command(menu: QMenu, name: str, actions: Actions) -> None:
    """Add the command of one row; a row of numbered keys becomes a submenu."""
    row = shortcuts.ROWS[name]
    act = actions[name]
    if not row.is_numbered:
        action = menu.addAction("")
        shortcuts.describe(action, name)
        action.triggered.connect(lambda _checked: act())
        return
    submenu = menu.addMenu(row.text)
    submenu.setAccessibleName(row.text)

    def fill() -> None:
        submenu.clear()
        for index, key in enumerate(shortcuts.keys_of(name) or ("",) * len(row.keys)):
            action = submenu.addAction(f"{index + 1}\t{shortcuts.native(key)}")
            action.triggered.connect(lambda _checked, i=index: act(i))

    submenu.aboutToShow.connect(fill)


def add_all_commands(menu: QMenu, actions: Actions, buttons: Mapping[str, QAbstractButton]) -> None:
    """Append a submenu for each group of the table, filled when it is first opened.

    Args:
        menu: the submenus are appended to it.
        actions: the commands, by action id.
        buttons: buttons for the same commands; menu entries copy their state.
    """
    for group, rows in shortcuts.groups().items():
        names = [row.name for row in rows]
        submenu = menu.addMenu(group)
        submenu.setAccessibleName(group)
        submenu.aboutToShow.connect(_filler(submenu, names, actions, buttons))


def _filler(
    menu: QMenu, names: list[str], actions: Actions, buttons: Mapping[str, QAbstractButton]
) -> Callable[[], None]:
    def fill() -> None:
        if menu.isEmpty():
            for name in names:
                add_command(menu, name, actions)
        for action in menu.actions():
            _mirror(action, buttons.get(action.property("key_row")))

    return fill


def _mirror(action: QAction, button: QAbstractButton | None) -> None:
    if button is not None:
        # A button that does not fit into the toolbar is disabled, but its command is available.
        possible = button.property(POSSIBLE)
        action.setEnabled(button.isEnabled() if possible is None else possible)
        action.setCheckable(button.isCheckable())
        action.setChecked(button.isChecked())
