"""Saves the settings soon after they were changed, and when the window closes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from xrayview.services.settings import Settings
from xrayview.ui.widgets.banners import Message

if TYPE_CHECKING:  # not needed before the first paint
    from xrayview.services.tasks import Tasks

_log = logging.getLogger(__name__)
SAVING = "saving of settings"
"""The topic of the banner, and the slot."""
_AFTER_MS = 500
"""A slider that is moved changes many times in a second."""


class SettingsSaver(QObject):
    """Writes the settings in a thread, at most twice in a second."""

    message = Signal(Message)
    saved = Signal()

    def __init__(self, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._settings = settings
        self._tasks: Tasks | None = None
        self._store_window_state: Callable[[], None] = lambda: None
        self._reported = ""
        """The reason of the failure that was reported last."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_AFTER_MS)
        self._timer.timeout.connect(self._save_in_thread)
        settings.on_change = self.save_soon

    def follow(self, tasks: Tasks, store_window_state: Callable[[], None]) -> None:
        """Save from now on; `store_window_state` stores what was changed in the panels."""
        self._tasks, self._store_window_state = tasks, store_window_state
        self.save_soon()

    def save_soon(self) -> None:
        """Save what was changed, together with what follows within half a second."""
        if self._tasks is not None and not self._timer.isActive():
            self._timer.start()

    def save(self) -> None:
        """Save at once, or emit a message with the reason why not."""
        self._reported = ""
        try:
            self._settings.save()
        except OSError as error:
            self._report(error)
        else:
            self.saved.emit()

    def close(self, state: Callable[[], None]) -> None:
        """Store the state of the window, and save for the last time."""
        self._settings.on_change = lambda: None
        self._timer.stop()
        self._tasks = None
        state()
        try:
            self._settings.save()
        except OSError as error:
            _log.warning("settings were not saved: %s", type(error).__name__)

    def _save_in_thread(self) -> None:
        if self._tasks is None:
            return
        self._store_window_state()
        self._timer.stop()  # what was stored just now is saved as well
        self._tasks.call(SAVING, self._save, self._on_saved, lambda _: None)

    def _save(self) -> OSError | None:
        try:
            self._settings.save()
        except OSError as error:
            return error
        return None

    def _on_saved(self, error: OSError | None) -> None:
        if error is None:
            self._reported = ""
            self.saved.emit()
        elif self._tasks is not None:
            self._report(error)

    def _report(self, error: OSError) -> None:
        """Once for each reason: a banner that was closed does not return with every change."""
        message = _not_saved(self._settings.path, error)
        if message.text != self._reported:
            self._reported = message.text
            self.message.emit(message)


def _not_saved(path: Path, error: OSError) -> Message:
    return Message(
        SAVING,
        "error",
        f"{path.name}: the settings were not saved",
        f"{error.strerror or type(error).__name__}. They apply until XrayView closes; "
        f"to save them, make the folder {path.parent} writable.",
    )
