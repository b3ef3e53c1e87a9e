"""What the findings panel has to show, decided from the session as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from xrayview.domain.events import FilmResult
from xrayview.domain.model import ModelCard, Prediction
from xrayview.errors import Status, StatusCode
from xrayview.services.session import Session

Kind = Literal[
    "no model", "loading", "no film", "unread", "unasked", "busy", "judged", "refused", "failed"
]


@dataclass(frozen=True)
class FindingsState:
    """One of the panel's pages with what it needs."""

    kind: Kind
    text: str = ""
    result: FilmResult | None = None
    card: ModelCard | None = None
    methods: tuple[str, ...] = ()
    own_points: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of the user's own, by finding."""
    methods_note: str = ""
    """Where the network was cut for Grad-CAM, or why it cannot be."""


_BY_STATUS: dict[Status, Kind] = {
    Status.OK: "judged",
    Status.WARN: "judged",
    Status.REFUSED: "refused",
    Status.ERROR: "failed",
}


def findings_state(
    session: Session, *, model_text: str, loading: bool, busy: bool
) -> FindingsState:
    """The page that fits what is open; `model_text` says why there is no model yet."""
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
        return FindingsState("unread", "The film could not be read: no score.", card=card)
    return FindingsState("unasked", "This film has not been classified yet.", card=card)


def verdict(state: FindingsState) -> str:
    """May the model judge the film, in a few words; never yes where nothing compared it."""
    result = state.result
    if state.kind != "judged" or result is None:
        return _VERDICTS.get(state.kind, "Findings")
    if result.status is Status.WARN:
        return "May judge: with doubt"
    return "May judge: yes" if _compared(result) else "May judge: not checked"


def reasons(state: FindingsState) -> tuple[str, ...]:
    """What stands below the verdict, a line each."""
    result = state.result
    if result is None:
        return (state.text,) if state.text else ()
    lines = tuple(result.message.split("; ")) if result.message else ()
    if state.kind != "judged":
        return lines
    if not _compared(result):
        return (*lines, _NOT_COMPARED)
    gate = result.gate
    doubted = gate is not None and StatusCode.OUT_OF_DISTRIBUTION in gate.flags
    if gate and gate.ood_percentile is not None and not doubted:
        share = f"closer than {100 - gate.ood_percentile:.0f} % of the validation films"
        return (*lines, f"Like the training films: {share}.")
    return lines


def _compared(result: FilmResult) -> bool:
    return result.gate is not None and result.gate.ood_score is not None


_NOT_COMPARED = (
    "Whether the film is like the training films is not checked: the model has no statistics of "
    "them."
)
_VERDICTS: dict[Kind, str] = {
    "refused": "May judge: no",
    "failed": "Could not be judged",
    "unread": "Could not be judged",
}


def sure_line(said: Prediction) -> str:
    """How sure the scores are of themselves; of a film unlike the training films that is little."""
    figure = f"(H {said.uncertainty:.2f})"
    if StatusCode.OUT_OF_DISTRIBUTION in said.gate.flags:
        return f"Sure: cannot be told of a film unlike the training films  {figure}"
    return f"Sure: {surety(said.uncertainty)}  {figure}"


def surety(uncertainty: float) -> str:
    """The entropy of the scores (0..1 of its maximum) in a word."""
    return next(word for limit, word in _SURETY if uncertainty <= limit)


# Thirds of the scale: words for reading, the figure stands beside them.
_SURETY = ((1 / 3, "high"), (2 / 3, "moderate"), (float("inf"), "low"))
