"""The state of the findings panel as plain data, derived from the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from xrayview.domain.events import FilmResult
from xrayview.domain.model import ModelCard, Prediction
from xrayview.errors import Status, StatusCode
from xrayview.services.session import Session

Kind = Literal[
    "no model",
    "loading",
    "no film",
    "unreadable",
    "unclassified",
    "busy",
    "classified",
    "refused",
    "failed",
]


@dataclass(frozen=True)
class FindingsState:
    """One of the panel's pages with its content."""

    kind: Kind
    text: str = ""
    result: FilmResult | None = None
    card: ModelCard | None = None
    methods: tuple[str, ...] = ()
    own_points: Mapping[str, float] = field(default_factory=dict)
    """Thresholds set by the user, by finding."""
    methods_note: str = ""
    """Where the network was cut for Grad-CAM, or why it could not be."""


_BY_STATUS: dict[Status, Kind] = {
    Status.OK: "classified",
    Status.WARN: "classified",
    Status.REFUSED: "refused",
    Status.ERROR: "failed",
}


def findings_state(
    session: Session, *, model_text: str, loading: bool, busy: bool
) -> FindingsState:
    """Choose the page for the session; `model_text` says why there is no model yet."""
    if session.model is None:
        return FindingsState("loading" if loading else "no model", model_text)
    card, methods = session.model.card, session.model.explain_methods
    if session.current is None:
        return FindingsState("no film", "Choose a film to see its findings.", card=card)
    if busy:
        return FindingsState("busy", "Classifying …", card=card)
    result = session.result(session.current)
    if result is not None:
        kind, own = _BY_STATUS[result.status], session.own_points
        note = session.model.features_note
        return FindingsState(kind, result.message, result, card, methods, own, note)
    if session.film_error is not None:
        return FindingsState("unreadable", "This film could not be read.", card=card)
    return FindingsState("unclassified", "This film has not been classified yet.", card=card)


def verdict(state: FindingsState) -> str:
    """The gate's verdict; "In scope" only where the film was compared with the training films."""
    result = state.result
    if state.kind != "classified" or result is None:
        return _VERDICTS.get(state.kind, "Findings")
    if result.status is Status.WARN:
        return CAUTION
    return IN_SCOPE if _is_compared(result) else "Scope not checked"


def reasons(state: FindingsState) -> tuple[str, ...]:
    """The lines below the verdict."""
    result = state.result
    if result is None:
        return (state.text,) if state.text else ()
    lines = _message_lines(result)
    if state.kind != "classified":
        return lines
    if not _is_compared(result):
        return (*lines, _NOT_COMPARED)
    gate = result.gate
    unlike = gate is not None and StatusCode.OUT_OF_DISTRIBUTION in gate.flags
    if gate and gate.ood_percentile is not None and not unlike:
        share = 100 - gate.ood_percentile
        return (*lines, f"Closer to the training films than {share:.0f} % of the validation films.")
    return lines


def _message_lines(result: FilmResult) -> tuple[str, ...]:
    """The gate's reasons, a line each, then the rest of the message."""
    gate_reasons = result.gate.reasons if result.gate is not None else ()
    rest = result.message.removeprefix("; ".join(gate_reasons)).removeprefix("; ")
    return (*gate_reasons, *([rest] if rest else []))


def _is_compared(result: FilmResult) -> bool:
    return result.gate is not None and result.gate.ood_score is not None


IN_SCOPE, CAUTION, OUT_OF_SCOPE = "In scope", "Caution", "Out of scope"
_NOT_COMPARED = (
    "The model has no statistics of its training films, so it is not known whether this film is "
    "like them."
)
_VERDICTS: dict[Kind, str] = {
    "refused": OUT_OF_SCOPE,
    "failed": "Not classified",
    "unreadable": "Not classified",
}


def confidence_text(prediction: Prediction) -> str:
    """The confidence of the scores; it means nothing for a film unlike the training films."""
    entropy = f"(entropy {prediction.uncertainty:.2f})"
    if StatusCode.OUT_OF_DISTRIBUTION in prediction.gate.flags:
        return f"Confidence: unknown, the film is unlike the training films {entropy}"
    return f"Confidence: {confidence_level(prediction.uncertainty)} {entropy}"


def confidence_level(uncertainty: float) -> str:
    """Name the entropy of the scores (0..1 of its maximum)."""
    return next(level for limit, level in _LEVELS if uncertainty <= limit)


# Thirds of the scale, for a quick reading; the entropy itself is shown beside the level.
_LEVELS = ((1 / 3, "high"), (2 / 3, "moderate"), (float("inf"), "low"))
