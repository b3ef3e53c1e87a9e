"""Full screen for a film: everything around it is hidden and restored afterwards."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


class FullScreen:
    """Switches a window to full screen and back, on its current screen.

    Args:
        window: the main window, or the second one.
    """

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._hidden: list[QWidget] = []

    @property
    def on(self) -> bool:
        """True while the window is in full screen."""
        return self._window.isFullScreen()

    def toggle(self, around: list[QWidget]) -> None:
        """Enter or leave full screen.

        Args:
            around: the widgets to hide meanwhile; those hidden before stay hidden afterwards.
        """
        if self.on:
            self.leave()
            return
        self._hidden = [part for part in around if not part.isHidden()]
        for part in self._hidden:
            part.hide()
        # Unlike showFullScreen, this keeps the window maximised for afterwards.
        self._window.setWindowState(self._window.windowState() | Qt.WindowState.WindowFullScreen)

    def leave(self) -> None:
        """Leave full screen and show what was hidden."""
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowFullScreen)
        for part in self._hidden:
            part.show()
        self._hidden = []
