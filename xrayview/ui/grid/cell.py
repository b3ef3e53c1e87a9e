"""One place of the grid: a viewer in its frame, and a line that says why its film is here."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractScrollArea, QLabel, QVBoxLayout, QWidget

from xrayview.ui.grid.dragging import FILM_MIME, film_id_of
from xrayview.ui.style.colours import C
from xrayview.ui.viewer.film_view import FilmViewer

_TAKING = {QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.FocusIn}
"""What the user does to the view that is meant: it becomes the active one first."""
_DRAGGING = {QEvent.Type.DragEnter, QEvent.Type.DragMove}


class ViewCell(QWidget):
    """Frames its viewer where several are shown: in the accent colour when it is the active one."""

    activated = Signal()
    film_dropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = FilmViewer(self)
        self._framed = self._active = self._offered = False
        self._line = QLabel()
        self._line.setProperty("role", "quiet")
        self._line.setContentsMargins(8, 3, 8, 4)
        self._line.setMinimumWidth(1)  # a long line is cut, it does not widen its view
        self._line.hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._line)
        self._column.addWidget(self.viewer, 1)
        canvas = self.viewer.focusProxy()
        assert isinstance(canvas, QAbstractScrollArea)
        self._watched = (canvas, canvas.viewport())
        for watched in self._watched:
            watched.installEventFilter(self)

    def set_frame(self, framed: bool, active: bool) -> None:
        """Framed: there are other views beside this one."""
        self._framed, self._active = framed, active
        edge = 1 if framed else 0
        self._column.setContentsMargins(edge, edge, edge, edge)
        self.update()

    def show_note(self, text: str) -> None:
        """Say above the film what it is here for; an empty text takes the line away."""
        self._line.setText(text)
        self._line.setVisible(bool(text))

    @property
    def line(self) -> str:
        """What is said above the film."""
        return self._line.text()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _TAKING and watched in self._watched:
            self.activated.emit()
        elif event.type() in _DRAGGING and isinstance(event, QDragEnterEvent | QDropEvent):
            return self._offer(event)
        elif event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            return self._take(event)
        elif event.type() == QEvent.Type.DragLeave:
            return self._offered  # the canvas has not seen it come
        return False

    def _offer(self, event: QDropEvent) -> bool:
        self._offered = event.mimeData().hasFormat(FILM_MIME)
        # Files from elsewhere are the main window's: the canvas would take them, and drop them.
        if self._offered:
            event.acceptProposedAction()
        else:
            event.ignore()
        return True

    def _take(self, event: QDropEvent) -> bool:
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
