"""Heat maps on the pictures of a folder, or none: of which finding; the rest as on screen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from xrayview.batch.heat_maps import HeatMapOptions
from xrayview.domain.heat_map_methods import method_title
from xrayview.services.session import Session
from xrayview.ui.findings.heat_controls import HeatControls, abnormal_first
from xrayview.ui.widgets.form_fields import check, combo, label

_NO_MODEL = "Open a model that can explain its scores first"


@dataclass(frozen=True)
class OfferedHeatMaps:
    """What the model in force can lay on every film, as the controls have it now."""

    wanted: HeatMapOptions
    """Its finding is empty where no film was judged yet; the first of `findings` stands for it."""
    findings: tuple[str, ...]
    model: str

    @property
    def text(self) -> str:
        """How the maps are shown, in words."""
        method = method_title(self.wanted.method or "")
        look = f"opacity {self.wanted.opacity:.0%}, cut-off {self.wanted.cutoff:.0%}"
        return f"{method} of {self.model}, {look}, as on screen"


def offered(session: Session, controls: HeatControls) -> OfferedHeatMaps | None:
    """None where no model is loaded, or it explains nothing."""
    ready = session.model
    if ready is None or not ready.explain_methods:
        return None
    finding, method = controls.chosen()
    wanted = HeatMapOptions(
        ready.model,
        finding,
        method if method in ready.explain_methods else ready.explain_methods[0],
        controls.opacity.value() / 100,
        controls.cutoff.value() / 100,
        dict(session.own_points),
    )
    return OfferedHeatMaps(
        wanted, abnormal_first(ready.card), f"{ready.card.name} {ready.card.version}"
    )


class HeatMapChoice(QWidget):
    """A box to tick and the finding beside it."""

    changed = Signal()

    def __init__(self, offer: OfferedHeatMaps | None, on: bool) -> None:
        super().__init__()
        self._offer = offer
        self._why_not = ""
        self.box = check("Heat map of", "", on)
        names = offer.findings if offer else ()
        chosen = offer.wanted.finding if offer else ""
        self.finding = combo("Finding of the heat maps", tuple((n, n) for n in names), chosen)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.box)
        row.addWidget(self.finding)
        row.addWidget(label("as figures; method and opacity as on screen", "quiet"), 1)
        self.box.toggled.connect(self._on_toggled)
        self.allow("")

    @property
    def wanted(self) -> HeatMapOptions | None:
        """None where there are to be none."""
        if self._offer is None or self._why_not or not self.box.isChecked():
            return None
        return replace(self._offer.wanted, finding=self.finding.currentData())

    def allow(self, why_not: str) -> None:
        """Offer heat maps, or say why there are none."""
        self._why_not = _NO_MODEL if self._offer is None else why_not
        self.box.setEnabled(not self._why_not)
        self.finding.setEnabled(self.wanted is not None)
        tip = self._why_not or (self._offer.text if self._offer else "")
        self.setToolTip(tip)
        self.box.setToolTip(tip)
        self.box.setAccessibleDescription(tip)

    def _on_toggled(self) -> None:
        self.finding.setEnabled(self.wanted is not None)
        self.changed.emit()
