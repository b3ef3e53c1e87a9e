"""Choose whether pictures of a folder show heat maps, and of which finding."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from xrayview.batch.heat_maps import HeatMapOptions
from xrayview.domain.heat_map_methods import method_title
from xrayview.services.session import Session
from xrayview.ui.findings.heat_controls import HeatControls, abnormal_first
from xrayview.ui.widgets.form_fields import check, combo, label

_NO_MODEL = "Load a model that can explain its scores first"


@dataclass(frozen=True)
class HeatMapOffer:
    """The heat maps that the loaded model can compute, with the settings on screen."""

    settings: HeatMapOptions
    """Its finding is empty while no film is classified; then the first of `findings` is chosen."""
    findings: tuple[str, ...]
    model: str

    @property
    def text(self) -> str:
        """Method, model, opacity and cut-off as a text."""
        method = method_title(self.settings.method or "")
        look = f"opacity {self.settings.opacity:.0%}, cut-off {self.settings.cutoff:.0%}"
        return f"{method} of {self.model}, {look}, as on screen"


def heat_map_offer(session: Session, controls: HeatControls) -> HeatMapOffer | None:
    """The offer of the loaded model; None without a model that can compute heat maps."""
    ready = session.model
    if ready is None or not ready.explain_methods:
        return None
    finding, method = controls.chosen()
    settings = HeatMapOptions(
        ready.model,
        finding,
        method if method in ready.explain_methods else ready.explain_methods[0],
        controls.opacity.value() / 100,
        controls.cutoff.value() / 100,
        dict(session.own_points),
        session.stated,
    )
    return HeatMapOffer(
        settings, abnormal_first(ready.card), f"{ready.card.name} {ready.card.version}"
    )


class HeatMapChoice(QWidget):
    """A check box with the finding beside it."""

    changed = Signal()

    def __init__(self, offer: HeatMapOffer | None, on: bool) -> None:
        super().__init__()
        self._offer = offer
        self._why_not = ""
        self.box = check("Heat map of", "", on)
        names = offer.findings if offer else ()
        chosen = offer.settings.finding if offer else ""
        self.finding = combo("Finding of the heat maps", tuple((n, n) for n in names), chosen)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.box)
        row.addWidget(self.finding)
        row.addWidget(label("as a figure, with method and opacity as on screen", "quiet"), 1)
        self.box.toggled.connect(self._on_toggled)
        self.set_available("")

    @property
    def selection(self) -> HeatMapOptions | None:
        """The chosen heat maps; None for pictures without."""
        if self._offer is None or self._why_not or not self.box.isChecked():
            return None
        return replace(self._offer.settings, finding=self.finding.currentData())

    def set_available(self, why_not: str) -> None:
        """Offer heat maps, or disable the choice for the reason `why_not`."""
        self._why_not = _NO_MODEL if self._offer is None else why_not
        self.box.setEnabled(not self._why_not)
        self.finding.setEnabled(self.selection is not None)
        tip = self._why_not or (self._offer.text if self._offer else "")
        self.setToolTip(tip)
        self.box.setToolTip(tip)
        self.box.setAccessibleDescription(tip)

    def _on_toggled(self) -> None:
        self.finding.setEnabled(self.selection is not None)
        self.changed.emit()
