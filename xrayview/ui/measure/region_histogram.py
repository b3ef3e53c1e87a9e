"""The grey values inside one region of interest, as bars."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from xrayview.display.measure_text import grey_text
from xrayview.domain.measurement import RoiStatistics
from xrayview.ui.style import fonts
from xrayview.ui.style.colours import C

HEIGHT_PX = 92
_GAP_PX = 4


class RegionHistogram(QWidget):
    """Linear counts: a region holds few pixels, and none of them is background."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT_PX)
        self.setAccessibleName(self.tr("Histogram of the region"))
        self.statistics: RoiStatistics | None = None
        """Of the region that is shown; None where there is nothing to show."""

    def show_region(self, statistics: RoiStatistics | None) -> None:
        """Draw another region's values; None or an empty region draws nothing."""
        self.statistics = statistics if statistics is not None and statistics.pixels else None
        text = ""
        if self.statistics is not None:
            low, high = self._ends(self.statistics)
            text = self.tr("{} pixels from {} to {}").format(self.statistics.pixels, low, high)
        self.setAccessibleDescription(text)
        self.setToolTip(text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        shown = self.statistics
        if shown is None:
            return
        painter = QPainter(self)
        painter.setFont(fonts.pixels(fonts.SMALL_PX))
        text_high = painter.fontMetrics().height() + _GAP_PX
        area = QRectF(self.rect()).adjusted(0, 0, 0, -text_high)
        wide, tallest = area.width() / shown.counts.size, max(1, int(shown.counts.max()))
        for place, count in enumerate(shown.counts.tolist()):
            high = area.height() * count / tallest
            bar = QRectF(area.left() + place * wide, area.bottom() - high, wide, high)
            painter.fillRect(bar, QColor(C.faint))
        painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1), QColor(C.line))
        low, high_text = self._ends(shown)
        below = QRectF(self.rect()).adjusted(0, area.height(), 0, 0)
        painter.setPen(QColor(C.quiet))
        bottom = Qt.AlignmentFlag.AlignBottom
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | bottom, low)
        painter.drawText(below, Qt.AlignmentFlag.AlignRight | bottom, high_text)

    @staticmethod
    def _ends(shown: RoiStatistics) -> tuple[str, str]:
        return grey_text(float(shown.edges[0])), grey_text(float(shown.edges[-1]))
