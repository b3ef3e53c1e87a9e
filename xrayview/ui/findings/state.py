"""The state of the findings panel as plain data, derived from the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from xrayview.domain.events import FilmResult
from xrayview.domain.model import GateVerdict, ModelCard, Prediction
from xrayview.domain.population import population_text, trained_on_text
from xrayview.domain.sentences import joined, without_options
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.domain.verdict import (
    NOT_CLASSIFIED,
    facts_texts,
    gate_texts,
    is_compared,
    verdict_of,
)
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
    stated: StatedFilms = NOTHING_STATED
    """What the user states of the folder's films."""


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
        return FindingsState(
            kind, without_options(result.message), result, card, methods, own, note, session.stated
        )
    if session.film_error is not None:
        return FindingsState("unreadable", "This film could not be read.", card=card)
    return FindingsState("unclassified", "This film has not been classified yet.", card=card)


def verdict(state: FindingsState) -> str:
    """The title: the verdict, or why there is none."""
    if state.result is not None:
        return verdict_of(state.result)
    return NOT_CLASSIFIED if state.kind == "unreadable" else "Findings"


def reasons(state: FindingsState) -> tuple[str, ...]:
    """The lines below the verdict."""
    result = state.result
    if result is None:
        return (state.text,) if state.text else ()
    gate = result.gate or GateVerdict()
    rest = result.message.removeprefix(joined(gate_texts(gate))).lstrip("; ")
    rest = without_options(rest)
    lines = (*gate.reasons, *([rest] if rest else []))
    if state.kind != "classified":
        return lines
    if not is_compared(result):
        return (*lines, _NOT_COMPARED)
    # The reasons of a film beyond the limit include its distance.
    is_included = any(reason.startswith(gate.ood_text) for reason in gate.reasons)
    return lines if is_included or not gate.ood_text else (*lines, f"{gate.ood_text}.")


def facts(state: FindingsState) -> tuple[str, ...]:
    """What the file does not say, and what was taken in its place."""
    gate = state.result.gate if state.result is not None else None
    lines = facts_texts(gate) if gate is not None else ()
    return (*lines, f"Stated: {state.stated.text}") if lines and state.stated.text else lines


def has_gaps(state: FindingsState) -> bool:
    """True where the user can state what the file does not say, or has stated it."""
    gate = state.result.gate if state.result is not None else None
    unknown = gate is not None and set(_CAN_BE_STATED) & set(gate.facts)
    return gate is not None and bool(unknown or state.stated.text)


def model_name(card: ModelCard) -> str:
    """Name and version."""
    return f"{card.name} {card.version}"


def population(card: ModelCard) -> str:
    """The patients that a model is for, and the films that it was trained on."""
    patients = population_text(card.scope)
    lines = (
        f"For {patients}" if patients else "The card does not state for whom it is",
        f"Trained on {trained}" if (trained := trained_on_text(card)) else "",
    )
    return "\n".join(filter(None, lines))


_NOT_COMPARED = (
    "The model has no statistics of its training films, so it is not known whether this film is "
    "like them."
)
_CAN_BE_STATED = ("AGE_UNKNOWN", "VIEW_UNKNOWN", "BODY_PART_UNKNOWN")


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
