"""The model's results in the findings panel and in the film list."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal

from xrayview.domain.film import FilmRef
from xrayview.services.session import Session
from xrayview.ui.browser.chip import Chip, chip
from xrayview.ui.browser.panel import Browser
from xrayview.ui.findings.card_dialog import CardDialog
from xrayview.ui.findings.panel import FindingsPanel
from xrayview.ui.findings.state import findings_state
from xrayview.ui.heat_map_controller import HeatMapController
from xrayview.ui.model_controller import ModelController
from xrayview.ui.style import theme
from xrayview.ui.widgets.refresh_scheduler import RefreshScheduler


def chip_of(session: Session, film: FilmRef) -> Chip | None:
    """A film's result as the list shows it; None without one."""
    result, model = session.result(film), session.model
    return chip(result, model.card) if result and model else None


class FindingsController(QObject):
    """Keeps panel and list in step with model, results and operating points."""

    results_changed = Signal()
    """Flags or verdicts of classified films may differ now; scores do not."""

    def __init__(
        self,
        session: Session,
        model_controller: ModelController,
        panel: FindingsPanel,
        browser: Browser,
        heat_maps: HeatMapController,
        refresh: RefreshScheduler,
    ) -> None:
        super().__init__(panel)
        self._session = session
        self._model_controller = model_controller
        self._panel = panel
        self._browser = browser
        self._heat_maps = heat_maps
        self._refresh = refresh
        refresh.due.connect(self._show_state)
        model_controller.model_changed.connect(self._on_model)
        model_controller.result_changed.connect(self.on_result)
        panel.classify_requested.connect(model_controller.classify)
        panel.card_requested.connect(self.show_card)
        panel.point_moved.connect(self._move_point)
        panel.point_reset.connect(self._move_point)
        theme.on_switch(self._redraw)

    def show_card(self) -> None:
        """Open the loaded model's card."""
        if self._session.model is not None:
            dialog = CardDialog(self._session.model, self._panel)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.show()

    def on_result(self, film_id: str) -> None:
        """Show that a film has a result, or that it is being classified."""
        self._browser.refresh(film_id)
        for view_index in self._session.views_of(film_id):
            self._heat_maps.restart(view_index)
        self._refresh.request()

    def _show_state(self) -> None:
        """Show the state of the current film where it differs from the one shown."""
        state = findings_state(
            self._session,
            model_text=self._model_controller.model_text,
            loading=self._model_controller.loading,
            busy=self._model_controller.is_busy(self._session.current),
        )
        if state != self._panel.state:
            self._panel.show_state(state)
        self._heat_maps.show_controls()

    def _redraw(self) -> None:
        self._panel.show_state(self._panel.state)

    def _on_model(self) -> None:
        self._heat_maps.forget_choice()
        model = self._session.model
        findings = model.card.findings if model is not None else ()
        self._browser.show_findings([finding.name for finding in findings])
        self._browser.refresh_all()
        self._heat_maps.restart_all()
        self._refresh.request()

    def on_statement(self) -> None:
        """Show verdicts again after the user stated something of the folder's films."""
        self._browser.refresh_all()
        self._heat_maps.restart_all()
        self._refresh.request()
        self.results_changed.emit()

    def _move_point(self, finding: str, threshold: float | None = None) -> None:
        self._session.move_point(finding, threshold)
        self._refresh.run_now()
        self._browser.refresh_all()
        self._heat_maps.request_all()
        self.results_changed.emit()
