"""The one way from other threads into the window: a signal that is always queued."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot


class MainThread(QObject):
    """Runs functions on the thread that made it, in the order they were delivered."""

    _called = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._called.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def deliver(self, function: Callable[[], None]) -> None:
        """Queue a function; safe from any thread, and after the window is gone."""
        try:
            self._called.emit(function)
        except RuntimeError:  # the C++ object went first: nobody is left to hear it
            return

    @Slot(object)
    def _run(self, function: Callable[[], None]) -> None:
        function()
