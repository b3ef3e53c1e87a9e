"""What the findings panel has to show, decided from the session as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from xrayview.domain.events import FilmResult
from xrayview.domain.model import ModelCard
from xrayview.engine.protocol import HeatMapMethod
from xrayview.errors import Status
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
    methods: tuple[HeatMapMethod, ...] = ()
    own_points: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of the user's own, by finding."""


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
        return FindingsState(kind, result.message, result, card, methods, own)
    if session.film_error is not None:
        return FindingsState("unread", "The film could not be read: no score.", card=card)
    return FindingsState("unasked", "This film has not been classified yet.", card=card)


def surety(uncertainty: float) -> str:
    """The entropy of the scores (0..1 of its maximum) in a word."""
    return next(word for limit, word in _SURETY if uncertainty <= limit)


# Thirds of the scale: words for reading, the figure stands beside them.
_SURETY = ((1 / 3, "high"), (2 / 3, "moderate"), (float("inf"), "low"))
