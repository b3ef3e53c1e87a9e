"""Switches the theme: colours, stylesheet and palette change together."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from xrayview.ui.style import colours, fonts, icons
from xrayview.ui.style.colours import C
from xrayview.ui.style.stylesheet import stylesheet

Choice = Literal["dark", "light", "system"]


class _Switch(QObject):
    """Notifies widgets that store a colour (in HTML, in a plot) of a change."""

    switched = Signal()


@cache
def _switch() -> _Switch:
    return _Switch()


def on_switch(act: Callable[[], object]) -> None:
    """Call a method of a widget whenever the colours change, as long as the widget exists."""
    _switch().switched.connect(act)


def apply(app: QApplication, choice: Choice = "dark") -> None:
    """Set up the style of the application, before its first window is made."""
    app.setStyle("Fusion")
    app.setFont(fonts.default_font())
    app.setWindowIcon(icons.app_icon())
    _watch_system()
    use(choice)


def use(choice: Choice) -> None:
    """Switch the whole application to a theme; films stay on black."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.setProperty("theme", choice)
    _set_colour_scheme(app, choice)
    _apply_colours(app, light=_is_light(app, choice))


def _set_colour_scheme(app: QApplication, choice: Choice) -> None:
    """Make the platform's title bars and file dialogs follow the theme, from Qt 6.8 on."""
    if hasattr(app.styleHints(), "setColorScheme"):
        scheme = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
        app.styleHints().setColorScheme(scheme.get(choice, Qt.ColorScheme.Unknown))


def _is_light(app: QApplication, choice: Choice) -> bool:
    """Whether a choice means the light theme; dark if the platform states no preference."""
    if choice == "system":
        return app.styleHints().colorScheme() == Qt.ColorScheme.Light
    return choice == "light"


@cache
def _watch_system() -> None:
    QGuiApplication.styleHints().colorSchemeChanged.connect(_follow_system)


def _follow_system() -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication) and app.property("theme") == "system":
        _apply_colours(app, light=_is_light(app, "system"))


def _apply_colours(app: QApplication, *, light: bool) -> None:
    chosen = colours.LIGHT if light else colours.DARK
    sheet = stylesheet(chosen)
    if app.styleSheet() == sheet:
        return
    colours.put_in_force(chosen)
    app.setPalette(_palette())
    app.setStyleSheet(sheet)
    _switch().switched.emit()


def _palette() -> QPalette:
    roles = {
        QPalette.ColorRole.Window: C.window,
        QPalette.ColorRole.Base: C.panel,
        QPalette.ColorRole.AlternateBase: C.raised,
        QPalette.ColorRole.Button: C.raised,
        QPalette.ColorRole.ToolTipBase: C.raised,
        QPalette.ColorRole.WindowText: C.text,
        QPalette.ColorRole.Text: C.text,
        QPalette.ColorRole.ButtonText: C.text,
        QPalette.ColorRole.ToolTipText: C.text,
        QPalette.ColorRole.PlaceholderText: C.quiet,
        QPalette.ColorRole.Highlight: C.accent_dim,
        QPalette.ColorRole.HighlightedText: C.strong,
        QPalette.ColorRole.Link: C.accent,
    }
    palette = QPalette()
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(C.faint))
    return palette
