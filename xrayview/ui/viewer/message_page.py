"""What stands in a viewport without a film: an invitation, or why this film cannot be shown."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from xrayview.domain.film import FilmRef
from xrayview.errors import XrayViewError

WIDEST_PX = 440


class MessagePage(QWidget):
    """Headline, file, reason and what to do, one below the other in the middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # The wheel and a double click mean the same here as on a film.
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._headline = _line("title")
        self._file = _line("quiet")
        self._why = _line("")
        self._hint = _line("quiet")
        lines = QVBoxLayout(self)
        lines.setContentsMargins(24, 24, 24, 24)
        lines.setSpacing(8)
        lines.addStretch(1)
        for label in (self._headline, self._file, self._why, self._hint):
            lines.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        lines.addStretch(1)

    def show_text(self, text: str) -> None:
        """A quiet line: nothing has gone wrong."""
        self._fill("quiet", text)

    def show_error(self, film: FilmRef, error: XrayViewError) -> None:
        """What happened, to which file, why, and what to do."""
        self._fill("title", _sentence(error.what), film.relative_path, error.why, error.hint)

    def set_identity_hidden(self, hidden: bool) -> None:
        """File names often carry a patient's name."""
        self._file.setVisible(bool(self._file.text()) and not hidden)

    def text(self) -> str:
        """All that is said, one line each."""
        labels = (self._headline, self._file, self._why, self._hint)
        return "\n".join(label.text() for label in labels if not label.isHidden())

    def _fill(self, role: str, headline: str, file: str = "", why: str = "", hint: str = "") -> None:
        self._headline.setProperty("role", role)
        self._headline.style().polish(self._headline)
        texts = (headline, file, _sentence(why), _sentence(hint))
        for label, text in zip(
            (self._headline, self._file, self._why, self._hint), texts, strict=True
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self.setAccessibleName(self.text())


def _line(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)  # a file's own words are never markup
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    label.setWordWrap(True)
    label.setMaximumWidth(WIDEST_PX)
    return label


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
