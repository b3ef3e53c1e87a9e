"""Dragging a film from a list to a view: the data of the drag, and how it starts."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QModelIndex, QObject, QPoint, Qt
from PySide6.QtGui import QDrag, QMouseEvent, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QApplication

from xrayview.domain.film import FilmRef

FILM_MIME = "application/x-xrayview-film"
"""The data is the id of a film of the open folder; other programs are offered nothing."""
_CODEC = ("utf-8", "surrogateescape")


def film_data(film: FilmRef) -> QMimeData:
    """Return the data of a drag."""
    data = QMimeData()
    data.setData(FILM_MIME, QByteArray(film.film_id.encode(*_CODEC)))
    return data


def film_id_of(data: QMimeData) -> str:
    """Return the id of the dragged film; empty where something else is dragged."""
    return bytes(data.data(FILM_MIME).data()).decode(*_CODEC)


class FilmDrag(QObject):
    """Starts a drag where a film's row is dragged; the list still handles clicks."""

    def __init__(
        self,
        view: QAbstractItemView,
        film_of: Callable[[QModelIndex], FilmRef | None],
        picture_of: Callable[[FilmRef], object],
    ) -> None:
        super().__init__(view)
        self._view = view
        self._film_of = film_of
        self._picture_of = picture_of
        self._pressed: QPoint | None = None
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002
        if not isinstance(event, QMouseEvent):
            return False
        left = Qt.MouseButton.LeftButton
        if event.type() == QEvent.Type.MouseButtonPress and event.button() == left:
            self._pressed = event.position().toPoint()
        elif event.type() == QEvent.Type.MouseMove and event.buttons() & left:
            return self._on_move(event.position().toPoint())
        return False

    def _on_move(self, point: QPoint) -> bool:
        start = self._pressed
        if start is None:
            return False
        if (point - start).manhattanLength() >= QApplication.startDragDistance():
            self._pressed = None
            index = self._view.indexAt(start)
            film = self._film_of(index) if index.isValid() else None
            if film is not None:
                self._drag(film)
        return True  # the list would select the rows under the pointer

    def _drag(self, film: FilmRef) -> None:
        drag = QDrag(self._view)
        drag.setMimeData(film_data(film))
        picture = self._picture_of(film)
        if isinstance(picture, QPixmap):
            drag.setPixmap(picture)
        drag.exec(Qt.DropAction.CopyAction)
