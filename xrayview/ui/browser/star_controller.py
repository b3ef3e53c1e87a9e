"""The stars of the open folder: shown at once, saved in a thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from xrayview.domain.film import FilmRef
from xrayview.errors import UsageError, XrayViewError
from xrayview.services.folder_files import LOOK_EVERY_MS, FolderFiles
from xrayview.services.session import Session
from xrayview.services.stars import StarFiles, StoredStars
from xrayview.services.tasks import Tasks
from xrayview.ui.widgets.banners import Message

_Changes = dict[str, tuple[FilmRef, bool]]
"""By film id: the film, and whether it is starred."""


class StarController(QObject):
    """Knows which films are starred, and stars the current one or removes its star."""

    changed = Signal(str)
    """The film's id; empty when any may have changed."""
    message = Signal(Message)

    def __init__(self, session: Session, tasks: Tasks, files: StarFiles | None = None) -> None:
        super().__init__()
        self._session = session
        self._star_files = files or StarFiles()
        self._files = FolderFiles(tasks, self._star_files, "stars")
        self._folder: Path | None = None
        self._stored = StoredStars()
        self._unsaved: _Changes = {}
        self._by_uid: tuple[tuple[FilmRef, ...], dict[str, list[FilmRef]]] = (), {}
        """The listed films, and the same by SOPInstanceUID."""
        self._looks = QTimer(self, interval=LOOK_EVERY_MS)
        self._looks.timeout.connect(self.look_for_changes)

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        return {"star": self._toggle_current}

    def close(self) -> None:
        """Wait until all stars are written."""
        self._looks.stop()
        self._files.close()

    def open_folder(self, folder: Path) -> None:
        """Read the stars of a folder; no film has one until they are read."""
        self._folder, self._stored, self._unsaved = folder, StoredStars(), {}
        self._looks.stop()
        self._files.load(folder, partial(self._on_loaded, folder), self._on_failed)

    def is_starred(self, film: FilmRef) -> bool:
        """True if the film has a star."""
        unsaved = self._unsaved.get(film.film_id)
        return self._stored.is_starred(film, self._others) if unsaved is None else unsaved[1]

    def _others(self, film: FilmRef) -> tuple[FilmRef, ...]:
        """All listed films with the film's SOPInstanceUID."""
        listed, by_uid = self._by_uid
        if listed is not self._session.films:
            listed, by_uid = self._by_uid = self._session.films, {}
            for other in listed:
                by_uid.setdefault(other.sop_uid, []).append(other)
        return tuple(by_uid.get(film.sop_uid, ())) if film.sop_uid else ()

    def toggle(self, film: FilmRef) -> None:
        """Star the film, or remove its star."""
        folder = self._folder
        if folder is None:
            return
        self._unsaved[film.film_id] = film, not self.is_starred(film)
        self.changed.emit(film.film_id)
        changes = dict(self._unsaved)
        others = {changed.sop_uid: self._others(changed) for changed, _ in changes.values()}
        stars = dict(changes.values())
        self._files.save(
            lambda: self._star_files.save(
                folder, stars, lambda changed: others.get(changed.sop_uid, ())
            ),
            partial(self._on_saved, folder, changes),
            self._on_failed,
        )

    def _toggle_current(self) -> None:
        if self._session.current is not None:
            self.toggle(self._session.current)

    def _on_loaded(self, folder: Path, stored: StoredStars) -> None:
        if folder == self._folder:
            self._looks.start()
            if stored.error is not None:
                self.message.emit(Message.of("stars", stored.error))
            self._show(folder, stored)

    def _on_saved(self, folder: Path, changes: _Changes, stored: StoredStars) -> None:
        if folder == self._folder:
            # A film that was changed again since is part of a later save.
            self._unsaved = {
                film_id: change
                for film_id, change in self._unsaved.items()
                if changes.get(film_id) is not change
            }
        self._show(folder, stored)

    def _show(self, folder: Path, stored: StoredStars) -> None:
        if folder != self._folder:
            return
        before, self._stored = self._stored, stored
        if (before.beside, before.own) != (stored.beside, stored.own):
            self.changed.emit("")

    def look_for_changes(self) -> None:
        """Read the stars again where another window has saved."""
        folder = self._folder
        if folder is not None:
            show = partial(self._show, folder)
            self._files.look(folder, self._stored.version, show, self._on_failed)

    def _on_failed(self, error: XrayViewError) -> None:
        if not isinstance(error, UsageError):
            hint = "Check that there is room, and that you may write there."
            error = XrayViewError("the stars were not saved", why=error.why, hint=hint)
        self.message.emit(Message.of("stars", error))
