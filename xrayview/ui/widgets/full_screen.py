"""The film over the whole screen: everything around it goes, and comes back as it was."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


class FullScreen:
    """Switches a window between itself and its film alone, on the screen that it is on.

    Args:
        window: the main window, or the second one.
    """

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._hidden: list[QWidget] = []

    @property
    def on(self) -> bool:
        """True while the film has the screen."""
        return self._window.isFullScreen()

    def toggle(self, around: list[QWidget]) -> None:
        """Give the film the screen, or take it back.

        Args:
            around: what is hidden meanwhile; what was hidden before stays so afterwards.
        """
        if self.on:
            self.leave()
            return
        self._hidden = [part for part in around if not part.isHidden()]
        for part in self._hidden:
            part.hide()
        # Not showFullScreen: a window that was maximised is so again afterwards.
        self._window.setWindowState(self._window.windowState() | Qt.WindowState.WindowFullScreen)

    def leave(self) -> None:
        """Bring back what was around the film."""
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowFullScreen)
        for part in self._hidden:
            part.show()
        self._hidden = []
