"""The tags of the film on screen, read while their panel is visible."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from xrayview.domain.film import FilmRef
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ReadTags
from xrayview.services.session import Session
from xrayview.services.tasks import Tasks
from xrayview.ui.tags.panel import NO_FILM, TagBrowser

_SLOT = "tags"


class TagController(QObject):
    """Follows the current film; the tags of one that is no longer on screen are dropped."""

    def __init__(self, session: Session, tasks: Tasks, engine: Engine, panel: TagBrowser) -> None:
        super().__init__(panel)
        self._session = session
        self._tasks = tasks
        self._engine = engine
        self._panel = panel
        self._film_id = ""
        """The film that the panel shows, or waits for."""
        panel.became_visible.connect(self.follow)

    def forget(self) -> None:
        """Read the tags again: the files of a folder that was opened again may have changed."""
        self._film_id = ""
        self.follow()

    def follow(self) -> None:
        """Show the tags of the film on screen, once the panel is visible."""
        film = self._session.current
        film_id = film.film_id if film else ""
        if film_id and film_id == self._film_id:
            return
        self._tasks.cancel(_SLOT)
        self._film_id = film_id if self._panel.isVisible() else ""
        if not self._panel.isVisible():
            return
        if film is None:
            self._panel.show_nothing(NO_FILM)
        elif not film.has_tags:
            self._panel.show_nothing(
                f"{film.format_title} films have no tags, only DICOM films do."
            )
        else:
            self._read(film)

    def _read(self, film: FilmRef) -> None:
        self._panel.show_busy(film)
        self._tasks.start(
            _SLOT,
            lambda: self._engine.submit(ReadTags(film.path)),
            partial(self._panel.show_tags, film),
            partial(self._panel.show_error, film),
        )
