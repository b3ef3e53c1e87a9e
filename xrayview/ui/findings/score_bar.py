"""One finding: its name, its score, and a bar with the operating point as a tick."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from xrayview.domain.model import Finding, OperatingPoint
from xrayview.domain.operating_points import OWN
from xrayview.ui.style import fonts, icons
from xrayview.ui.style.colours import C

_BAR_TOP, _BAR_HEIGHT = 28, 6
_GRAB_PX = 6
"""The tick is dragged by a press within this distance."""
_KEY_STEPS = {Qt.Key.Key_Left: -0.01, Qt.Key.Key_Right: 0.01}


@dataclass(frozen=True)
class ScoredFinding:
    """A finding with its score and operating point."""

    finding: Finding
    score: float
    logit: float
    point: OperatingPoint
    flagged: bool
    key: str = ""
    """The key that shows its heat map; may be empty."""

    @property
    def tip(self) -> str:
        """The tooltip, with the numbers that the bar rounds or leaves out."""
        lines = [
            f"{self.finding.name}: score {self.score:.4f}, logit {self.logit:+.3f}",
            f"Operating point {self.point.threshold:.3f} ({self.point.chosen_by})",
        ]
        if self.point.sensitivity is not None and self.point.specificity is not None:
            lines.append(
                f"At this point: sensitivity {self.point.sensitivity:.3f}, "
                f"specificity {self.point.specificity:.3f}"
            )
        if self.finding.description:
            lines.append(self.finding.description)
        if self.key:
            lines.append(f"Heat map: {self.key}")
        return "\n".join(lines)


class ScoreBar(QWidget):
    """Draws one score; a click chooses the finding, a drag of the tick moves the operating point.

    Left and Right move the tick too; a double-click on it or Backspace resets it to the card's.
    """

    chosen = Signal(str)
    point_moved = Signal(str, float)
    """A finding and its new threshold, 0..1."""
    point_reset = Signal(str)
    """A finding whose threshold is to be the card's again."""

    def __init__(self, scored: ScoredFinding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scored = scored
        self._marked = self._dragging = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_scored(scored)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_marked(self, marked: bool) -> None:
        """Mark the finding whose heat map is on screen."""
        self._marked = marked
        self.update()

    def show_scored(self, scored: ScoredFinding) -> None:
        """Show other values of the same finding."""
        self.scored = scored
        self.setToolTip(scored.tip)
        self.setAccessibleName(f"{scored.finding.name} {scored.score:.2f}")
        self.setAccessibleDescription(f"operating point {scored.point.threshold:.2f}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 44)

    def tick_x(self) -> float:
        """The position of the operating point, in pixels from the left."""
        return min(self.width() * self.scored.point.threshold, self.width() - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        left = event.button() == Qt.MouseButton.LeftButton
        self._dragging = left and self._on_tick(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragging:
            self._move_to(event.position().x() / max(1, self.width()))
        over = self._dragging or self._on_tick(event)
        shapes = Qt.CursorShape
        self.setCursor(shapes.SizeHorCursor if over else shapes.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        dragged, self._dragging = self._dragging, False
        if not dragged and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.scored.finding.name)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._on_tick(event):
            self._dragging = True  # so that the release is not a click on the finding
            self.point_reset.emit(self.scored.finding.name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _KEY_STEPS.get(Qt.Key(event.key()))
        if step is not None:
            self._move_to(self.scored.point.threshold + step)
        elif event.key() == Qt.Key.Key_Backspace:
            self.point_reset.emit(self.scored.finding.name)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            own = event.key() in {*_KEY_STEPS, Qt.Key.Key_Backspace}
            if own and event.modifiers() == Qt.KeyboardModifier.NoModifier:
                event.accept()
                return True
        return super().event(event)

    def _move_to(self, threshold: float) -> None:
        # Hundredths: finer than a pixel of the bar, and the tooltip shows the exact value.
        rounded = round(min(max(threshold, 0.0), 1.0), 2)
        if rounded != self.scored.point.threshold:
            self.point_moved.emit(self.scored.finding.name, rounded)

    def _on_tick(self, event: QMouseEvent) -> bool:
        at = event.position()
        return at.y() >= _BAR_TOP - _GRAB_PX and abs(at.x() - self.tick_x()) <= _GRAB_PX

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_text(painter)
        self._paint_bar(painter, QRectF(0, _BAR_TOP, self.width(), _BAR_HEIGHT))
        if self.hasFocus():
            painter.setPen(QColor(C.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)

    def _paint_text(self, painter: QPainter) -> None:
        shown = self.scored
        stands_out = shown.flagged and shown.finding.abnormal
        font = fonts.pixels(fonts.TEXT_PX)
        font.setBold(stands_out)
        score = f"{shown.score:.2f}"
        width = QFontMetrics(font).horizontalAdvance("0.00") + 4
        painter.setFont(font)
        painter.setPen(QColor(C.strong if stands_out else C.text))
        middle = Qt.AlignmentFlag.AlignVCenter
        area = QRectF(0, 2, self.width(), 22)
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | middle, score)
        left = 0.0
        if self._marked:
            painter.drawPixmap(0, 5, icons.pixmap("heat", 16, C.accent, self.devicePixelRatioF()))
            left = 20.0
        name_area = area.adjusted(left, 0, -width - 8, 0)
        name = QFontMetrics(font).elidedText(
            shown.finding.name, Qt.TextElideMode.ElideRight, int(name_area.width())
        )
        painter.drawText(name_area, Qt.AlignmentFlag.AlignLeft | middle, name)

    def _paint_bar(self, painter: QPainter, groove: QRectF) -> None:
        shown = self.scored
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(C.line))
        painter.drawRoundedRect(groove, 3, 3)
        filled = QRectF(groove)
        filled.setWidth(max(_BAR_HEIGHT, groove.width() * shown.score))
        stands_out = shown.flagged and shown.finding.abnormal
        painter.setBrush(QColor(C.accent if stands_out else C.faint))
        painter.drawRoundedRect(filled, 3, 3)
        tick = QRectF(self.tick_x() - 1, groove.top() - 4, 2, groove.height() + 8)
        painter.setBrush(QColor(C.panel))
        painter.drawRect(tick.adjusted(-1.5, 0, 1.5, 0))
        own = shown.point.name == OWN
        painter.setBrush(QColor(C.warn if own else C.text))
        painter.drawRect(tick)
        if own:
            painter.drawEllipse(tick.center() + QPointF(0, groove.height() / 2 + 4), 3, 3)
