"""Which films the browser lists: by text, star, status and score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from xrayview.domain import verdict as verdicts
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef
from xrayview.ui.browser import row_text


class Verdict(StrEnum):
    """The verdict on a film, as the filter offers it."""

    OK = verdicts.IN_SCOPE
    NOT_COMPARED = verdicts.NOT_COMPARED
    WARN = verdicts.CAUTION
    REFUSED = verdicts.OUT_OF_SCOPE
    ERROR = verdicts.ERROR
    UNCLASSIFIED = "Not classified yet"


@dataclass(frozen=True)
class Filter:
    """The conditions that a film must meet to be listed; an empty one lets every film pass.

    `minimum` is a score of `finding`, 0 to 1. A film without a score for it does not pass.
    """

    text: str = ""
    starred: bool = False
    verdicts: frozenset[Verdict] = frozenset()
    finding: str = ""
    minimum: float = 0.0

    @property
    def is_empty(self) -> bool:
        """True when every film passes."""
        return self == Filter()

    @property
    def needs_results(self) -> bool:
        """True when the model's result decides whether a film is listed."""
        return bool(self.verdicts or self.finding)

    def conditions(self) -> tuple[str, ...]:
        """Describe every condition but the text."""
        names = [str(verdict) for verdict in Verdict if verdict in self.verdicts]
        starred = ("starred",) if self.starred else ()
        score = (f"{self.finding} ≥ {self.minimum:.2f}",) if self.finding else ()
        return (*starred, *([" or ".join(names)] if names else []), *score)


@dataclass(frozen=True)
class FilmLookup:
    """Looks up the star and the result of a film for a filter."""

    is_starred: Callable[[FilmRef], bool]
    result: Callable[[FilmRef], FilmResult | None]


def passes(criteria: Filter, film: FilmRef, lookup: FilmLookup) -> bool:
    """True when the film meets every condition but the text."""
    if criteria.starred and not lookup.is_starred(film):
        return False
    if not criteria.needs_results:
        return True
    result = lookup.result(film)
    if criteria.verdicts and verdict(result) not in criteria.verdicts:
        return False
    return not criteria.finding or _score(result, criteria.finding) >= criteria.minimum


def verdict(result: FilmResult | None) -> Verdict:
    """The verdict of a result, as the filter names it."""
    return Verdict.UNCLASSIFIED if result is None else Verdict(verdicts.list_title(result))


def matches_text(text: str, film: FilmRef, *, identity_hidden: bool) -> bool:
    """True when `text` (lower case) occurs in what a row or tooltip says about the film."""
    return text in row_text.searchable_text(film, identity_hidden=identity_hidden)


def _score(result: FilmResult | None, finding: str) -> float:
    prediction = result.prediction if result is not None else None
    if prediction is None or finding not in prediction.findings:
        return -1.0
    return prediction.scores[prediction.findings.index(finding)]
