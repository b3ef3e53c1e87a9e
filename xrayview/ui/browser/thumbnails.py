"""Thumbnails as they are made: what is on screen comes first, what scrolled away is taken back."""

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

# Fewer than the decode workers of a small machine have hands: the film on screen goes first.
_AT_ONCE = 2
_FIRST = 12
"""About a screen of them comes between the headers of a folder, the others after all of them."""
_KEPT = 800
_PRUNE_EVERY = 500
"""Thumbnails after which their store is looked at: some two megabytes."""


class Thumbnails(QObject):
    """Asks the decode workers for thumbnails and keeps those that came."""

    arrived = Signal(str)
    """The film's id: its row may be drawn again."""

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
        self._kept: OrderedDict[str, QPixmap | XrayViewError] = OrderedDict()
        self._wanted: OrderedDict[str, FilmRef] = OrderedDict()
        self._making: set[str] = set()
        self._limits = limits
        self._size_px = size_px
        self._store = store
        self._came = 0

    def picture(self, film: FilmRef) -> QPixmap | XrayViewError | None:
        """The thumbnail, why there is none, or None while it is not made."""
        film_id = film.film_id
        if film_id in self._kept:
            self._kept.move_to_end(film_id)
        return self._kept.get(film_id)

    def want(self, films: Iterable[FilmRef]) -> None:
        """Make the thumbnails of these films, the first first, and of no others.

        One that waits for a worker is taken back when it is not among them; one that is at work
        is let finish, it costs less than another start.
        """
        self._wanted = OrderedDict(
            (film.film_id, film) for film in films if film.film_id not in self._kept
        )
        for film_id in [film_id for film_id in self._making if film_id not in self._wanted]:
            self._take_back(film_id)
        self._make_next()

    def clear(self) -> None:
        """Forget everything: another folder is open."""
        self._wanted.clear()
        for film_id in list(self._making):
            self._take_back(film_id)
        self._kept.clear()

    def clear_store(self, done: Callable[[], None]) -> None:
        """Delete the thumbnails on disk; those on screen stay."""
        if self._store is not None:
            self._prune(replace(self._store, budget_mib=0), done)

    def _prune(self, store: ThumbnailStore, done: Callable[[], None]) -> None:
        self._tasks.start(
            "prune thumbnails",
            lambda: self._submit(PruneThumbnails(store)),
            lambda _left: done(),
            lambda _error: None,  # tried again after the next ones
        )

    def _take_back(self, film_id: str) -> None:
        self._making.discard(film_id)
        self._tasks.cancel(f"thumbnail:{film_id}")

    def _make_next(self) -> None:
        waiting = [film_id for film_id in self._wanted if film_id not in self._making]
        for film_id in waiting[: max(0, _AT_ONCE - len(self._making))]:
            self._making.add(film_id)
            film = self._wanted[film_id]
            self._start(film_id, MakeThumbnail(film, self._size_px, self._limits, self._store))

    def _start(self, film_id: str, request: MakeThumbnail) -> None:
        urgency = Priority.SCAN if len(self._kept) < _FIRST else Priority.PREFETCH
        self._tasks.start(
            f"thumbnail:{film_id}",
            lambda: self._submit(request, priority=urgency),
            lambda thumbnail: self._keep(film_id, _pixmap(thumbnail)),
            lambda error: self._keep(film_id, error),
        )

    def _keep(self, film_id: str, picture: QPixmap | XrayViewError) -> None:
        self._making.discard(film_id)
        self._wanted.pop(film_id, None)
        self._kept[film_id] = picture
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self.arrived.emit(film_id)
        self._make_next()
        if self._store is not None and self._came % _PRUNE_EVERY == 0:
            self._prune(self._store, lambda: None)
        self._came += 1


def _pixmap(thumbnail: Thumbnail) -> QPixmap:
    grey = thumbnail.grey_HW
    rows, columns = grey.shape
    image = QImage(grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image)
