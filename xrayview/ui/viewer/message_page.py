"""The message in a viewport without a film: what to do, or why the film cannot be displayed."""

from __future__ import annotations

from itertools import chain, repeat

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from xrayview.domain.film import FilmRef
from xrayview.domain.sentences import without_options
from xrayview.errors import XrayViewError

WIDEST_PX = 440
MARGIN_PX = 24


class MessagePage(QWidget):
    """Headline, file, reason and hint, centred one below the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # The wheel and a double-click do the same here as on a film.
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._lines = tuple(_line(role) for role in ("title", "quiet", "", "quiet"))
        self._headline, self._file, _, _ = self._lines
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch(1)
        for label in self._lines:
            label.hide()
            column.addWidget(label)
        column.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        side = max(MARGIN_PX, (self.width() - WIDEST_PX) // 2)
        self.setContentsMargins(side, MARGIN_PX, side, MARGIN_PX)
        super().resizeEvent(event)

    def show_text(self, text: str) -> None:
        """Show a plain text, not an error."""
        self._fill("quiet", text)

    def show_error(self, film: FilmRef, error: XrayViewError) -> None:
        """Show what happened, to which file, why, and what to do."""
        self._fill(
            "title",
            sentence(error.what),
            film.relative_path,
            sentence(error.why),
            sentence(without_options(error.hint)),
        )

    def set_identity_hidden(self, hidden: bool) -> None:
        """Hide or show the file name, which often contains a patient's name."""
        self._file.setVisible(bool(self._file.text()) and not hidden)

    def text(self) -> str:
        """Return the visible texts, one line each."""
        return "\n".join(label.text() for label in self._lines if not label.isHidden())

    def _fill(self, role: str, *texts: str) -> None:
        if role != self._headline.property("role"):
            self._headline.setProperty("role", role)
            self._headline.style().polish(self._headline)
        for label, text in zip(self._lines, chain(texts, repeat("")), strict=False):
            label.setText(text)
            label.setVisible(bool(text))
        self.setAccessibleName(self.text())


def _line(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)  # text from a file is never markup
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    label.setWordWrap(True)
    return label


def sentence(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]
