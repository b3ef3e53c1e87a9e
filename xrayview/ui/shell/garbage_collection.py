"""Cyclic garbage is collected on the window's thread only, and in turns of its own.

Python collects in whichever thread creates an object. A Qt object that is found in another thread
is destroyed there, which Qt forbids; and a full collection walks through every imported module,
some 100 ms in which no other thread runs. Frozen modules leave 5 ms.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 500
_BUSY_S = 0.02
"""CPU time of the window's thread in one interval above which the user may be waiting for it."""
_MANY_OBJECTS = 2000
"""With fewer, a collection is not worth its time while the window is busy."""


class GarbageCollector(QObject):
    """Takes over garbage collection while the program runs; one per process."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._worked_s = time.thread_time()
        self._is_full_due = True
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._collect)

    def settle(self) -> None:
        """Exclude the objects that exist now from all collections, and start collecting."""
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        """Return collection to Python."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _collect(self) -> None:
        """Collect young objects while there are many, all of them once the window is quiet."""
        is_busy = time.thread_time() - self._worked_s > _BUSY_S
        if gc.get_count()[0] > _MANY_OBJECTS:
            gc.collect(1)
            self._is_full_due = True
        elif is_busy:
            self._is_full_due = True
        elif self._is_full_due:
            gc.collect()
            self._is_full_due = False
        self._worked_s = time.thread_time()
