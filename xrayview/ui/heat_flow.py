"""The heat map between its controls, the model and the film on screen."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from xrayview.domain.events import FilmResult
from xrayview.domain.model import HeatMap
from xrayview.services.session import Session
from xrayview.ui.findings.panel import FindingsPanel
from xrayview.ui.judging import Judging
from xrayview.ui.viewer.film_view import FilmViewer


class HeatFlow(QObject):
    """Asks for the map that the controls name, and lays it over its own film only."""

    switched = Signal(bool)

    def __init__(
        self, session: Session, judging: Judging, panel: FindingsPanel, viewer: FilmViewer
    ) -> None:
        super().__init__()
        self._session = session
        self._judging = judging
        self._panel = panel
        self._viewer = viewer
        self._choice = ""
        self.on = False
        controls = panel.heat
        controls.toggled.connect(self.set_on)
        controls.asked.connect(self._on_choice)
        controls.opacity_changed.connect(viewer.set_heat_opacity)
        controls.cutoff_changed.connect(viewer.set_heat_cutoff)
        judging.heat_map_ready.connect(self._show)
        judging.heat_map_state.connect(controls.show_note)

    def toggle(self) -> None:
        """On or off, where the film has findings."""
        self.set_on(not self.on)

    def set_on(self, on: bool) -> None:
        """Show or hide the map; one that is not there yet is computed."""
        self.on = on
        self._panel.heat.set_on(on)
        self._panel.mark()
        self._viewer.set_heat_visible(on)
        self.switched.emit(on)
        self.ask()

    def ask(self) -> None:
        """The map of the chosen finding, when it is to be seen."""
        if self.on and self._result() is not None:
            self._judging.explain(*self._panel.heat.chosen())

    def choose(self, place: int) -> None:
        """The finding at a place of the list (from 0); shows its map."""
        names = self._panel.findings_in_order()
        if place < len(names):
            self._choice = names[place]
            self._panel.heat.start_with(self._choice)
            self.set_on(True)

    def forget_choice(self) -> None:
        """Another model: the finding that was chosen may not be its own."""
        self._choice = ""

    def begin(self) -> None:
        """The film on screen or what is known of it changed: its own map, or none."""
        self._viewer.set_heat_map(None)
        self._panel.heat.show_note("")
        result = self._result()
        if result is not None:
            self._panel.heat.start_with(self._choice or leading(result))
            self._panel.mark()
            self.ask()

    def _on_choice(self) -> None:
        # The user's choice stays from film to film, so that one finding can be followed.
        self._choice = self._panel.heat.chosen()[0]
        self.ask()

    def _result(self) -> FilmResult | None:
        result = self._session.result(self._session.current)
        judged = result is not None and result.prediction is not None
        return result if judged and self._session.radiograph is not None else None

    def _show(self, heat: HeatMap) -> None:
        if self.on and self._session.model is not None:
            self._viewer.set_heat_map(heat, self._session.model.card.name)


def leading(result: FilmResult) -> str:
    """The finding whose map is shown first: the highest of those at their operating point."""
    said = result.prediction
    if said is None:
        return ""
    flagged = [n for n, flag in enumerate(said.flags) if flag]
    return said.findings[max(flagged or range(len(said.findings)), key=lambda n: said.scores[n])]
