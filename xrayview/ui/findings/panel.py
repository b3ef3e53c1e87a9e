"""The findings panel: the gate's verdict, the findings by score, and the heat map's controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.model import ModelCard, Prediction
from xrayview.domain.operating_points import effective_point
from xrayview.ui.findings.heat_controls import HeatControls, abnormal_first
from xrayview.ui.findings.score_bar import ScoreBar, ScoredFinding
from xrayview.ui.findings.state import (
    FindingsState,
    confidence_text,
    facts,
    has_gaps,
    model_name,
    population,
    reasons,
    verdict,
)
from xrayview.ui.keys import shortcuts
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.style.verdict_icon import verdict_icon

_ICON_PX = 20
_STATE_IT = "State it for the folder …"


class FindingsPanel(QFrame):
    """Shows a `FindingsState`, whatever its kind."""

    classify_requested = Signal()
    card_requested = Signal()
    statement_requested = Signal()
    """State what is true of all films of the folder."""
    model_requested = Signal()
    point_moved = Signal(str, float)
    """A finding and its new threshold, 0..1."""
    point_reset = Signal(str)
    """A finding whose threshold is to be the card's again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.state = FindingsState("no model")
        body = self._make_body()
        self.heat = HeatControls(body)
        self.heat.choice_changed.connect(self.mark)
        self._bars: list[ScoreBar] = []
        self._model, self._population = QLabel(), _quiet("")
        self._model.setProperty("role", "strong")
        self._model.setWordWrap(True)
        self._model.setTextFormat(Qt.TextFormat.PlainText)
        self._icon, self._verdict = QLabel(), QLabel()
        self._verdict.setProperty("role", "title")
        self._verdict.setWordWrap(True)
        self._reasons = _quiet("")
        self._facts = _quiet("")
        self._state_films = _link(self.statement_requested.emit)
        self._confidence = _quiet("")
        self._reset = QPushButton()
        self._reset.setProperty("flat", True)
        self._reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._reset.setToolTip(
            "You moved operating points; they apply until XrayView closes.\n"
            "Click to use those of the model card again."
        )
        self._reset.clicked.connect(self._reset_points)
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._scores = QVBoxLayout()
        self._scores.setSpacing(8)
        self._classify = _button("Classify", "classify", self.classify_requested.emit, primary=True)
        shortcuts.describe(self._classify, "classify")
        self._choose = _button("Choose a model …", "model", self.model_requested.emit)
        self._card = _button("Model card", "card", self.card_requested.emit)
        self._fill(body)
        self.show_state(self.state)

    def show_state(self, state: FindingsState) -> None:
        """Show a state."""
        self.state = state
        result = state.result if state.kind == "classified" else None
        self._show_model(state.card)
        self._show_verdict(state)
        self._show_facts(state)
        self._show_scores(state, result.prediction if result is not None else None)
        self._busy.setVisible(state.kind in ("busy", "loading"))
        self._classify.setVisible(state.kind in ("unclassified", "failed"))
        self._classify.setText("Classify again" if state.kind == "failed" else "Classify")
        self._choose.setVisible(state.kind == "no model")
        self._card.setVisible(state.card is not None)
        self._heat_rule.setVisible(result is not None)
        self.heat.setVisible(result is not None)
        if result is not None and state.card is not None:
            self.heat.offer(abnormal_first(state.card), state.methods, state.methods_note)
            self.mark()

    def findings_in_order(self) -> tuple[str, ...]:
        """The findings in the order of the list, which is that of Shift+1-9."""
        return tuple(bar.scored.finding.name for bar in self._bars)

    def _show_verdict(self, state: FindingsState) -> None:
        self._icon.setVisible(state.result is not None)
        if state.result is not None:
            name, colour = verdict_icon(state.result)
            self._icon.setPixmap(icons.pixmap(name, _ICON_PX, colour, self.devicePixelRatioF()))
        self._verdict.setText(verdict(state))
        lines = "\n".join(reasons(state))
        self._reasons.setText(lines)
        self._reasons.setVisible(bool(lines))

    def _show_model(self, card: ModelCard | None) -> None:
        for part in (self._model, self._population, self._model_rule):
            part.setVisible(card is not None)
        if card is not None:
            self._model.setText(model_name(card))
            self._population.setText(population(card))
            self._population.setToolTip(card.intended_use)

    def _show_facts(self, state: FindingsState) -> None:
        lines = "\n".join(facts(state))
        self._facts.setText(lines)
        self._facts.setVisible(bool(lines))
        is_stated = bool(state.stated.text)
        self._state_films.setText("Change for the folder …" if is_stated else _STATE_IT)
        self._state_films.setVisible(has_gaps(state))

    def _show_scores(self, state: FindingsState, prediction: Prediction | None) -> None:
        scored = []
        if prediction is not None and state.card is not None:
            scored = _by_score(prediction, state.card, state.own_points)
        self._show_bars(scored)
        own = len(state.own_points) if prediction is not None else 0
        self._reset.setText("Reset operating points" if own > 1 else "Reset operating point")
        self._reset.setVisible(own > 0)
        self._confidence.setVisible(prediction is not None)
        if prediction is not None:
            self._confidence.setText(confidence_text(prediction))
            self._confidence.setToolTip(
                "Entropy of the scores relative to its maximum: 0 is certain, 1 is undecided.\n"
                "It measures how decided the scores are, not whether they are right.\n"
                f"Computed on {prediction.device}, {prediction.precision}."
            )

    def _show_bars(self, scored: list[ScoredFinding]) -> None:
        if [s.finding for s in scored] == [bar.scored.finding for bar in self._bars]:
            for bar, one in zip(self._bars, scored, strict=True):
                bar.show_scored(one)  # in place: the user may be dragging its tick
            return
        for bar in self._bars:
            self._scores.removeWidget(bar)
            bar.hide()
            bar.deleteLater()
        self._bars = []
        for one in scored:
            bar = ScoreBar(one)
            bar.chosen.connect(self.heat.choose_finding)
            bar.point_moved.connect(self.point_moved)
            bar.point_reset.connect(self.point_reset)
            self._bars.append(bar)
            self._scores.addWidget(bar)
        self._put_bars_in_tab_order()

    def _put_bars_in_tab_order(self) -> None:
        """Bars are made after the controls below them, so Tab would reach them last."""
        before = self.heat.switch.previousInFocusChain()
        while before is not None and not before.focusPolicy() & Qt.FocusPolicy.TabFocus:
            before = before.previousInFocusChain()
        for bar in self._bars:
            if before is not None:
                QWidget.setTabOrder(before, bar)
            before = bar

    def _reset_points(self) -> None:
        for finding in tuple(self.state.own_points):
            self.point_reset.emit(finding)

    def mark(self) -> None:
        """Mark the finding whose heat map is on screen."""
        finding, _ = self.heat.chosen()
        on = self.heat.switch.isChecked()
        for bar in self._bars:
            bar.set_marked(on and bar.scored.finding.name == finding)

    def _make_body(self) -> QWidget:
        """Make the scrolled body; it is filled once it has its parent, to be styled only once."""
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        body = QWidget()
        scroll.setWidget(body)
        body.setAutoFillBackground(False)
        return body

    def _fill(self, body: QWidget) -> None:
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        about = QVBoxLayout()
        about.setSpacing(2)
        about.addWidget(self._model)
        about.addWidget(self._population)
        self._model_rule = _rule()
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._icon)
        head.addWidget(self._verdict, 1)
        self._heat_rule = _rule()
        column.addLayout(about)
        column.addWidget(self._model_rule)
        column.addLayout(head)
        column.addWidget(self._reasons)
        column.addLayout(self._known_and_stated())
        for part in (self._busy, self._classify, self._choose):
            column.addWidget(part)
        column.addLayout(self._scores)
        column.addWidget(self._reset)
        column.addWidget(self._confidence)
        column.addWidget(self._heat_rule)
        column.addWidget(self.heat)
        column.addStretch(1)
        column.addWidget(self._card)

    def _known_and_stated(self) -> QVBoxLayout:
        rows = QVBoxLayout()
        rows.setSpacing(2)
        rows.addWidget(self._facts)
        rows.addWidget(self._state_films, 0, Qt.AlignmentFlag.AlignLeft)
        return rows


def _by_score(
    prediction: Prediction, card: ModelCard, own: Mapping[str, float]
) -> list[ScoredFinding]:
    findings = {finding.name: finding for finding in card.findings}
    order = sorted(range(len(prediction.findings)), key=lambda i: -prediction.scores[i])
    return [
        ScoredFinding(
            findings[prediction.findings[i]],
            prediction.scores[i],
            prediction.logits[i],
            effective_point(card, own, prediction.findings[i]),
            prediction.flags[i],
            f"Shift+{rank}" if rank < 10 else "",
        )
        for rank, i in enumerate(order, 1)
    ]


def _quiet(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "quiet")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _link(act: Callable[[], None]) -> QPushButton:
    button = QPushButton()
    button.setProperty("link", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setToolTip("Age, view and body part of films whose files do not state them")
    button.clicked.connect(act)
    return button


def _rule() -> QFrame:
    rule = QFrame()
    rule.setProperty("rule", True)
    return rule


def _button(text: str, icon: str, act: Callable[[], None], *, primary: bool = False) -> QPushButton:
    button = QPushButton(text)
    button.setIcon(icons.icon(icon, C.on_accent if primary else C.text))
    button.setProperty("primary", primary)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(act)
    return button
