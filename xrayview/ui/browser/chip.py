"""The model's result for a film, as a chip."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.domain.events import FilmResult
from xrayview.domain.leading_finding import leading_index, predicted_names
from xrayview.domain.model import ModelCard
from xrayview.domain.sentences import without_options
from xrayview.domain.verdict import list_title
from xrayview.errors import Status
from xrayview.ui.style.colours import STATUS_COLOUR, C


@dataclass(frozen=True)
class Chip:
    """A short text, its colour, and a note that spells it out."""

    text: str
    colour: str
    note: str
    filled: bool = False


def chip(result: FilmResult, card: ModelCard | None) -> Chip:
    """The score of the leading finding, whose name comes first, or why there is no score.

    A film without a prediction never shows a number.
    """
    prediction, verdict = result.prediction, list_title(result)
    if prediction is None or result.status in (Status.REFUSED, Status.ERROR):
        note = without_options(result.message.split("\n")[0])
        return Chip(verdict, STATUS_COLOUR[result.status], note)
    top = leading_index(prediction, card)
    flagged = prediction.flags[top]
    colour = C.accent if flagged else C.quiet
    note = ", ".join(predicted_names(prediction, card))
    if result.status is Status.WARN:
        colour, note = C.warn, " · ".join(filter(None, (verdict, note)))
    return Chip(f"{prediction.scores[top]:.2f}", colour, note, flagged)
