"""The stars of the open folder: shown at once, written behind the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from xrayview.domain.film import FilmRef
from xrayview.errors import UsageError, XrayViewError
from xrayview.services.stars import StarFiles, StoredStars
from xrayview.services.tasks import Tasks
from xrayview.ui.widgets.banners import Message


class StarController(QObject):
    """Knows which films are starred, and gives or takes a star."""

    changed = Signal(str)
    """The film's id; empty when any may have changed."""
    message = Signal(object)

    def __init__(self, tasks: Tasks, files: StarFiles | None = None) -> None:
        super().__init__()
        self._tasks = tasks
        self._files = files or StarFiles()
        self._folder: Path | None = None
        self._kept = StoredStars()
        self._changes: dict[str, tuple[FilmRef, bool]] = {}

    def open_folder(self, folder: Path) -> None:
        """Read the stars of a folder; until they come no film has one."""
        self._folder, self._kept, self._changes = folder, StoredStars(), {}
        self._tasks.call(
            "load stars", lambda: self._files.load(folder), self._on_loaded, self._on_failed
        )

    def is_starred(self, film: FilmRef) -> bool:
        """True while the film has a star."""
        changed = self._changes.get(film.film_id)
        return self._kept.is_starred(film) if changed is None else changed[1]

    def toggle(self, film: FilmRef) -> None:
        """Give the film a star, or take it."""
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

    def _on_loaded(self, kept: StoredStars) -> None:
        self._kept = kept
        if kept.error is not None:
            self.message.emit(Message.of("stars", kept.error))
        self.changed.emit("")

    def _on_failed(self, error: XrayViewError) -> None:
        if not isinstance(error, UsageError):
            hint = "Check that there is room, and that you may write there."
            error = XrayViewError("the stars were not saved", why=error.why, hint=hint)
        self.message.emit(Message.of("stars", error))
