"""The one way for other threads to run code on the main thread: a queued signal."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot


class MainThread(QObject):
    """Runs functions on the thread that created it, in the order of delivery."""

    _called = Signal(object)
    """A function without arguments: Python has no type for it at run time."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._called.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def deliver(self, function: Callable[[], None]) -> None:
        """Queue a function; safe from any thread, also after the window is deleted."""
        try:
            self._called.emit(function)
        except RuntimeError:  # the C++ object is already deleted
            return

    @Slot(object)
    def _run(self, function: Callable[[], None]) -> None:
        function()
