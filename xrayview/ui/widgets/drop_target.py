"""What may be dropped on the window, and the sign that it may."""

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
    """Films to open, as files and folders, and a model bundle to load."""

    films: tuple[Path, ...] = ()
    model: Path | None = None

    @property
    def text(self) -> str:
        """What letting go would do."""
        parts = []
        if self.films:
            one = self.films[0].name or str(self.films[0])
            parts.append(f"open {one if len(self.films) == 1 else f'{len(self.films)} items'}")
        if self.model is not None:
            parts.append(f"load the model {self.model.stem}")
        text = " and ".join(parts)
        return f"Drop to {text}" if text else ""


def dropped(paths: Sequence[Path]) -> Dropped:
    """Sort what is dragged: bundles are loaded, all else may hold films (a DICOMDIR does)."""
    models = [path for path in paths if path.suffix.lower() == _MODEL]
    films = tuple(path for path in paths if path not in models)
    return Dropped(films, next(iter(models), None))


def paths_of(data: QMimeData) -> list[Path]:
    """The local files and folders that are dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class DropTarget(QWidget):
    """Lies over the window while something is dragged above it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        window.installEventFilter(self)
        self.hide()

    def show_text(self, text: str) -> None:
        """Say what letting go would do."""
        self._text = text
        self.setAccessibleName(text)
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()
        self.update()

    def text(self) -> str:
        """What is said."""
        return self._text

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._window.rect())
        return False

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(C.window)
        veil.setAlpha(225)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(QColor(C.accent), 2, Qt.PenStyle.DashLine))
        frame = self.rect().adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)
        painter.drawRoundedRect(frame, 8, 8)
        middle = frame.center()
        sign = icons.pixmap("drop", 48, C.accent, self.devicePixelRatioF())
        painter.drawPixmap(middle.x() - 24, middle.y() - 56, sign)
        font = fonts.pixels(18)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(C.text))
        line = QRect(frame.left() + 16, middle.y() + 8, frame.width() - 32, 32)
        text = painter.fontMetrics().elidedText(
            self._text, Qt.TextElideMode.ElideMiddle, line.width()
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)
