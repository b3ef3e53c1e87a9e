"""A window for one view, on another monitor or beside the main window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.ui.grid.cell import ViewCell
from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.key_binding import KeyBinding
from xrayview.ui.style import icons
from xrayview.ui.widgets.full_screen import FullScreen
from xrayview.ui.widgets.window_placement import to_next_screen

Act = Callable[..., object]
_SMALLEST = QSize(480, 400)
_SHARE = 0.6
"""Share of the screen, where only one monitor is connected."""


class FilmWindow(QWidget):
    """Contains a cell of the grid; all keys do the same as in the main window.

    Args:
        cell: of the grid.
        actions: by their names in the key table.
    """

    closed = Signal()

    def __init__(self, cell: ViewCell, actions: Mapping[str, Act]) -> None:
        super().__init__()
        self.setMinimumSize(_SMALLEST)
        self._full_screen = FullScreen(self)
        own: dict[str, Act] = {
            "full_screen": self.toggle_full_screen,
            "next_screen": lambda: to_next_screen(self),
            "cancel_drawing": lambda: self._cancel(actions["cancel_drawing"]),
        }
        self._actions = {**actions, **own}
        self.keys = KeyBinding(self, self._actions)
        self.pin = self._button("pin_film", "Pin")
        self.pin.setIcon(icons.icon("pin"))
        self.pin.setCheckable(True)
        self._status = QLabel()
        self._status.setProperty("role", "quiet")
        self._bar = self._make_bar()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addWidget(cell, 1)
        cell.show()
        self.show_pinned(False)

    def show_pinned(self, pinned: bool) -> None:
        """Show whether the window keeps its film when another one is opened."""
        self.pin.setChecked(pinned)
        self._status.setText("Keeps its film" if pinned else "Follows the main window")
        self.setWindowTitle(f"{'Pinned film' if pinned else 'Film'} – XrayView")

    def move_to_other_screen(self, main: QWidget) -> None:
        """Fill a monitor other than that of the main window, or a part of the only one."""
        here = main.screen()
        other = next((s for s in QApplication.screens() if s is not here), None)
        if other is not None:
            self.setGeometry(other.availableGeometry())
            self.setWindowState(Qt.WindowState.WindowMaximized)
            return
        free = here.availableGeometry()
        self.resize(free.size() * _SHARE)
        frame = self.rect()
        frame.moveBottomRight(free.bottomRight())
        self.move(frame.topLeft())

    def toggle_full_screen(self) -> None:
        """Enter or leave full screen."""
        self._full_screen.toggle([self._bar])

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._full_screen.on:
            self._full_screen.leave()
        self.closed.emit()
        event.accept()

    def _cancel(self, act: Act) -> None:
        if self._full_screen.on:
            self._full_screen.leave()
        act()

    def _make_bar(self) -> QFrame:
        bar = QFrame()
        bar.setProperty("panel", True)
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        row.addWidget(self.pin)
        row.addWidget(self._status)
        row.addStretch(1)
        row.addWidget(self._button("next_screen", "Next monitor"))
        row.addWidget(self._button("full_screen", "Full screen"))
        return bar

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("flat", True)
        button.setProperty("segment", True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        shortcuts.describe(button, name)
        act = self._actions[name]
        button.clicked.connect(lambda _checked: act())
        return button
