"""The texts over the film: warnings, corners, orientation letters, the heat map's caption."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from xrayview.display.corners import CornerTexts, EdgeLetters
from xrayview.ui.style.colours import C
from xrayview.ui.style.fonts import TEXT_PX
from xrayview.ui.viewer.corner_layout import Layout, lay_out
from xrayview.ui.viewer.outlined_text import INK, draw_outlined

SMALL_TEXT_PX = 11
ROOMY_PX = (480, 400)
"""Viewports at least this wide and high have text of the normal size."""
STRIP = QColor(0, 0, 0, 150)
"""Background of a warning, so that it is readable on any film."""


class CornerLayer(QWidget):
    """A layer over the viewport that is transparent for the mouse."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.texts = CornerTexts((), (), (), ())
        self.letters = EdgeLetters("", "", "", "")
        self.caption = ""
        self.warnings: tuple[str, ...] = ()
        self._layout: Layout | None = None
        self._area = QRectF()

    def show_texts(
        self,
        texts: CornerTexts,
        letters: EdgeLetters,
        caption: str = "",
        warnings: tuple[str, ...] = (),
    ) -> None:
        shown = self.texts, self.letters, self.caption, self.warnings
        if (texts, letters, caption, warnings) == shown:
            return
        self.texts, self.letters, self.caption, self.warnings = texts, letters, caption, warnings
        self._layout = None
        self.setAccessibleDescription("\n".join(self._all_text()))
        self.update()

    def _all_text(self) -> Iterator[str]:
        """Yield all lines, whether or not the view has room for them."""
        texts, letters = self.texts, self.letters
        yield from self.warnings
        for corner in (texts.top_left, texts.top_right, texts.bottom_left, texts.bottom_right):
            yield from corner
        sides = (letters.left, letters.top, letters.right, letters.bottom)
        yield from (line for line in (*sides, self.caption) if line)

    def current_layout(self) -> Layout:
        area = QRectF(self.rect())
        if self._layout is None or self._area != area:
            self._area = area
            self._layout = lay_out(
                area,
                QFontMetricsF(self.text_font()),
                self.texts,
                self.letters,
                self.caption,
                self.warnings,
            )
        return self._layout

    def text_font(self) -> QFont:
        """Return the font, which is smaller in a small viewport."""
        roomy = self.width() >= ROOMY_PX[0] and self.height() >= ROOMY_PX[1]
        font = QFont(self.font())
        font.setPixelSize(TEXT_PX if roomy else SMALL_TEXT_PX)
        return font

    def changeEvent(self, event: QEvent) -> None:
        self._layout = None  # the font may have changed
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setFont(self.text_font())
        for line in self.current_layout().lines:
            if line.is_warning:
                painter.fillRect(line.box, STRIP)
            ink = C.warn if line.is_warning else INK
            draw_outlined(painter, line.box, line.align, line.text, ink)
