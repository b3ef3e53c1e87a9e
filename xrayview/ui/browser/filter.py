"""Which films the browser lists: by words, star, status and score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef
from xrayview.errors import Status
from xrayview.ui.browser import row_text


class Verdict(StrEnum):
    """What can be asked of a film's status."""

    OK = "ok"
    WARN = "warn"
    REFUSED = "refused"
    ERROR = "error"
    UNJUDGED = "not judged"


@dataclass(frozen=True)
class Filter:
    """What a film must be to be listed; an empty condition holds for all.

    `least` is a score, 0 to 1, of `finding`. A film without a score of it does not pass.
    """

    text: str = ""
    starred: bool = False
    verdicts: frozenset[Verdict] = frozenset()
    finding: str = ""
    least: float = 0.0

    @property
    def is_empty(self) -> bool:
        """True when every film passes."""
        return self == Filter()

    @property
    def asks_results(self) -> bool:
        """True when what the model says of a film may list or drop it."""
        return bool(self.verdicts or self.finding)

    def conditions(self) -> tuple[str, ...]:
        """The conditions beside the text, in words."""
        said = [str(verdict) for verdict in Verdict if verdict in self.verdicts]
        starred = ("starred",) if self.starred else ()
        score = (f"{self.finding} ≥ {self.least:.2f}",) if self.finding else ()
        return (*starred, *([" or ".join(said)] if said else []), *score)


@dataclass(frozen=True)
class Known:
    """Where to look up what a filter asks for."""

    is_starred: Callable[[FilmRef], bool]
    result: Callable[[FilmRef], FilmResult | None]


def passes(chosen: Filter, film: FilmRef, known: Known) -> bool:
    """True when the film meets all conditions but the words."""
    if chosen.starred and not known.is_starred(film):
        return False
    if not chosen.asks_results:
        return True
    result = known.result(film)
    if chosen.verdicts and verdict(result) not in chosen.verdicts:
        return False
    return not chosen.finding or _score(result, chosen.finding) >= chosen.least


def verdict(result: FilmResult | None) -> Verdict:
    """The status as the filter names it."""
    return Verdict.UNJUDGED if result is None else _VERDICTS[result.status]


def has_words(text: str, film: FilmRef, *, identity_hidden: bool) -> bool:
    """True when the film says `text` (lower case) somewhere."""
    return text in row_text.film_words(film, identity_hidden=identity_hidden)


_VERDICTS = {
    Status.OK: Verdict.OK,
    Status.WARN: Verdict.WARN,
    Status.REFUSED: Verdict.REFUSED,
    Status.ERROR: Verdict.ERROR,
}


def _score(result: FilmResult | None, finding: str) -> float:
    said = result.prediction if result is not None else None
    if said is None or finding not in said.findings:
        return -1.0
    return said.scores[said.findings.index(finding)]
