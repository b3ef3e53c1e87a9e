"""How far the heat maps in progress are, asked of the model worker at intervals."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from PySide6.QtCore import QObject, QTimer, Signal

from xrayview.domain.model import HeatMap
from xrayview.engine.progress import ProgressFile
from xrayview.errors import XrayViewError

COMPUTING = "Computing the heat map …"
_EVERY_MS = 300
"""Shorter maps show no progress."""


class HeatMapProgress(QObject):
    """Emits how far each heat map is until it has ended."""

    changed = Signal(str, str)
    """A film's id, and how far its heat map is, for the user."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._files: dict[str, tuple[str, ProgressFile]] = {}
        """By slot, with the film's id."""
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._show)

    def begin(self, slot: str, film_id: str) -> ProgressFile:
        """Follow a heat map from now on; it replaces the one of the same slot."""
        file = ProgressFile()
        self._files[slot] = film_id, file
        self._timer.start()
        return file

    def end(self, slot: str) -> None:
        """Follow this heat map no more."""
        self._files.pop(slot, None)
        if not self._files:
            self._timer.stop()

    def close(self) -> None:
        """Show no more progress: the window closes."""
        self._timer.stop()

    def _show(self) -> None:
        for film_id, file in self._files.values():
            fraction = file.fraction
            text = COMPUTING if fraction is None else f"Computing … {round(100 * fraction)} %"
            self.changed.emit(film_id, text)


def submitted(submit: Callable[[], Future[HeatMap]], file: ProgressFile) -> Future[HeatMap]:
    """Submit a request; its progress file is removed when it has ended."""
    try:
        future = submit()
    except XrayViewError:
        file.close()
        raise
    future.add_done_callback(lambda _: file.close())
    return future
