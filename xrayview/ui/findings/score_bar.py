"""One finding: its name, its score, and a bar with the operating point as a tick."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from xrayview.domain.model import Finding, OperatingPoint
from xrayview.ui import theme

_BAR_HEIGHT = 6


@dataclass(frozen=True)
class Scored:
    """A finding with what the model said of it."""

    finding: Finding
    score: float
    logit: float
    point: OperatingPoint
    flagged: bool
    key: str = ""
    """The key that shows its heat map."""

    @property
    def tip(self) -> str:
        """Everything that the bar rounds off."""
        lines = [
            f"{self.finding.name}: score {self.score:.4f}, logit {self.logit:+.3f}",
            f"Operating point {self.point.threshold:.3f} ({self.point.chosen_by})",
        ]
        if self.point.sensitivity is not None and self.point.specificity is not None:
            lines.append(
                f"There: sensitivity {self.point.sensitivity:.3f}, "
                f"specificity {self.point.specificity:.3f}"
            )
        if self.finding.description:
            lines.append(self.finding.description)
        if self.key:
            lines.append(f"Heat map of this finding: {self.key}")
        return "\n".join(lines)


class ScoreBar(QWidget):
    """Drawn; a click asks for this finding's heat map."""

    chosen = Signal(str)

    def __init__(self, scored: Scored, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scored = scored
        self._marked = False
        self.setToolTip(scored.tip)
        self.setAccessibleName(f"{scored.finding.name} {scored.score:.2f}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_marked(self, marked: bool) -> None:
        """Marked: the heat map on screen is of this finding."""
        self._marked = marked
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 44)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.scored.finding.name)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._words(painter)
        self._bar(painter, QRectF(0, 28, self.width(), _BAR_HEIGHT))

    def _words(self, painter: QPainter) -> None:
        shown = self.scored
        stands_out = shown.flagged and shown.finding.abnormal
        font = theme.pixels(theme.TEXT_PX)
        font.setBold(stands_out)
        figure = f"{shown.score:.2f}"
        width = QFontMetrics(font).horizontalAdvance("0.00") + 4
        painter.setFont(font)
        painter.setPen(QColor(theme.C.strong if stands_out else theme.C.text))
        middle = Qt.AlignmentFlag.AlignVCenter
        area = QRectF(0, 2, self.width(), 22)
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | middle, figure)
        left = 0.0
        if self._marked:
            painter.drawPixmap(
                0, 5, theme.pixmap("heat", 16, theme.C.accent, self.devicePixelRatioF())
            )
            left = 20.0
        room = area.adjusted(left, 0, -width - 8, 0)
        name = QFontMetrics(font).elidedText(
            shown.finding.name, Qt.TextElideMode.ElideRight, int(room.width())
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | middle, name)

    def _bar(self, painter: QPainter, groove: QRectF) -> None:
        shown = self.scored
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.C.line))
        painter.drawRoundedRect(groove, 3, 3)
        filled = QRectF(groove)
        filled.setWidth(max(_BAR_HEIGHT, groove.width() * shown.score))
        stands_out = shown.flagged and shown.finding.abnormal
        painter.setBrush(QColor(theme.C.accent if stands_out else theme.C.faint))
        painter.drawRoundedRect(filled, 3, 3)
        x = min(groove.width() * shown.point.threshold, groove.width() - 1)
        tick = QRectF(x - 1, groove.top() - 4, 2, groove.height() + 8)
        painter.setBrush(QColor(theme.C.panel))
        painter.drawRect(tick.adjusted(-1.5, 0, 1.5, 0))
        painter.setBrush(QColor(theme.C.text))
        painter.drawRect(tick)
