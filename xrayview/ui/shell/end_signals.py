"""SIGTERM, SIGHUP and Ctrl+C end the window as closing it does: with what it has to write."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class EndSignals(QObject):
    """Calls a function in the event loop when a signal asks the program to end.

    Python runs its handlers between two of its own instructions, and Qt's event loop may wait for
    hours without one. So the system writes each signal to a socket that the event loop watches.
    A second signal ends the program at once. SIGHUP stays ignored where it was (`nohup`).
    """

    def __init__(self, end: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._end = end
        self.received = False
        """True once a signal has arrived."""
        self._here, self._there = socket.socketpair()
        for end_of_pair in (self._here, self._there):
            end_of_pair.setblocking(False)
        self._notifier = QSocketNotifier(self._here.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_signal)
        self._wakeup = signal.set_wakeup_fd(self._there.fileno(), warn_on_full_buffer=False)
        kinds = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        self._handlers = {
            kind: signal.signal(kind, _note)
            for kind in kinds
            if kind is signal.SIGINT or signal.getsignal(kind) is not signal.SIG_IGN
        }

    def stop(self) -> None:
        """Give the signals back to the handlers from before."""
        if self._handlers:
            for kind, handler in self._handlers.items():
                signal.signal(kind, handler)
            self._handlers = {}
            signal.set_wakeup_fd(self._wakeup)
            self._notifier.setEnabled(False)
            self._here.close()
            self._there.close()

    def _on_signal(self) -> None:
        self.received = True
        kinds = tuple(self._handlers)
        self.stop()
        for kind in kinds:
            signal.signal(kind, signal.SIG_DFL)
        self._end()


def _note(_signal: int, _frame: FrameType | None) -> None:
    """Stands in for the default action; the socket has the signal."""
