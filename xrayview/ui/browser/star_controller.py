"""The stars of the open folder: shown at once, saved in a thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from xrayview.domain.film import FilmRef
from xrayview.errors import UsageError, XrayViewError
from xrayview.services.session import Session
from xrayview.services.stars import StarFiles, StoredStars
from xrayview.services.tasks import Tasks
from xrayview.ui.widgets.banners import Message


class StarController(QObject):
    """Knows which films are starred, and stars the current one or removes its star."""

    changed = Signal(str)
    """The film's id; empty when any may have changed."""
    message = Signal(Message)

    def __init__(self, session: Session, tasks: Tasks, files: StarFiles | None = None) -> None:
        super().__init__()
        self._session = session
        self._tasks = tasks
        self._files = files or StarFiles()
        self._folder: Path | None = None
        self._stored = StoredStars()
        self._changes: dict[str, tuple[FilmRef, bool]] = {}
        """By film id, what was changed since the folder's stars were read."""

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        return {"star": self._toggle_current}

    def open_folder(self, folder: Path) -> None:
        """Read the stars of a folder; no film has one until they are read."""
        self._folder, self._stored, self._changes = folder, StoredStars(), {}
        self._tasks.call(
            "load stars", lambda: self._files.load(folder), self._on_loaded, self._on_failed
        )

    def is_starred(self, film: FilmRef) -> bool:
        """True if the film has a star."""
        changed = self._changes.get(film.film_id)
        return self._stored.is_starred(film) if changed is None else changed[1]

    def toggle(self, film: FilmRef) -> None:
        """Star the film, or remove its star."""
        folder, changes = self._folder, self._changes
        if folder is None:
            return
        changes[film.film_id] = film, not self.is_starred(film)
        self.changed.emit(film.film_id)
        self._tasks.call(
            "save stars",
            lambda: self._files.save(folder, dict(list(changes.values()))),
            lambda _path: None,
            self._on_failed,
        )

    def _toggle_current(self) -> None:
        if self._session.current is not None:
            self.toggle(self._session.current)

    def _on_loaded(self, stored: StoredStars) -> None:
        self._stored = stored
        if stored.error is not None:
            self.message.emit(Message.of("stars", stored.error))
        self.changed.emit("")

    def _on_failed(self, error: XrayViewError) -> None:
        if not isinstance(error, UsageError):
            hint = "Check that there is room, and that you may write there."
            error = XrayViewError("the stars were not saved", why=error.why, hint=hint)
        self.message.emit(Message.of("stars", error))
