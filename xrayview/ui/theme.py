"""The look: colours, spacing, one stylesheet, and icons tinted by it.

The film is the brightest thing on screen. Panels are dark grey, black is only around the film,
and one accent marks what is active. Distances are multiples of 4 px.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from string import Template

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from xrayview.errors import Status
from xrayview.services.resources import resource

TEXT_PX = 13
SMALL_PX = 12
TITLE_PX = 15
GRID = 4


@dataclass(frozen=True)
class Colours:
    """Every colour that the window draws with."""

    film: str = "#000000"
    window: str = "#1b1d20"
    panel: str = "#212427"
    raised: str = "#2b2e32"
    hover: str = "#34383d"
    line: str = "#3a3e43"
    text: str = "#d4d7da"
    quiet: str = "#9aa0a6"
    faint: str = "#6d737a"
    accent: str = "#58a6d6"
    accent_dim: str = "#2b4d63"
    warn: str = "#d9a94e"
    error: str = "#e5847a"
    ok: str = "#7fae8b"


C = Colours()

STATUS_COLOUR = {
    Status.OK: C.ok,
    Status.WARN: C.warn,
    Status.REFUSED: C.quiet,
    Status.ERROR: C.error,
}
STATUS_ICON = {
    Status.OK: "ok",
    Status.WARN: "warn",
    Status.REFUSED: "refused",
    Status.ERROR: "error",
}

_FAMILIES = (
    "Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Liberation Sans", "DejaVu Sans",
)  # fmt: skip

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
QToolButton:checked { background: $accent_dim; color: #ffffff; }
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
QPushButton:checked { background: $accent_dim; border-color: $accent_dim; color: #ffffff; }
QPushButton:disabled { color: $faint; border-color: $raised; }
QPushButton[primary="true"] { background: $accent; border-color: $accent; color: #08131b;
    font-weight: 600; }
QPushButton[primary="true"]:hover { background: #6db4e0; }
QPushButton[primary="true"]:disabled { background: $accent_dim; border-color: $accent_dim;
    color: $quiet; }
QPushButton[flat="true"] { background: transparent; border-color: transparent; }
QPushButton[flat="true"]:hover { background: $hover; }

QLineEdit, QComboBox { background: $window; border: 1px solid $line; border-radius: 4px;
    padding: 4px 8px; min-height: 18px; selection-background-color: $accent_dim; }
QLineEdit:focus, QComboBox:focus { border-color: $accent; }
QComboBox:hover { background: $raised; }
QComboBox::drop-down { border: 0; width: 20px; }
QComboBox::down-arrow { image: url($chevron); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line; outline: 0;
    selection-background-color: $accent_dim; padding: 4px; }

QMenu { background: $raised; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 12px; border-radius: 3px; }
QMenu::item:selected { background: $accent_dim; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }

QSplitter::handle { background: $line; }
QSplitter::handle:hover { background: $accent_dim; }
QMainWindow::separator { background: $line; width: 3px; height: 3px; }
QMainWindow::separator:hover { background: $accent_dim; }

QAbstractItemView { background: $panel; border: 0; outline: 0; }
QTreeView::branch { background: $panel; }
QTableView { gridline-color: transparent; alternate-background-color: #25282b;
    selection-background-color: $accent_dim; selection-color: $text; }
QTableView::item { padding: 0 8px; }
QPushButton[segment="true"] { padding: 4px 8px; }
QPushButton[segment="true"]:checked { background: $accent_dim; color: #ffffff; }
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
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: #ffffff; }
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
QFrame[rule="true"] { background: $line; border: 0; max-height: 1px; min-height: 1px; }
QLabel[role="title"] { font-size: 15px; font-weight: 600; }
QLabel[role="heading"] { font-size: 12px; font-weight: 600; color: $quiet; }
QLabel[role="quiet"] { color: $quiet; font-size: 12px; }
QLabel[role="hero"] { font-size: 26px; font-weight: 600; color: #f0f2f4; }
QLabel[role="warn"] { color: $warn; }
QLabel[role="error"] { color: $error; }
""")


def apply(app: QApplication) -> None:
    """Dress the whole application; call once, before the first window."""
    app.setStyle("Fusion")
    app.setFont(_font())
    app.setPalette(_palette())
    colours = {name: getattr(C, name) for name in C.__dataclass_fields__}
    chevron = (resource("icons", "chevron_down_light.svg")).as_posix()
    app.setStyleSheet(_SHEET.substitute(colours, chevron=chevron))
    app.setWindowIcon(app_icon())


def app_icon() -> QIcon:
    """The program's own sign."""
    return QIcon(str(resource("icons", "xrayview.svg")))


def pixels(size_px: int) -> QFont:
    """The window's font in a size."""
    font = QFont(QApplication.font())
    font.setPixelSize(size_px)
    return font


@cache
def icon(name: str, colour: str = C.text) -> QIcon:
    """An icon of the family in a colour, with its faint form for disabled actions."""
    tinted = QIcon()
    for size in (16, 20):  # as buttons show them
        for ratio in (1, 2):
            for mode, tint in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, C.faint)):
                tinted.addPixmap(pixmap(name, size, tint, ratio), mode)
    return tinted


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
    here = set(QFontDatabase.families())
    font = QFont(next((family for family in _FAMILIES if family in here), ""))
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
        QPalette.ColorRole.PlaceholderText: C.faint,
        QPalette.ColorRole.Highlight: C.accent_dim,
        QPalette.ColorRole.HighlightedText: C.text,
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
