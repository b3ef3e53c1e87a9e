"""The histogram panel: updates only while visible, and loads its plot when first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from xrayview.display.histogram import Histogram, film_histogram, window_over
from xrayview.display.voi import Voi
from xrayview.domain.radiograph import Radiograph, Window

if TYPE_CHECKING:
    from xrayview.ui.histogram.plot import HistogramPlot

HEIGHT_PX = 148
NO_FILM = "No film"
BACKGROUND_ONLY = "The film consists of padding only"


class HistogramPanel(QFrame):
    """Grey values of one film; its window is a region that can be dragged, whole or by an edge."""

    window_dragged = Signal(Window)
    """The window that corresponds to the dragged region."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.setFixedHeight(HEIGHT_PX)
        self._radiograph: Radiograph | None = None
        self._voi: Voi | None = None
        self._counted: Radiograph | None = None
        self._histogram: Histogram | None = None
        self.plot: HistogramPlot | None = None
        """None until the panel has been visible with a film."""
        self._heading = QLabel(self.tr("Histogram"))
        self._heading.setProperty("role", "heading")
        self._note = QLabel(NO_FILM)
        self._note.setProperty("role", "quiet")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        rule = QFrame()
        rule.setProperty("rule", True)
        self._column = QVBoxLayout()
        outer.addWidget(rule)
        outer.addLayout(self._column, 1)
        self._column.setContentsMargins(16, 8, 16, 4)
        self._column.setSpacing(4)
        self._column.addWidget(self._heading)
        self._column.addWidget(self._note, 1)

    def show_film(self, radiograph: Radiograph | None, voi: Voi | None) -> None:
        """Show this film with the window or VOI LUT in use; None if no film is shown.

        Cheap where nothing has changed. A hidden panel is updated when it becomes visible.
        """
        if (radiograph, voi) != (self._radiograph, self._voi):
            self._radiograph, self._voi = radiograph, voi
            self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    def _draw(self) -> None:
        if not self.isVisible():
            return
        if self._radiograph is not self._counted:
            self._counted = self._radiograph
            self._count()
        if self._histogram is not None and self._voi is not None:
            self._loaded_plot().show_voi(self._voi)

    def _count(self) -> None:
        film = self._radiograph
        self._histogram = film_histogram(film) if film is not None else None
        self._note.setText(NO_FILM if film is None else BACKGROUND_ONLY)
        self._note.setVisible(self._histogram is None)
        if self._histogram is not None and self._voi is not None:
            self._loaded_plot().show_histogram(self._histogram, self._voi)
        if self.plot is not None:
            self.plot.setVisible(self._histogram is not None)

    def _loaded_plot(self) -> HistogramPlot:
        if self.plot is None:
            from xrayview.ui.histogram.plot import HistogramPlot

            self.plot = HistogramPlot()
            self.plot.dragged.connect(self._on_dragged)
            self._column.addWidget(self.plot, 1)
        return self.plot

    def _on_dragged(self, low: float, high: float) -> None:
        if self._voi is not None:
            self.window_dragged.emit(window_over(low, high, self._voi))
