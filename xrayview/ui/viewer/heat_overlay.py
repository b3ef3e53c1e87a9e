"""The heat map of one viewport: the layer on the film, its colour bar and its caption."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from xrayview.display.overlay import caption
from xrayview.domain.figure import HeatLayer
from xrayview.domain.model import HeatMap
from xrayview.ui.viewer import colour_bar
from xrayview.ui.viewer.colour_bar import ColourBar
from xrayview.ui.viewer.film_item import FilmItem
from xrayview.ui.viewer.heat_item import DEFAULT_OPACITY, HeatItem
from xrayview.ui.viewer.magnifier import Magnifier

GAP_PX = 8
"""Between the film, the colour bar and the text at the edge."""


class HeatOverlay:
    """Holds the map and its display settings; a hidden map stays loaded."""

    def __init__(self, film: FilmItem, viewport: QWidget, magnifier: Magnifier) -> None:
        self.heat: HeatMap | None = None
        self.visible = True
        self._model_name = ""
        self._opacity, self._cutoff = DEFAULT_OPACITY, 0.0
        self._item = HeatItem(film)
        magnifier.layers.append(self._item)
        self._bar = ColourBar(viewport)

    @property
    def caption(self) -> str:
        """One line about the map; empty where none is displayed."""
        return caption(self.heat, self._model_name) if self.heat and self.visible else ""

    @property
    def layer(self) -> HeatLayer | None:
        """The map as displayed; None where none is displayed."""
        if self.heat is None or not self.visible:
            return None
        return HeatLayer(self.heat, self._model_name, self._opacity, self._cutoff)

    def set_heat(self, heat: HeatMap | None, model_name: str) -> None:
        self.heat, self._model_name = heat, model_name
        self._item.set_heat(heat)
        self._show()

    def set_visible(self, visible: bool) -> None:
        self.visible = visible
        self._show()

    def set_opacity(self, opacity: float) -> None:
        self._opacity = min(max(opacity, 0.0), 1.0)
        self._item.set_strength(self._opacity, self._cutoff)

    def set_cutoff(self, cutoff: float) -> None:
        self._cutoff = min(max(cutoff, 0.0), 1.0)
        self._item.set_strength(self._opacity, self._cutoff)
        self._bar.set_cutoff(self._cutoff)

    def arrange(self, film: QRectF, room: QRectF) -> None:
        """Place the bar right of the film, else above or below it, else over it.

        Args:
            film: the film's rectangle in the viewport.
            room: the free area at the right edge; nothing is drawn outside it.
        """
        size = colour_bar.SIZE
        outermost = room.right() - GAP_PX - size.width()
        left = min(film.right() + GAP_PX, outermost)
        if film.right() + GAP_PX > outermost:
            room = _above_or_below(film, room)
        height = min(size.height(), max(0.0, room.height() - 2 * GAP_PX))
        top = room.center().y() - height / 2
        self._bar.setGeometry(QRectF(left, top, size.width(), height).toRect())
        self._show()

    def _show(self) -> None:
        self._item.setVisible(self.visible)
        tall = self._bar.height() >= colour_bar.SHORTEST_PX
        has_evidence = self.heat is not None and self.heat.has_evidence
        self._bar.setVisible(self.visible and has_evidence and tall)


def _above_or_below(film: QRectF, room: QRectF) -> QRectF:
    """Return the higher part of `room` above or below the film; all of it where both are low."""
    above, below = QRectF(room), QRectF(room)
    above.setBottom(min(room.bottom(), film.top()))
    below.setTop(max(room.top(), film.bottom()))
    part = max(above, below, key=QRectF.height)
    return part if part.height() >= colour_bar.SHORTEST_PX + 2 * GAP_PX else room
