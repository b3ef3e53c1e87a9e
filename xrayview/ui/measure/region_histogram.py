"""The histogram of one region of interest."""

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
    """Bars with linear counts, as a region has few pixels and no background."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT_PX)
        self.setAccessibleName(self.tr("Histogram of the region"))
        self.statistics: RoiStatistics | None = None
        """Of the displayed region; None where there is nothing to show."""

    def show_region(self, statistics: RoiStatistics | None) -> None:
        """Show a region's values; nothing for None or an empty region."""
        self.statistics = statistics if statistics is not None and statistics.pixels else None
        text = ""
        if self.statistics is not None:
            low, high = self._ends(self.statistics)
            text = self.tr("{} pixels from {} to {}").format(self.statistics.pixels, low, high)
        self.setAccessibleDescription(text)
        self.setToolTip(text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        statistics = self.statistics
        if statistics is None:
            return
        painter = QPainter(self)
        painter.setFont(fonts.pixels(fonts.SMALL_PX))
        text_height = painter.fontMetrics().height() + _GAP_PX
        area = QRectF(self.rect()).adjusted(0, 0, 0, -text_height)
        counts = statistics.counts
        width, largest = area.width() / counts.size, max(1, int(counts.max()))
        for index, count in enumerate(counts.tolist()):
            height = area.height() * count / largest
            bar = QRectF(area.left() + index * width, area.bottom() - height, width, height)
            painter.fillRect(bar, QColor(C.faint))
        painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1), QColor(C.line))
        low, high = self._ends(statistics)
        below = QRectF(self.rect()).adjusted(0, area.height(), 0, 0)
        painter.setPen(QColor(C.quiet))
        bottom = Qt.AlignmentFlag.AlignBottom
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | bottom, low)
        painter.drawText(below, Qt.AlignmentFlag.AlignRight | bottom, high)

    @staticmethod
    def _ends(statistics: RoiStatistics) -> tuple[str, str]:
        edges = statistics.edges
        return grey_text(float(edges[0])), grey_text(float(edges[-1]))
