"""A cell of the grid: a viewer in its frame, with a note above it on the role of its film."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractScrollArea, QLabel, QVBoxLayout, QWidget

from xrayview.ui.grid.dragging import FILM_MIME, film_id_of
from xrayview.ui.style.colours import C
from xrayview.ui.viewer.film_view import FilmViewer

_ACTIVATING = {QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.FocusIn}
"""Events that make a view the active one before they are handled."""
_DRAGGING = {QEvent.Type.DragEnter, QEvent.Type.DragMove}


class ViewCell(QWidget):
    """Frames its viewer where several are shown; the active one has the accent colour."""

    activated = Signal()
    film_dropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = FilmViewer(self)
        self._framed = self._active = self._drop_offered = False
        self._note_label = QLabel()
        self._note_label.setProperty("role", "quiet")
        self._note_label.setContentsMargins(8, 3, 8, 4)
        self._note_label.setMinimumWidth(1)  # a long note is cut off and does not widen the view
        self._note_label.hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._note_label)
        self._column.addWidget(self.viewer, 1)
        canvas = self.viewer.focusProxy()
        assert isinstance(canvas, QAbstractScrollArea)
        self._watched = (canvas, canvas.viewport())
        for watched in self._watched:
            watched.installEventFilter(self)

    def set_frame(self, framed: bool, active: bool) -> None:
        """Draw a frame where several views are shown; the active one in the accent colour."""
        self._framed, self._active = framed, active
        edge = 1 if framed else 0
        self._column.setContentsMargins(edge, edge, edge, edge)
        self.update()

    def show_note(self, text: str) -> None:
        """Show a note above the film, such as its role; an empty text hides it."""
        self._note_label.setText(text)
        self._note_label.setVisible(bool(text))

    @property
    def note(self) -> str:
        """The note above the film; empty where there is none."""
        return self._note_label.text()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _ACTIVATING and watched in self._watched:
            self.activated.emit()
        elif event.type() in _DRAGGING and isinstance(event, QDragEnterEvent | QDropEvent):
            return self._offer_drop(event)
        elif event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            return self._accept_drop(event)
        elif event.type() == QEvent.Type.DragLeave:
            return self._drop_offered  # the canvas did not see it enter
        return False

    def _offer_drop(self, event: QDropEvent) -> bool:
        self._drop_offered = event.mimeData().hasFormat(FILM_MIME)
        # The main window handles files; the canvas would accept them, and discard them.
        if self._drop_offered:
            event.acceptProposedAction()
        else:
            event.ignore()
        return True

    def _accept_drop(self, event: QDropEvent) -> bool:
        if not event.mimeData().hasFormat(FILM_MIME):
            return False
        event.acceptProposedAction()
        self.film_dropped.emit(film_id_of(event.mimeData()))
        return True

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(C.panel))
        if self._framed:
            painter.setPen(QColor(C.accent if self._active else C.line))
            painter.drawRect(QRect(0, 0, self.width() - 1, self.height() - 1))
