"""Every command of the program with its key, in a menu made from the table of keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QMenu

from xrayview.ui.keys import shortcuts

POSSIBLE = "possible"
"""Of a button, whether what it does can be done now, seen or not."""
Actions = Mapping[str, Callable[..., object]]


def add_command(menu: QMenu, name: str, actions: Actions) -> None:
    """One row of the table; a row of numbered keys becomes a menu of its places."""
    row = shortcuts.ROWS[name]
    act = actions[name]
    if not row.numbered:
        action = menu.addAction("")
        shortcuts.describe(action, name)
        action.triggered.connect(lambda _checked: act())
        return
    places = menu.addMenu(row.text)
    places.setAccessibleName(row.text)

    def fill() -> None:
        places.clear()
        for place, key in enumerate(shortcuts.keys_of(name) or ("",) * len(row.keys)):
            action = places.addAction(f"{place + 1}\t{shortcuts.native(key)}")
            action.triggered.connect(lambda _checked, n=place: act(n))

    places.aboutToShow.connect(fill)


def add_all_commands(menu: QMenu, actions: Actions, buttons: Mapping[str, QAbstractButton]) -> None:
    """A menu for each group of the table, made when it is first looked into.

    Args:
        menu: gets the menus of the groups at its end.
        actions: by the names of the table's rows.
        buttons: those that do the same; what cannot be done now is grey in the menu too.
    """
    for group, rows in shortcuts.groups().items():
        names = [row.name for row in rows]
        part = menu.addMenu(group)
        part.setAccessibleName(group)
        part.aboutToShow.connect(_filler(part, names, actions, buttons))


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
        # A button for which the bar has no room is disabled: what it does can be done all the same.
        possible = button.property(POSSIBLE)
        action.setEnabled(button.isEnabled() if possible is None else possible)
        action.setCheckable(button.isCheckable())
        action.setChecked(button.isChecked())
