"""The plot of the histogram panel. Imported on first use: pyqtgraph takes half a second to load."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor

from xrayview.display.histogram import Histogram, transfer_curve, voi_range
from xrayview.display.voi import Voi
from xrayview.ui.style import fonts, theme
from xrayview.ui.style.colours import C

_ROOM = 0.04
"""Margin on both sides of the values and above them, as a share of their range."""


class HistogramPlot(pg.GraphicsLayoutWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Counts (logarithmic), the VOI curve, and the window as a region."""

    dragged = Signal(float, float)
    """Both ends of the region, while the user drags it."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Grey-value histogram"))
        self.setToolTip(
            self.tr("Grey values of the film, counted on a logarithmic scale.\n")
            + self.tr("Drag the region or its edges to change the window; the wheel zooms.")
        )
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._range = (0.0, 1.0)
        self.bars = pg.PlotCurveItem(fillLevel=0, pen=None)
        self.curve = pg.PlotCurveItem(antialias=True)
        self.region = pg.LinearRegionItem()
        self.region.sigRegionChanged.connect(lambda: self.dragged.emit(*self.region.getRegion()))
        self._box = self._view_with_axis()
        for item in (self.bars, self.region, self.curve):
            self._box.addItem(item)
        self._tint()
        theme.on_switch(self._tint)

    def show_histogram(self, histogram: Histogram, voi: Voi) -> None:
        """Show the values of another film, with all of them in view, and the window if possible."""
        low, high = float(histogram.edges[0]), float(histogram.edges[-1])
        room = (high - low) * _ROOM
        first, last = voi_range(voi)
        # A window far wider than the film would squeeze its values into a few pixels.
        left = max(min(low, first), low - (high - low)) - room
        right = min(max(high, last), high + (high - low)) + room
        self._range = (left, right)
        self.bars.setData(histogram.edges, histogram.heights, stepMode="center")
        self._box.setLimits(xMin=left, xMax=right, minXRange=(high - low) / 500)
        self._box.setXRange(left, right, padding=0)

    def show_voi(self, voi: Voi) -> None:
        """Move the region and the curve without emitting `dragged`."""
        with QSignalBlocker(self.region):
            self.region.setRegion(voi_range(voi))
        self.curve.setData(*transfer_curve(voi, *self._range))

    def _tint(self) -> None:
        self.setBackground(C.panel)
        self.bars.setBrush(C.faint)
        self.curve.setPen(pg.mkPen(C.text, width=1.5))
        self.region.setBrush(_faint(C.accent, 36))
        self.region.setHoverBrush(_faint(C.accent, 56))
        for line in self.region.lines:
            line.setPen(pg.mkPen(C.accent))
        self._axis.setPen(C.line)
        self._axis.setTextPen(C.quiet)

    def _view_with_axis(self) -> pg.ViewBox:
        """Build the view box and its axis; a PlotItem has menus and buttons that are not needed."""
        self.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.ci.layout.setSpacing(0)
        box = self.addViewBox(row=0, col=0, enableMenu=False)
        box.setMouseEnabled(x=True, y=False)
        box.setYRange(0, 1 + _ROOM, padding=0)
        axis = self._axis = pg.AxisItem("bottom", linkView=box, maxTickLength=-4)
        axis.setStyle(tickFont=fonts.pixels(fonts.SMALL_PX))
        axis.enableAutoSIPrefix(False)
        self.addItem(axis, row=1, col=0)
        return box


def _faint(colour: str, alpha: int) -> QColor:
    shade = QColor(colour)
    shade.setAlpha(alpha)
    return shade
