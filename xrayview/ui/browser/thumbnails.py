"""Thumbnails as they are made: the rows on screen ask, the newest asked comes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from xrayview.domain.film import FilmRef
from xrayview.engine.protocol import Limits, MakeThumbnail, Thumbnail
from xrayview.errors import XrayViewError
from xrayview.services.tasks import Tasks

# Fewer than the decode workers of a small machine have hands: the film on screen goes first.
_AT_ONCE = 2
_ASKED = 48
_KEPT = 800


class Thumbnails(QObject):
    """Asks the decode workers for thumbnails and keeps those that came."""

    arrived = Signal(str)
    """The film's id: its row may be drawn again."""

    def __init__(
        self,
        tasks: Tasks,
        submit: Callable[[MakeThumbnail], Future[Thumbnail]],
        limits: Limits,
        size_px: int,
    ) -> None:
        super().__init__()
        self._tasks = tasks
        self._submit = submit
        self._kept: OrderedDict[str, QPixmap | XrayViewError] = OrderedDict()
        self._asked: OrderedDict[str, FilmRef] = OrderedDict()
        self._making: set[str] = set()
        self._limits = limits
        self._size_px = size_px

    def picture(self, film: FilmRef) -> QPixmap | XrayViewError | None:
        """The thumbnail, why there is none, or None while it is being made."""
        film_id = film.film_id
        if film_id in self._kept:
            self._kept.move_to_end(film_id)
            return self._kept[film_id]
        if film_id not in self._making:
            self._asked[film_id] = film
            self._asked.move_to_end(film_id)
            while len(self._asked) > _ASKED:  # rows that scrolled away ask again when seen
                self._asked.popitem(last=False)
            self._make_next()
        return None

    def clear(self) -> None:
        """Forget everything: another folder is open."""
        for film_id in list(self._making):
            self._tasks.cancel(f"thumbnail:{film_id}")
        self._making.clear()
        self._asked.clear()
        self._kept.clear()

    def _make_next(self) -> None:
        while self._asked and len(self._making) < _AT_ONCE:
            film_id, film = self._asked.popitem(last=True)
            self._making.add(film_id)
            self._start(film_id, MakeThumbnail(film, self._size_px, self._limits))

    def _start(self, film_id: str, request: MakeThumbnail) -> None:
        self._tasks.start(
            f"thumbnail:{film_id}",
            lambda: self._submit(request),
            lambda thumbnail: self._keep(film_id, _pixmap(thumbnail)),
            lambda error: self._keep(film_id, error),
        )

    def _keep(self, film_id: str, picture: QPixmap | XrayViewError) -> None:
        self._making.discard(film_id)
        self._kept[film_id] = picture
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self.arrived.emit(film_id)
        self._make_next()


def _pixmap(thumbnail: Thumbnail) -> QPixmap:
    grey = thumbnail.grey_HW
    rows, columns = grey.shape
    image = QImage(grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image)
