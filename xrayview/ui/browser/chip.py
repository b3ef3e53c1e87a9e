"""What the model said of a film, in the space of a chip."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.domain.events import FilmResult
from xrayview.domain.model import ModelCard
from xrayview.errors import Status
from xrayview.ui.style.colours import STATUS_COLOUR, C


@dataclass(frozen=True)
class Chip:
    """A short text, its colour, and what it names in words."""

    text: str
    colour: str
    note: str
    filled: bool = False


def chip(result: FilmResult, card: ModelCard | None) -> Chip:
    """The score of the leading abnormal finding, or why there is none.

    A film without a prediction never shows a number.
    """
    said = result.prediction
    if said is None or result.status in (Status.REFUSED, Status.ERROR):
        return Chip(str(result.status), STATUS_COLOUR[result.status], result.message.split("\n")[0])
    abnormal = {f.name for f in card.findings if f.abnormal} if card else set()
    places = [n for n, name in enumerate(said.findings) if name in abnormal]
    top = max(places or range(len(said.findings)), key=lambda n: said.scores[n])
    flagged = said.flags[top]
    colour = C.accent if flagged else C.quiet
    return Chip(f"{said.scores[top]:.2f}", colour, said.predicted.replace("|", ", "), flagged)
