"""What the model says between judging, the panel of findings, and the browser's chips."""

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


def chip_of(session: Session, film: FilmRef) -> Chip | None:
    """What a list says of a film in one word; None while the model said nothing of it."""
    result, model = session.result(film), session.model
    return chip(result, model.card) if result and model else None


class FindingsController(QObject):
    """Draws anew what another model, another result or another operating point changes."""

    refreshed = Signal()
    """What is known of the active view's film is another."""

    def __init__(
        self,
        session: Session,
        model_controller: ModelController,
        panel: FindingsPanel,
        browser: Browser,
        heat: HeatMapController,
    ) -> None:
        super().__init__(panel)
        self._session = session
        self._model_controller = model_controller
        self._panel = panel
        self._browser = browser
        self._heat = heat
        model_controller.model_changed.connect(self._on_model)
        model_controller.result_changed.connect(self.on_result)
        panel.classify_requested.connect(model_controller.classify)
        panel.card_requested.connect(self.show_card)
        panel.point_moved.connect(self._on_point)

    def refresh(self) -> None:
        """Draw the findings of the film on screen as the session has them."""
        state = findings_state(
            self._session,
            model_text=self._model_controller.model_text,
            loading=self._model_controller.loading,
            busy=self._model_controller.is_busy(self._session.current),
        )
        self._panel.show_state(state)
        self.refreshed.emit()

    def show_card(self) -> None:
        """The card of the model in force."""
        if self._session.model is not None:
            dialog = CardDialog(self._session.model, self._panel)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.show()

    def on_result(self, film_id: str) -> None:
        """The model in force has said something of a film, or is about to."""
        self._browser.refresh(film_id)
        for number in self._session.views_of(film_id):
            if number == self._session.active:
                self.refresh()
            self._heat.begin(number)

    def _on_model(self) -> None:
        self._heat.forget_choice()
        self.refresh()
        model = self._session.model
        findings = model.card.findings if model is not None else ()
        self._browser.show_findings([finding.name for finding in findings])
        self._browser.refresh_all()
        for number in range(len(self._session.views)):
            self._heat.begin(number)

    def _on_point(self, finding: str, threshold: float | None) -> None:
        self._session.move_point(finding, threshold)
        self.refresh()
        self._browser.refresh_all()
        self._heat.ask_again()
