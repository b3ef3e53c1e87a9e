"""What is written over the film: four corners, orientation letters, the heat map's caption."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from xrayview.display.corners import CornerTexts, EdgeLetters
from xrayview.ui.theme import TEXT_PX
from xrayview.ui.viewer.outlined_text import draw_outlined

MARGIN_PX = 8
SMALL_TEXT_PX = 11
ROOMY_PX = (480, 400)
"""Viewports at least this wide and high have text of the normal size."""
LETTER_EMS = 3.0
"""Width kept free between the corners for the letters of the top and bottom edge."""
SEPARATOR = " · "
"""Between the parts of a caption."""

_LEFT = Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignRight
_MIDDLE = Qt.AlignmentFlag.AlignHCenter

Line = tuple[QRectF, Qt.AlignmentFlag, str]


class CornerLayer(QWidget):
    """A transparent layer over the viewport; the mouse does not see it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.texts = CornerTexts((), (), (), ())
        self.letters = EdgeLetters("", "", "", "")
        self.caption = ""

    def show_texts(self, texts: CornerTexts, letters: EdgeLetters, caption: str) -> None:
        if (texts, letters, caption) == (self.texts, self.letters, self.caption):
            return
        self.texts, self.letters, self.caption = texts, letters, caption
        self.setAccessibleDescription("\n".join(text for _, _, text in self.lines()))
        self.update()

    def lines(self) -> list[Line]:
        """Every line with the box that it is aligned and elided in."""
        metrics = QFontMetricsF(self._font())
        high, letter = metrics.lineSpacing(), metrics.averageCharWidth() * 2 * LETTER_EMS
        area = QRectF(self.rect()).adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        boxes: list[Line] = []
        for text in reversed(_rows(self.caption, metrics, area.width())):
            area.setBottom(area.bottom() - high)
            boxes.append((_row(area, area.bottom(), high), _MIDDLE, text))
        wide = max(0.0, (area.width() - letter) / 2)
        left, right = area.left(), area.right() - wide
        corners = (
            (self.texts.top_left, left, area.top(), _LEFT),
            (self.texts.top_right, right, area.top(), _RIGHT),
            (self.texts.bottom_left, left, _top(area, self.texts.bottom_left, high), _LEFT),
            (self.texts.bottom_right, right, _top(area, self.texts.bottom_right, high), _RIGHT),
        )
        for lines, x, top, align in corners:
            boxes += [
                (QRectF(x, top + number * high, wide, high), align, text)
                for number, text in enumerate(lines)
            ]
        edges = (
            (self.letters.left, area.center().y() - high / 2, _LEFT),
            (self.letters.right, area.center().y() - high / 2, _RIGHT),
            (self.letters.top, area.top(), _MIDDLE),
            (self.letters.bottom, area.bottom() - high, _MIDDLE),
        )
        boxes += [(_row(area, top, high), align, text) for text, top, align in edges]
        return [line for line in boxes if line[2]]

    def right_edge(self) -> float:
        """Where the letter at the right edge begins: what lies right of the film ends there."""
        letter = QFontMetricsF(self._font()).horizontalAdvance(self.letters.right)
        return self.width() - MARGIN_PX - letter

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setFont(self._font())
        for box, align, text in self.lines():
            draw_outlined(painter, box, align, text)

    def _font(self) -> QFont:
        roomy = self.width() >= ROOMY_PX[0] and self.height() >= ROOMY_PX[1]
        font = QFont(self.font())
        font.setPixelSize(TEXT_PX if roomy else SMALL_TEXT_PX)
        return font


def _rows(caption: str, metrics: QFontMetricsF, width: float) -> list[str]:
    """One row where the caption fits, else more, broken between its parts: none is left out."""
    rows: list[str] = []
    for part in caption.split(SEPARATOR) if caption else ():
        longer = SEPARATOR.join((*rows[-1:], part))
        if rows and metrics.horizontalAdvance(longer) <= width:
            rows[-1] = longer
        else:
            rows.append(part)
    return rows


def _row(area: QRectF, top: float, high: float) -> QRectF:
    return QRectF(area.left(), top, area.width(), high)


def _top(area: QRectF, lines: tuple[str, ...], high: float) -> float:
    return area.bottom() - len(lines) * high
