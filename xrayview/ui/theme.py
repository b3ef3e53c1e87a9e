"""The look: colours, spacing, one stylesheet, and icons tinted by it.

The film is the brightest thing on screen. Panels are dark grey, black is only around the film,
and one accent marks what is active. Distances are multiples of 4 px.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from string import Template
from typing import Literal

from PySide6.QtCore import QByteArray, QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from xrayview.errors import Status
from xrayview.services.resources import resource

TEXT_PX = 13
SMALL_PX = 12
TITLE_PX = 15
GRID = 4


@dataclass
class Colours:
    """Every colour that the window draws with; the defaults are the dark theme."""

    film: str = "#000000"
    """Around the film, in every theme: the eye adapts to it."""
    window: str = "#1b1d20"
    panel: str = "#212427"
    stripe: str = "#25282b"
    raised: str = "#2b2e32"
    hover: str = "#34383d"
    line: str = "#3a3e43"
    text: str = "#d4d7da"
    quiet: str = "#9aa0a6"
    faint: str = "#6d737a"
    """Signs and what cannot be used; never a text that is to be read."""
    strong: str = "#ffffff"
    """Text on `accent_dim`, and what stands out of a list."""
    accent: str = "#58a6d6"
    accent_hover: str = "#6db4e0"
    accent_dim: str = "#2b4d63"
    on_accent: str = "#08131b"
    warn: str = "#d9a94e"
    error: str = "#e5847a"
    ok: str = "#7fae8b"


DARK = Colours()
LIGHT = Colours(
    window="#e4e7ea",
    panel="#eef0f2",
    stripe="#e8ebee",
    raised="#f9fafb",
    hover="#d8dde2",
    line="#bcc2c9",
    text="#22262b",
    quiet="#4d545c",
    faint="#868d95",
    strong="#0a0d10",
    accent="#0d5c96",
    accent_hover="#0b4e80",
    accent_dim="#b7d7ee",
    on_accent="#fdfeff",
    warn="#7a4f00",
    error="#a62b21",
    ok="#22633a",
)
C = replace(DARK)
"""The theme in force. `use` gives it other values: read it when drawing, never keep one."""

INKS = (
    ("text", ("window", "panel", "stripe", "raised", "hover")),
    ("quiet", ("window", "panel", "stripe", "raised")),
    ("warn", ("window", "panel", "stripe", "raised")),
    ("error", ("window", "panel", "stripe", "raised")),
    ("ok", ("window", "panel", "stripe", "raised")),
    ("accent", ("window", "panel", "stripe", "raised")),
    ("strong", ("window", "panel", "raised", "accent_dim")),
    ("text", ("accent_dim",)),
    ("on_accent", ("accent", "accent_hover")),
)
"""Which text stands on which ground; a test holds each pair to WCAG 2.1, 1.4.3 (4.5 to 1)."""

_STATUS = {Status.OK: "ok", Status.WARN: "warn", Status.REFUSED: "quiet", Status.ERROR: "error"}
STATUS_COLOUR = {status: getattr(C, ink) for status, ink in _STATUS.items()}
STATUS_ICON = {
    Status.OK: "ok",
    Status.WARN: "warn",
    Status.REFUSED: "refused",
    Status.ERROR: "error",
}

_FAMILIES = [
    "Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Liberation Sans", "DejaVu Sans",
]  # fmt: skip

_SHEET = Template("""
QWidget { color: $text; font-size: 13px; }
QMainWindow, QDialog { background: $window; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 4px 6px; }

QToolBar { background: $window; border: 0; border-bottom: 1px solid $line; padding: 4px 8px;
    spacing: 2px; }
QToolBar::separator { background: $line; width: 1px; margin: 5px 6px; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 4px;
    padding: 4px 6px; }
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $raised; }
QToolButton:checked { background: $accent_dim; color: $strong; }
QToolButton:focus { border-color: $accent; }
QToolButton:disabled { color: $faint; }
QToolButton::menu-indicator { image: none; }
QToolButton[popupMode="1"] { padding-right: 20px; }
QToolButton::menu-button { border: 0; width: 18px; }
QToolButton::menu-arrow { image: url($chevron); width: 12px; height: 12px; }
QToolButton:checked:disabled { background: transparent; }

QPushButton { background: $raised; border: 1px solid $line; border-radius: 4px;
    padding: 5px 12px; min-height: 16px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $panel; }
QPushButton:focus { border-color: $accent; }
QPushButton:checked { background: $accent_dim; border-color: $accent_dim; color: $strong; }
QPushButton:disabled { color: $faint; border-color: $raised; }
QPushButton[primary="true"] { background: $accent; border-color: $accent; color: $on_accent;
    font-weight: 600; }
QPushButton[primary="true"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[primary="true"]:disabled { background: $accent_dim; border-color: $accent_dim;
    color: $quiet; }
QPushButton[flat="true"] { background: transparent; border-color: transparent; }
QPushButton[flat="true"]:hover { background: $hover; }

QLineEdit, QComboBox, QAbstractSpinBox { background: $window; border: 1px solid $line;
    border-radius: 4px;
    padding: 4px 8px; min-height: 18px; selection-background-color: $accent_dim; }
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus { border-color: $accent; }
QComboBox:hover { background: $raised; }
QComboBox::drop-down { border: 0; width: 20px; }
QComboBox::down-arrow { image: url($chevron); width: 12px; height: 12px; }
QAbstractSpinBox { padding: 4px 2px; }
QLineEdit { placeholder-text-color: $quiet; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: 0; width: 18px; }
QAbstractSpinBox::up-arrow { image: url($chevron_up); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url($chevron); width: 10px; height: 10px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line; outline: 0;
    selection-background-color: $accent_dim; padding: 4px; }

QCheckBox { spacing: 8px; }
QCheckBox:disabled { color: $faint; }
QCheckBox::indicator, QAbstractItemView::indicator { width: 14px; height: 14px;
    border: 1px solid $faint; border-radius: 3px; background: $window; }
QCheckBox::indicator:focus, QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:disabled { border-color: $line; background: transparent; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked { border-color: $accent;
    background: $accent; image: url($check); }
QCheckBox::indicator:checked:disabled { border-color: $faint; background: $faint; }

QMenu { background: $raised; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 12px; border-radius: 3px; }
QMenu::item:selected { background: $accent_dim; color: $strong; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }

QSplitter::handle { background: $line; }
QSplitter::handle:hover { background: $accent_dim; }
QMainWindow::separator { background: $line; width: 3px; height: 3px; }
QMainWindow::separator:hover { background: $accent_dim; }

QAbstractItemView { background: $panel; border: 0; outline: 0; }
QTreeView::branch { background: $panel; }
QTableView { gridline-color: transparent; alternate-background-color: $stripe;
    selection-background-color: $accent_dim; selection-color: $text; }
QTableView::item { padding: 0 8px; }
QPushButton[segment="true"] { padding: 4px 8px; }
QPushButton[segment="true"]:checked { background: $accent_dim; color: $strong; }
QHeaderView::section { background: $window; color: $quiet; border: 0;
    border-bottom: 1px solid $line; padding: 5px 8px; }
QTableCornerButton::section { background: $window; border: 0; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 4px; margin: 1px; min-height: 24px;
    min-width: 24px; }
QScrollBar::handle:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QScrollArea { background: transparent; border: 0; }

QSlider::groove:horizontal { height: 4px; background: $line; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { background: $text; width: 12px; height: 12px; margin: -4px 0;
    border-radius: 6px; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: $strong; }
QSlider:disabled { color: $faint; }
QSlider::sub-page:horizontal:disabled { background: $faint; }
QSlider::handle:horizontal:disabled { background: $faint; }

QProgressBar { background: $line; border: 0; border-radius: 2px; max-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QStatusBar { background: $window; border-top: 1px solid $line; }
QStatusBar::item { border: 0; }
QStatusBar QLabel { font-size: 12px; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QTextBrowser { background: $panel; border: 0; }

QFrame[panel="true"] { background: $panel; border: 0; }
QFrame[popup="true"] { background: $raised; border: 1px solid $line; border-radius: 4px; }
QFrame[rule="true"] { background: $line; border: 0; max-height: 1px; min-height: 1px; }
QLabel[role="title"] { font-size: 15px; font-weight: 600; }
QLabel[role="heading"] { font-size: 12px; font-weight: 600; color: $quiet; }
QLabel[role="quiet"] { color: $quiet; font-size: 12px; }
QLabel[role="hero"] { font-size: 26px; font-weight: 600; color: $strong; }
QLabel[role="warn"] { color: $warn; }
QLabel[role="error"] { color: $error; }
QStatusBar QLabel[role="notice"] { color: $warn; font-size: 12px; font-weight: 600;
    letter-spacing: 0.5px; }
QLabel[role="key"] { background: $raised; border: 1px solid $line; border-radius: 4px;
    padding: 1px 8px; }
QFrame[banner="true"] { background: $raised; border: 0; border-left: 3px solid $accent; }
QFrame[banner="true"][kind="warn"] { border-left-color: $warn; }
QFrame[banner="true"][kind="error"] { border-left-color: $error; }
#batch_line { background: $raised; border: 0; border-top: 1px solid $line; }
QPlainTextEdit[detail="true"] { background: $panel; border: 0; border-top: 1px solid $line;
    padding: 4px 8px; }
QPushButton[row="true"] { text-align: left; padding: 5px 6px; }
QPushButton[choice="true"] { padding: 0; border-radius: 6px; min-height: 136px; }
QListWidget[pages="true"] { background: $panel; padding: 12px 6px; }
QListWidget[lined="true"] { background: $window; border: 1px solid $line; border-radius: 4px; }
QTreeWidget[roomy="true"]::item { height: 24px; padding: 0 8px; }
QListWidget[pages="true"]::item { padding: 7px 10px; border-radius: 4px; }
QListWidget[pages="true"]::item:hover { background: $hover; }
QListWidget[pages="true"]::item:selected { background: $accent_dim; color: $strong; }

/* What lies on the film's black is light in every theme. */
QWidget[film="true"] QLabel { color: $film_text; }
QWidget[film="true"] QLabel[role="quiet"] { color: $film_quiet; }
""")


Choice = Literal["dark", "light", "system"]


class _Switch(QObject):
    """Tells who keeps a colour (in HTML, in a plot) that it is another one now."""

    switched = Signal()


@cache
def _switch() -> _Switch:
    return _Switch()


def on_switch(act: Callable[[], object]) -> None:
    """Call a method of a widget each time the colours change, for as long as the widget lives."""
    _switch().switched.connect(act)


def apply(app: QApplication, choice: Choice = "dark") -> None:
    """Dress the whole application; call before the first window."""
    app.setStyle("Fusion")
    app.setFont(_font())
    app.setWindowIcon(app_icon())
    _watch_system()
    use(choice)


def use(choice: Choice) -> None:
    """Put a theme in force, at once and everywhere; the film's surround stays black."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.setProperty("theme", choice)
    _tell_platform(app, choice)
    _dress(app, light=_is_light(app, choice))


def _tell_platform(app: QApplication, choice: Choice) -> None:
    """Title bar and file dialogs of the platform follow; Qt 6.8 and later can say so."""
    if hasattr(app.styleHints(), "setColorScheme"):
        scheme = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
        app.styleHints().setColorScheme(scheme.get(choice, Qt.ColorScheme.Unknown))


def _is_light(app: QApplication, choice: Choice) -> bool:
    """A platform that does not say what it prefers gets the dark theme."""
    if choice == "system":
        return app.styleHints().colorScheme() == Qt.ColorScheme.Light
    return choice == "light"


@cache
def _watch_system() -> None:
    QGuiApplication.styleHints().colorSchemeChanged.connect(_follow_system)


def _follow_system() -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication) and app.property("theme") == "system":
        _dress(app, light=_is_light(app, "system"))


def _dress(app: QApplication, *, light: bool) -> None:
    chosen = LIGHT if light else DARK
    sheet = _sheet(chosen)
    if app.styleSheet() == sheet:
        return
    for name, colour in asdict(chosen).items():
        setattr(C, name, colour)
    STATUS_COLOUR.update((status, getattr(C, ink)) for status, ink in _STATUS.items())
    app.setPalette(_palette())
    app.setStyleSheet(sheet)
    _switch().switched.emit()


_CHECKS = ("check_dark.svg", "check_light.svg")


def _sheet(colours: Colours) -> str:
    return _SHEET.substitute(
        asdict(colours),
        film_text=DARK.text,
        film_quiet=DARK.quiet,
        chevron=resource("icons", "chevron_down_grey.svg").as_posix(),
        check=resource("icons", _CHECKS[colours == LIGHT]).as_posix(),
        chevron_up=resource("icons", "chevron_up_grey.svg").as_posix(),
    )


def app_icon() -> QIcon:
    """The program's own sign."""
    return QIcon(str(resource("icons", "xrayview.svg")))


def pixels(size_px: int) -> QFont:
    """The window's font in a size."""
    font = QFont(QApplication.font())
    font.setPixelSize(size_px)
    return font


@cache
def icon(name: str, colour: str | None = None) -> QIcon:
    """An icon of the family, sharp in any size; in a colour of the theme it follows the theme.

    Args:
        name: the file's name without its ending.
        colour: a colour of `C`, or any other as `#rrggbb`; that of texts by default.
    """
    inks = (ink for ink, value in asdict(C).items() if value == colour)
    return QIcon(_TintedIcon(name, next(inks, colour or "text")))


class _TintedIcon(QIconEngine):
    """Drawn when it is shown, in what its ink means then; faint where it is disabled."""

    def __init__(self, name: str, ink: str) -> None:
        super().__init__()
        self._name = name
        self._ink = ink

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatioF()
        side = min(rect.width(), rect.height())
        place = QRect(0, 0, side, side)
        place.moveCenter(rect.center())
        painter.drawPixmap(place, pixmap(self._name, side, self._colour(mode), ratio))

    def pixmap(self, size: QSize, mode: QIcon.Mode, _: QIcon.State) -> QPixmap:
        return QPixmap(pixmap(self._name, min(size.toTuple()), self._colour(mode)))

    def clone(self) -> QIconEngine:
        return _TintedIcon(self._name, self._ink)

    def _colour(self, mode: QIcon.Mode) -> str:
        return C.faint if mode == QIcon.Mode.Disabled else getattr(C, self._ink, self._ink)


@cache
def pixmap(name: str, size: int, colour: str, ratio: float = 1.0) -> QPixmap:
    """One icon as a pixmap of `size` logical pixels for a screen of that pixel ratio."""
    svg = resource("icons", f"{name}.svg").read_bytes().replace(b"#000", colour.encode())
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg)).render(painter, QRectF(picture.rect()))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def _font() -> QFont:
    font = QFont(_FAMILIES)  # the first that is here; to list all that are takes longer
    font.setPixelSize(TEXT_PX)
    return font


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
