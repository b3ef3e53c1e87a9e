"""Thumbnails on demand: films on screen come first, those scrolled away are cancelled."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from xrayview.domain.film import FilmRef
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import (
    Limits,
    MakeThumbnail,
    PruneThumbnails,
    Thumbnail,
    ThumbnailStore,
)
from xrayview.errors import XrayViewError
from xrayview.services.tasks import Tasks

_MAX_RUNNING = 2
"""So few that a decode worker stays free for the film on screen, even on small machines."""
_FIRST = 12
"""About a screenful: made while headers are still being read; the others follow the scan."""
_MAX_CACHED = 800
_PRUNE_EVERY = 500
"""Thumbnails between two checks of the store's size: about two megabytes."""


class Thumbnails(QObject):
    """Requests thumbnails from the decode workers and caches them."""

    arrived = Signal(str)
    """The id of a film whose thumbnail is ready or has failed."""

    def __init__(
        self,
        tasks: Tasks,
        submit: Callable[..., Future[Any]],
        limits: Limits,
        size_px: int,
        store: ThumbnailStore | None = None,
    ) -> None:
        super().__init__()
        self._tasks = tasks
        self._submit = submit
        self._cached: OrderedDict[str, QPixmap | XrayViewError] = OrderedDict()
        self._requested: OrderedDict[str, FilmRef] = OrderedDict()
        self._running: set[str] = set()
        self._limits = limits
        self._size_px = size_px
        self._store = store
        self._made = 0

    def picture(self, film: FilmRef) -> QPixmap | XrayViewError | None:
        """The thumbnail, the error that prevented it, or None while it is not made."""
        film_id = film.film_id
        if film_id in self._cached:
            self._cached.move_to_end(film_id)
        return self._cached.get(film_id)

    def request(self, films: Iterable[FilmRef]) -> None:
        """Make the thumbnails of these films in this order, in place of earlier requests.

        Earlier requests that still wait for a worker are cancelled. One that is running finishes:
        that costs less than starting it again.
        """
        self._requested = OrderedDict(
            (film.film_id, film) for film in films if film.film_id not in self._cached
        )
        for film_id in self._running - self._requested.keys():
            self._cancel(film_id)
        self._make_next()

    def clear(self) -> None:
        """Drop all thumbnails and requests, for another folder."""
        self._requested.clear()
        for film_id in list(self._running):
            self._cancel(film_id)
        self._cached.clear()

    def clear_store(self, done: Callable[[], None]) -> None:
        """Delete the thumbnails on disk; those on screen stay."""
        if self._store is not None:
            self._prune(replace(self._store, budget_mib=0), done)

    def _prune(self, store: ThumbnailStore, done: Callable[[], None]) -> None:
        self._tasks.start(
            "prune thumbnails",
            lambda: self._submit(PruneThumbnails(store)),
            lambda _left: done(),
            lambda _error: None,  # the next prune tries again
        )

    def _cancel(self, film_id: str) -> None:
        self._running.discard(film_id)
        self._tasks.cancel(f"thumbnail:{film_id}")

    def _make_next(self) -> None:
        waiting = [film_id for film_id in self._requested if film_id not in self._running]
        for film_id in waiting[: max(0, _MAX_RUNNING - len(self._running))]:
            self._running.add(film_id)
            film = self._requested[film_id]
            self._start(film_id, MakeThumbnail(film, self._size_px, self._limits, self._store))

    def _start(self, film_id: str, request: MakeThumbnail) -> None:
        priority = Priority.SCAN if len(self._cached) < _FIRST else Priority.PREFETCH
        self._tasks.start(
            f"thumbnail:{film_id}",
            lambda: self._submit(request, priority=priority),
            lambda thumbnail: self._accept(film_id, _pixmap(thumbnail)),
            lambda error: self._accept(film_id, error),
        )

    def _accept(self, film_id: str, picture: QPixmap | XrayViewError) -> None:
        self._running.discard(film_id)
        self._requested.pop(film_id, None)
        self._cached[film_id] = picture
        while len(self._cached) > _MAX_CACHED:
            self._cached.popitem(last=False)
        self.arrived.emit(film_id)
        self._make_next()
        if self._store is not None and self._made % _PRUNE_EVERY == 0:
            self._prune(self._store, lambda: None)
        self._made += 1


def _pixmap(thumbnail: Thumbnail) -> QPixmap:
    grey = thumbnail.grey_HW
    rows, columns = grey.shape
    image = QImage(grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image)
