"""The stylesheet of the window. Distances are multiples of 4 px."""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from xrayview.services.resources import resource
from xrayview.ui.style.colours import DARK, LIGHT, Colours

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
QPushButton[link="true"] { background: transparent; border-color: transparent; color: $accent;
    padding: 0; text-align: left; font-size: 12px; }
QPushButton[link="true"]:hover { text-decoration: underline; }

QLineEdit, QComboBox, QAbstractSpinBox { background: $field; border: 1px solid $line;
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
    border: 1px solid $faint; border-radius: 3px; background: $field; }
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

QAbstractItemView { background: $panel; border: 1px solid transparent; outline: 0; }
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
QTextBrowser { background: $panel; border: 1px solid transparent; }

QFrame[panel="true"] { background: $panel; border: 0; }
QFrame[popup="true"] { background: $raised; border: 1px solid $line; border-radius: 4px; }
QFrame[rule="true"] { background: $line; border: 0; max-height: 1px; min-height: 1px; }
QLabel[role="title"] { font-size: 15px; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="heading"] { font-size: 12px; font-weight: 600; color: $quiet; }
QLabel[role="quiet"] { color: $quiet; font-size: 12px; }
QLabel[role="hero"] { font-size: 26px; font-weight: 600; color: $strong; }
QLabel[role="warn"] { color: $warn; }
QLabel[role="error"] { color: $error; }
QStatusBar QLabel[role="notice"] { color: $warn; font-size: 12px; font-weight: 600;
    letter-spacing: 0.5px; }
QLabel[role="key"] { background: $raised; border: 1px solid $line; border-radius: 4px;
    padding: 0 6px; font-size: 12px; }
QFrame[banner="true"] { background: $raised; border: 0; border-left: 3px solid $accent; }
QFrame[banner="true"][kind="warn"] { border-left-color: $warn; }
QFrame[banner="true"][kind="error"] { border-left-color: $error; }
#batch_line { background: $raised; border: 0; border-top: 1px solid $line; }
QPlainTextEdit[detail="true"] { background: $panel; border: 1px solid transparent;
    border-top-color: $line; padding: 4px 8px; }
QPushButton[row="true"] { text-align: left; padding: 5px 6px; }
QPushButton[choice="true"] { padding: 0; border-radius: 6px; min-height: 136px; }
QListWidget[pages="true"] { background: $panel; padding: 12px 6px; }
QListWidget[lined="true"], QTableWidget[lined="true"] { background: $field;
    border: 1px solid $line; border-radius: 4px; }
QTreeWidget[roomy="true"]::item { height: 24px; padding: 0 8px; }
QListWidget[pages="true"]::item { padding: 7px 10px; border-radius: 4px; }
QListWidget[pages="true"]::item:hover { background: $hover; }
QListWidget[pages="true"]::item:selected { background: $accent_dim; color: $strong; }

/* The widget with the keyboard focus is marked, selected or not. */
QAbstractItemView:focus, QTextBrowser:focus, QPlainTextEdit[detail="true"]:focus,
QListWidget[lined="true"]:focus, QTableWidget[lined="true"]:focus, QPushButton:checked:focus,
QPushButton[flat="true"]:focus, QPushButton[segment="true"]:focus,
    QPushButton[link="true"]:focus { border-color: $accent; }
QPushButton[primary="true"]:focus, QCheckBox::indicator:checked:focus { border-color: $strong; }

/* Text on the black around films is light in every theme. */
QWidget[film="true"] QLabel { color: $film_text; }
QWidget[film="true"] QLabel[role="quiet"] { color: $film_quiet; }
QWidget[film="true"] QFrame[panel="true"] QLabel { color: $text; }
QWidget[film="true"] QFrame[panel="true"] QLabel[role="quiet"] { color: $quiet; }
""")

_CHECKS = ("check_dark.svg", "check_light.svg")


def stylesheet(colours: Colours) -> str:
    """The stylesheet with these colours."""
    return _SHEET.substitute(
        asdict(colours),
        film_text=DARK.text,
        film_quiet=DARK.quiet,
        chevron=resource("icons", "chevron_down_grey.svg").as_posix(),
        check=resource("icons", _CHECKS[colours == LIGHT]).as_posix(),
        chevron_up=resource("icons", "chevron_up_grey.svg").as_posix(),
    )
