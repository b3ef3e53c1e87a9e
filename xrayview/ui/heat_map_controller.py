"""The heat maps between their controls, the model and the views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from xrayview.domain.events import FilmResult
from xrayview.domain.heat_map_methods import DEFAULT_METHOD
from xrayview.domain.leading_finding import leading_index
from xrayview.domain.model import HeatMap, ModelCard
from xrayview.services.session import MOST_VIEWS, Session
from xrayview.ui.film_controller import FilmController, ViewChange, ViewEvent
from xrayview.ui.findings.panel import FindingsPanel
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.keys import shortcuts
from xrayview.ui.model_controller import WITHOUT_MODEL, WITHOUT_SCORES, ModelController
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.widgets.banners import Message


@dataclass
class _ViewState:
    """The heat map of one view: what the user chose, and the note beside the controls."""

    on: bool = False
    finding: str = ""
    method: str = DEFAULT_METHOD
    note: str = ""
    is_computing: bool = False
    """The map takes a while, and can be cancelled."""


class HeatMapController(QObject):
    """Requests the heat maps that the user chose, and shows each on its own film only.

    Each view has its own map; the controls are those of the active view. Opacity and cut-off
    are the same in all views, so that maps can be compared.
    """

    switched = Signal(bool)
    message = Signal(Message)

    def __init__(
        self,
        session: Session,
        films: FilmController,
        model_controller: ModelController,
        panel: FindingsPanel,
        grid: ViewGrid,
    ) -> None:
        super().__init__(grid)
        self._session = session
        self._model_controller = model_controller
        self._panel = panel
        self._grid = grid
        self._chosen_finding = ""
        self._states = {viewer: _ViewState() for viewer in grid.viewers}
        controls = panel.heat
        controls.toggled.connect(self.set_on)
        controls.choice_changed.connect(self._on_choice)
        for viewer in grid.viewers:
            controls.opacity_changed.connect(viewer.set_heat_opacity)
            controls.cutoff_changed.connect(viewer.set_heat_cutoff)
        films.view_changed.connect(self._on_view_changed)
        model_controller.heat_map_ready.connect(self._show)
        model_controller.heat_map_state.connect(self._show_note)
        model_controller.progress.changed.connect(self._show_progress)
        controls.cancel_requested.connect(self.cancel)

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        return {
            "heat_map": self.toggle,
            "heat_fainter": lambda: self._panel.heat.step_opacity(-1),
            "heat_stronger": lambda: self._panel.heat.step_opacity(1),
            "heat_finding": self.choose,
        }

    @property
    def on(self) -> bool:
        """True while the active view shows its heat map."""
        return self._active.on

    def toggle(self) -> None:
        """Switch the active view's heat map on or off."""
        self.set_on(not self.on)

    def set_on(self, on: bool) -> None:
        """Show or hide the active view's heat map; a missing one is computed."""
        if on and self._result(self._session.active) is None:
            self.message.emit(self._missing())
        self._active.on = on
        if not on and self._active.is_computing:
            self._drop(self._session.active, "")
        self._panel.heat.set_on(on)
        self._panel.mark()
        self._grid.viewer.set_heat_visible(on)
        self.switched.emit(on)
        self._request(self._session.active)

    def cancel(self) -> None:
        """Cancel the heat map that the active view waits for, and switch it off."""
        self._drop(self._session.active, "The heat map was cancelled.")
        self.set_on(False)

    def _drop(self, view_index: int, note: str) -> None:
        self._model_controller.forget_heat_map(view_index)
        viewer = self._grid.viewers[view_index]
        state = self._states[viewer]
        state.note, state.is_computing = note, False
        if viewer is self._grid.viewer:
            self._panel.heat.show_note(note)

    def _missing(self) -> Message:
        """Why there can be no heat map of the active view."""
        if self._session.model is None:
            text = "Wait until the model is loaded, or choose one at the top right."
            return Message(WITHOUT_MODEL, "warn", "No model is loaded", text)
        if self._session.radiograph is None:
            return Message("film", "warn", "No film is on screen", "Choose a film on the left.")
        text = f"Classify it first ({shortcuts.key_label('classify')}); then its heat map is shown."
        return Message(WITHOUT_SCORES, "warn", "This film has no scores yet", text)

    def choose(self, index: int) -> None:
        """Show the heat map of the finding at this index of the list."""
        names = self._panel.findings_in_order()
        if index < len(names):
            self._chosen_finding = self._active.finding = names[index]
            self._panel.heat.start_with(names[index])
            self.set_on(True)

    def set_method(self, method: str) -> None:
        """Use this method in every view until another is chosen."""
        for state in self._states.values():
            state.method = method
        self.show_controls()
        self.request_all()

    def forget_choice(self) -> None:
        """Start with the leading finding again: another model may not have the chosen one."""
        self._chosen_finding = ""

    def restart(self, view_index: int) -> None:
        """Drop a view's heat map, and request one for its film as it is known now."""
        viewer = self._grid.viewers[view_index]
        state = self._states[viewer]
        viewer.set_heat_map(None)
        self._model_controller.forget_heat_map(view_index)
        state.note, state.is_computing = "", False
        result = self._result(view_index)
        if view_index == self._session.active:
            self._model_controller.message_settled.emit(WITHOUT_SCORES)
        if result is not None:
            model = self._session.model
            state.finding = self._chosen_finding or leading(result, model.card if model else None)
        self._request(view_index)

    def restart_all(self) -> None:
        """Restart the heat map of every view."""
        for view_index in range(len(self._session.views)):
            self.restart(view_index)

    def request_all(self) -> None:
        """Request the heat map of every view; those computed before are shown at once."""
        for view_index in range(len(self._session.views)):
            self._request(view_index)

    def show_controls(self) -> None:
        """Set the controls to the state of the active view, once the panel shows its result."""
        state, controls = self._active, self._panel.heat
        controls.set_on(state.on)
        if self._result(self._session.active) is not None:
            controls.start_with(state.finding, state.method)
            state.method = controls.chosen()[1]  # the model may not offer the method
            self._panel.mark()
        controls.show_note(state.note, can_cancel=state.is_computing)

    def on_layout(self) -> None:
        """Cancel what closed views wait for; the active film may have another view index."""
        for closed in range(len(self._session.views), MOST_VIEWS):
            self._model_controller.forget_heat_map(closed)
        self._request(self._session.active)

    @property
    def _active(self) -> _ViewState:
        return self._states[self._grid.viewer]

    def _on_view_changed(self, change: ViewChange) -> None:
        if change.event is ViewEvent.FILM:
            self.restart(change.view_index)

    def _on_choice(self) -> None:
        finding, self._active.method = self._panel.heat.chosen()
        # The choice stays from film to film, so that one finding can be followed.
        self._chosen_finding = self._active.finding = finding
        self._request(self._session.active)

    def _request(self, view_index: int) -> None:
        viewer = self._grid.viewers[view_index]
        state = self._states[viewer]
        if state.on and self._result(view_index) is not None:
            state.method = self._offered(state.method)
            shown = viewer.heat_layer
            if shown is not None and (shown.heat.finding, shown.heat.method) != (
                state.finding,
                state.method,
            ):
                viewer.set_heat_map(None)  # it is not what the controls say
            self._model_controller.explain(view_index, state.finding, state.method)

    def _offered(self, method: str) -> str:
        """The method, or the first one that the loaded model offers."""
        methods = self._session.model.explain_methods if self._session.model else ()
        return method if method in methods or not methods else methods[0]

    def _result(self, view_index: int) -> FilmResult | None:
        """The scores of a view's film once it is decoded, else None."""
        view = self._session.views[view_index]
        result = self._session.result(view.film)
        has_scores = result is not None and result.prediction is not None
        return result if has_scores and view.radiograph is not None else None

    def _show(self, heat: HeatMap) -> None:
        model = self._session.model
        for viewer in self._viewers_of(heat.film_id):
            state = self._states[viewer]
            is_chosen = state.on and (state.finding, state.method) == (heat.finding, heat.method)
            if is_chosen and model is not None:
                viewer.set_heat_map(heat, model.card.name)

    def _show_note(self, film_id: str, text: str) -> None:
        self._set_note(film_id, text, is_computing=False)

    def _show_progress(self, film_id: str, text: str) -> None:
        self._set_note(film_id, text, is_computing=True)

    def _set_note(self, film_id: str, text: str, *, is_computing: bool) -> None:
        for viewer in self._viewers_of(film_id):
            state = self._states[viewer]
            state.note, state.is_computing = text, is_computing
            if viewer is self._grid.viewer:
                self._panel.heat.show_note(text, can_cancel=is_computing)

    def _viewers_of(self, film_id: str) -> list[FilmViewer]:
        return [self._grid.viewers[index] for index in self._session.views_of(film_id)]


def leading(result: FilmResult, card: ModelCard | None) -> str:
    """The finding whose heat map is shown first: the highest score that reaches its threshold.

    Abnormal findings come first where the model has any: nobody asks where a film looks normal.
    """
    prediction = result.prediction
    if prediction is None:
        return ""
    return prediction.findings[leading_index(prediction, card)]
