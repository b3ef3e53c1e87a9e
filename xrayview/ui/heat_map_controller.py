"""The heat maps between their controls, the model and the views."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from xrayview.domain.events import FilmResult
from xrayview.domain.heat_map_methods import DEFAULT_METHOD
from xrayview.domain.model import HeatMap, ModelCard
from xrayview.services.session import MOST_VIEWS, Session
from xrayview.ui.findings.panel import FindingsPanel
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.model_controller import ModelController
from xrayview.ui.viewer.film_view import FilmViewer


@dataclass
class HeatMapRequest:
    """What is to be seen in one view, and what is said of it."""

    on: bool = False
    finding: str = ""
    method: str = DEFAULT_METHOD
    note: str = ""


class HeatMapController(QObject):
    """Asks for the maps that the controls name, and lays each over its own film only.

    Each view has its own map; the controls are about that of the active view. Opacity and cut-off
    are the same in all, so that maps can be compared.
    """

    switched = Signal(bool)

    def __init__(
        self,
        session: Session,
        model_controller: ModelController,
        panel: FindingsPanel,
        grid: ViewGrid,
    ) -> None:
        super().__init__()
        self._session = session
        self._model_controller = model_controller
        self._panel = panel
        self._grid = grid
        self._choice = ""
        self._wishes = {viewer: HeatMapRequest() for viewer in grid.viewers}
        controls = panel.heat
        controls.toggled.connect(self.set_on)
        controls.choice_changed.connect(self._on_choice)
        for viewer in grid.viewers:
            controls.opacity_changed.connect(viewer.set_heat_opacity)
            controls.cutoff_changed.connect(viewer.set_heat_cutoff)
        model_controller.heat_map_ready.connect(self._show)
        model_controller.heat_map_state.connect(self._note)

    @property
    def on(self) -> bool:
        """True while the active view's map is to be seen."""
        return self._active.on

    def toggle(self) -> None:
        """On or off, where the film has findings."""
        self.set_on(not self.on)

    def set_on(self, on: bool) -> None:
        """Show or hide the active view's map; one that is not there yet is computed."""
        self._active.on = on
        self._panel.heat.set_on(on)
        self._panel.mark()
        self._grid.viewer.set_heat_visible(on)
        self.switched.emit(on)
        self.ask()

    def ask(self) -> None:
        """The active view's map of the chosen finding, when it is to be seen."""
        finding, method = self._panel.heat.chosen()
        if finding:  # before the first result there is nothing to choose from
            self._active.finding, self._active.method = finding, method
        self._ask(self._session.active)

    def ask_again(self) -> None:
        """Every view's map: what is said of it may be another, the map is at hand."""
        for number in range(len(self._session.views)):
            self._ask(number)

    def on_layout(self) -> None:
        """What a closed view waited for is not needed; the active film has perhaps moved."""
        for closed in range(len(self._session.views), MOST_VIEWS):
            self._model_controller.forget_heat_map(closed)
        self._ask(self._session.active)

    def choose(self, place: int) -> None:
        """The finding at a place of the list (from 0); shows its map."""
        names = self._panel.findings_in_order()
        if place < len(names):
            self._choice = names[place]
            self._panel.heat.start_with(self._choice)
            self.set_on(True)

    def prefer(self, method: str) -> None:
        """Make the maps of every view by this method, until another is chosen."""
        for wish in self._wishes.values():
            wish.method = method
        self.follow()
        self.ask_again()

    def forget_choice(self) -> None:
        """Another model: the finding that was chosen may not be its own."""
        self._choice = ""

    def begin(self, number: int | None = None) -> None:
        """A view's film (the active one's by default) or what is known of it changed.

        It gets its own map, or none.
        """
        place = self._session.active if number is None else number
        viewer = self._grid.viewers[place]
        wish = self._wishes[viewer]
        viewer.set_heat_map(None)
        self._model_controller.forget_heat_map(place)
        wish.note = ""
        result = self._result(place)
        if result is not None:
            model = self._session.model
            wish.finding = self._choice or leading(result, model.card if model else None)
        if place == self._session.active:
            self.follow()
        self._ask(place)

    def follow(self) -> None:
        """The controls say what is seen in the active view."""
        wish, controls = self._active, self._panel.heat
        controls.set_on(wish.on)
        if self._result(self._session.active) is not None:
            controls.start_with(wish.finding, wish.method)
            wish.method = controls.chosen()[1]  # another model may not offer the wished one
            self._panel.mark()
        controls.show_note(wish.note)

    @property
    def _active(self) -> HeatMapRequest:
        return self._wishes[self._grid.viewer]

    def _ask(self, number: int) -> None:
        wish = self._wishes[self._grid.viewers[number]]
        if wish.on and self._result(number) is not None:
            wish.method = self._offered(wish.method)
            self._model_controller.explain(number, wish.finding, wish.method)

    def _offered(self, method: str) -> str:
        """The method, or the first one where the model in force cannot do it."""
        methods = self._session.model.explain_methods if self._session.model else ()
        return method if method in methods or not methods else methods[0]

    def _on_choice(self) -> None:
        # The user's choice stays from film to film, so that one finding can be followed.
        self._choice = self._panel.heat.chosen()[0]
        self.ask()

    def _result(self, number: int) -> FilmResult | None:
        view = self._session.views[number]
        result = self._session.result(view.film)
        judged = result is not None and result.prediction is not None
        return result if judged and view.radiograph is not None else None

    def _show(self, heat: HeatMap) -> None:
        model = self._session.model
        for viewer in self._viewers_of(heat.film_id):
            wish = self._wishes[viewer]
            wanted = wish.on and (wish.finding, wish.method) == (heat.finding, heat.method)
            if wanted and model is not None:
                viewer.set_heat_map(heat, model.card.name)

    def _note(self, film_id: str, text: str) -> None:
        for viewer in self._viewers_of(film_id):
            self._wishes[viewer].note = text
            if viewer is self._grid.viewer:
                self._panel.heat.show_note(text)

    def _viewers_of(self, film_id: str) -> list[FilmViewer]:
        return [self._grid.viewers[number] for number in self._session.views_of(film_id)]


def leading(result: FilmResult, card: ModelCard | None) -> str:
    """The finding whose map is shown first: the highest of those at their operating point.

    Of the abnormal ones, where the model has any: where a film looks normal asks nobody first.
    """
    said = result.prediction
    if said is None:
        return ""
    abnormal = {finding.name for finding in card.findings if finding.abnormal} if card else set()
    places = [n for n, name in enumerate(said.findings) if name in abnormal]
    places = places or list(range(len(said.findings)))
    flagged = [n for n in places if said.flags[n]]
    return said.findings[max(flagged or places, key=lambda n: said.scores[n])]
