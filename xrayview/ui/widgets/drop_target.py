"""Files that can be dropped on the window, and the overlay shown while they are dragged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from xrayview.ui.style import fonts, icons
from xrayview.ui.style.colours import C

_MARGIN_PX = 24
_MODEL = ".pt"


@dataclass(frozen=True)
class Dropped:
    """Files and folders with films to open, and a model bundle to load."""

    films: tuple[Path, ...] = ()
    model: Path | None = None

    @property
    def text(self) -> str:
        """What a drop would do."""
        parts = []
        if self.films:
            name = self.films[0].name or str(self.films[0])
            parts.append(f"open {name if len(self.films) == 1 else f'{len(self.films)} items'}")
        if self.model is not None:
            parts.append(f"load the model {self.model.stem}")
        text = " and ".join(parts)
        return f"Drop to {text}" if text else ""


def dropped(paths: Sequence[Path]) -> Dropped:
    """Sort dragged files: bundles are loaded, anything else may contain films (as a DICOMDIR)."""
    models = [path for path in paths if path.suffix.lower() == _MODEL]
    films = tuple(path for path in paths if path not in models)
    return Dropped(films, next(iter(models), None))


def paths_of(data: QMimeData) -> list[Path]:
    """The local files and folders among dragged data."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class DropTarget(QWidget):
    """An overlay that covers the window while files are dragged over it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        window.installEventFilter(self)
        self.hide()

    def show_text(self, text: str) -> None:
        """Show the overlay with a text."""
        self._text = text
        self.setAccessibleName(text)
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()
        self.update()

    def text(self) -> str:
        """The text shown."""
        return self._text

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._window.rect())
        return False

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background = QColor(C.window)
        background.setAlpha(225)
        painter.fillRect(self.rect(), background)
        painter.setPen(QPen(QColor(C.accent), 2, Qt.PenStyle.DashLine))
        frame = self.rect().adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)
        painter.drawRoundedRect(frame, 8, 8)
        middle = frame.center()
        icon = icons.pixmap("drop", 48, C.accent, self.devicePixelRatioF())
        painter.drawPixmap(middle.x() - 24, middle.y() - 56, icon)
        font = fonts.pixels(18)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(C.text))
        line = QRect(frame.left() + 16, middle.y() + 8, frame.width() - 32, 32)
        text = painter.fontMetrics().elidedText(
            self._text, Qt.TextElideMode.ElideMiddle, line.width()
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)
