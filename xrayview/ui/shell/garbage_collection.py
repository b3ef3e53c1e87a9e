"""When the window's process looks for unreachable cycles of objects: in the window's own turns.

Left alone, Python looks in whatever thread makes an object, and holds up all others meanwhile: at
everything that was imported, which is longer than the window's user should wait. A Qt object
that is found in another thread is destroyed there, too, which Qt forbids.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 500
_QUIET_S = 0.02
"""The window's thread at work for less than this in one interval: its user only looks."""
_YOUNG = 2000
"""Fewer new objects are not worth a look."""
_LOOKS_IF_QUIET = 3
_LOOKS_AT_MOST = 240
"""Looks at what is new before one at everything since the start: in a quiet moment, or at all."""


class GarbageCollector(QObject):
    """Takes garbage collection over for as long as the program runs; one for each process."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._worked_s = time.thread_time()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._look)

    def settle(self) -> None:
        """What is there now stays until the end and is never looked at; what follows is."""
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _look(self) -> None:
        quiet = time.thread_time() - self._worked_s < _QUIET_S
        young, _, looks = gc.get_count()
        if looks >= (_LOOKS_IF_QUIET if quiet else _LOOKS_AT_MOST):
            gc.collect()
        elif young > _YOUNG:
            gc.collect(1)
        self._worked_s = time.thread_time()
