"""One refresh in each turn of the event loop, however many changes request it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal


class RefreshScheduler(QObject):
    """Collects requests and emits `due` once, before the next paint.

    Listeners compare what they show with the session, and change only what differs.
    """

    due = Signal()
    _requested = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_pending = False
        # Queued, not a timer: it runs ahead of the paint that the same change has posted.
        self._requested.connect(self._run_pending, Qt.ConnectionType.QueuedConnection)

    def request(self) -> None:
        """Emit `due` later in this turn of the event loop."""
        if not self._is_pending:
            self._is_pending = True
            self._requested.emit()

    def run_now(self) -> None:
        """Emit `due` at once: a control that the user moves must not lag behind its events."""
        self._is_pending = False
        self.due.emit()

    def _run_pending(self) -> None:
        if self._is_pending:
            self.run_now()
