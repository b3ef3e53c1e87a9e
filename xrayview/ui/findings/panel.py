"""The findings panel: the gate's verdict first, then the findings, then where the model looked."""

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
from xrayview.domain.operating_points import point_in_force
from xrayview.ui.findings.heat_controls import HeatControls, abnormal_first
from xrayview.ui.findings.score_bar import ScoreBar, Scored
from xrayview.ui.findings.state import FindingsState, reasons, sure_line, verdict
from xrayview.ui.keys import shortcuts
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C


class FindingsPanel(QFrame):
    """Shows a `FindingsState`; every page of it is drawn, the empty ones too."""

    classify_requested = Signal()
    card_requested = Signal()
    model_requested = Signal()
    point_moved = Signal(str, object)
    """A finding, and its operating point as the user wants it; None: as the card says."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.state = FindingsState("no model")
        body = self._make_body()
        self.heat = HeatControls(body)
        self.heat.choice_changed.connect(self.mark)
        self._bars: list[ScoreBar] = []
        self._sign, self._verdict = QLabel(), QLabel()
        self._verdict.setProperty("role", "title")
        self._verdict.setWordWrap(True)
        self._reasons = _quiet("")
        self._sure = _quiet("")
        self._own = QPushButton()
        self._own.setProperty("flat", True)
        self._own.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._own.setToolTip(
            "The operating points that you moved hold until the program ends.\n"
            "Click to flag the findings as the model card says."
        )
        self._own.clicked.connect(self._give_back)
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._scores = QVBoxLayout()
        self._scores.setSpacing(8)
        self._ask = _button("Classify", "classify", self.classify_requested.emit, primary=True)
        shortcuts.describe(self._ask, "classify")
        self._choose = _button("Choose a model …", "model", self.model_requested.emit)
        self._card = _button("Model card", "card", self.card_requested.emit)
        self._fill(body)
        self.show_state(self.state)

    def show_state(self, state: FindingsState) -> None:
        """Draw the page of a state."""
        self.state = state
        judged = state.kind == "judged" and state.result is not None
        self._show_verdict(state)
        self._show_scores(state, state.result.prediction if judged and state.result else None)
        self._busy.setVisible(state.kind in ("busy", "loading"))
        self._ask.setVisible(state.kind in ("unasked", "failed"))
        self._ask.setText("Classify again" if state.kind == "failed" else "Classify")
        self._choose.setVisible(state.kind == "no model")
        self._card.setVisible(state.card is not None)
        self._heat_rule.setVisible(judged)
        self.heat.setVisible(judged)
        if judged and state.card is not None:
            self.heat.offer(abnormal_first(state.card), state.methods, state.methods_note)
            self.mark()

    def findings_in_order(self) -> tuple[str, ...]:
        """The findings as they are listed: what Shift+1-9 count."""
        return tuple(bar.scored.finding.name for bar in self._bars)

    def _show_verdict(self, state: FindingsState) -> None:
        words = verdict(state)
        sure = words.endswith("yes")
        sign = {
            "judged": ("ok", C.ok) if sure else ("warn", C.warn),
            "refused": ("refused", C.warn),
            "failed": ("error", C.error),
        }.get(state.kind)
        self._sign.setVisible(sign is not None)
        if sign is not None:
            self._sign.setPixmap(icons.pixmap(*_sized(sign), self.devicePixelRatioF()))
        self._verdict.setText(words)
        lines = "\n".join(reasons(state))
        self._reasons.setText(lines)
        self._reasons.setVisible(bool(lines))

    def _show_scores(self, state: FindingsState, said: Prediction | None) -> None:
        scored = _by_score(said, state.card, state.own_points) if said and state.card else []
        self._show_bars(scored)
        own = len(state.own_points) if said is not None else 0
        self._own.setText(f"Own operating point{'s' if own > 1 else ''} · give back")
        self._own.setVisible(own > 0)
        self._sure.setVisible(said is not None)
        if said is not None:
            self._sure.setText(sure_line(said))
            self._sure.setToolTip(
                "Entropy of the scores over its maximum: 0 is sure, 1 is not sure at all.\n"
                "It tells how far the scores are from undecided, not whether they are right.\n"
                f"Computed on {said.device}, {said.precision}."
            )

    def _show_bars(self, scored: list[Scored]) -> None:
        if [s.finding for s in scored] == [bar.scored.finding for bar in self._bars]:
            for bar, said in zip(self._bars, scored, strict=True):
                bar.show_scored(said)  # a bar whose tick is being pulled stays
            return
        for bar in self._bars:
            self._scores.removeWidget(bar)
            bar.hide()
            bar.deleteLater()
        self._bars = []
        for said in scored:
            bar = ScoreBar(said)
            bar.chosen.connect(self.heat.choose_finding)
            bar.point_moved.connect(self.point_moved)
            self._bars.append(bar)
            self._scores.addWidget(bar)
        self._put_bars_in_tab_order()

    def _put_bars_in_tab_order(self) -> None:
        """Made later than what stands below them, they would be the last that Tab comes to."""
        before = self.heat.switch.previousInFocusChain()
        while before is not None and not before.focusPolicy() & Qt.FocusPolicy.TabFocus:
            before = before.previousInFocusChain()
        for bar in self._bars:
            if before is not None:
                QWidget.setTabOrder(before, bar)
            before = bar

    def _give_back(self) -> None:
        for finding in tuple(self.state.own_points):
            self.point_moved.emit(finding, None)

    def mark(self) -> None:
        """Mark the finding whose map is on screen."""
        finding, _ = self.heat.chosen()
        on = self.heat.switch.isChecked()
        for bar in self._bars:
            bar.set_marked(on and bar.scored.finding.name == finding)

    def _make_body(self) -> QWidget:
        """Where all stands, in its place before it is filled: then it is styled once."""
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
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._sign)
        head.addWidget(self._verdict, 1)
        self._heat_rule = _rule()
        column.addLayout(head)
        for part in (self._reasons, self._busy, self._ask, self._choose):
            column.addWidget(part)
        column.addLayout(self._scores)
        column.addWidget(self._own)
        column.addWidget(self._sure)
        column.addWidget(self._heat_rule)
        column.addWidget(self.heat)
        column.addStretch(1)
        column.addWidget(self._card)


def _by_score(said: Prediction, card: ModelCard, own: Mapping[str, float]) -> list[Scored]:
    findings = {finding.name: finding for finding in card.findings}
    order = sorted(range(len(said.findings)), key=lambda n: -said.scores[n])
    return [
        Scored(
            findings[said.findings[n]],
            said.scores[n],
            said.logits[n],
            point_in_force(card, own, said.findings[n]),
            said.flags[n],
            f"Shift+{place}" if place < 10 else "",
        )
        for place, n in enumerate(order, 1)
    ]


def _sized(sign: tuple[str, str]) -> tuple[str, int, str]:
    return sign[0], 20, sign[1]


def _quiet(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "quiet")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


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
