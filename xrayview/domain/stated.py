"""What a researcher states of all films of a folder, where the files do not say it themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xrayview.domain.age import OLDEST_STATED
from xrayview.errors import UsageError

Ages = tuple[float, float]

_AGES = re.compile(r"(\d{1,3})(?:\s*(?:-|–|to)\s*(\d{1,3})|(\+))?")
_TERM = re.compile(r"[A-Za-z][A-Za-z0-9 ]{0,15}")


@dataclass(frozen=True)
class StatedFilms:
    """Terms of the header; empty where nothing is stated.

    A statement counts like the header of a film that is silent. A header that says otherwise wins.
    """

    age_years: tuple[float, ...] = ()
    """Youngest and oldest in completed years."""
    view_position: str = ""
    body_part: str = ""

    @property
    def text(self) -> str:
        """The statement for people: `1 to 5 years, AP, CHEST`; empty if nothing is stated."""
        ages = (ages_text(self.age_years),) if self.age_years else ()
        return ", ".join(filter(None, (*ages, self.view_position, self.body_part)))

    def to_json(self) -> dict[str, object]:
        """The statement as plain data for reports and journals; empty if nothing is stated."""
        values: dict[str, object] = {
            "age_years": list(self.age_years),
            "view_position": self.view_position,
            "body_part": self.body_part,
        }
        return {key: value for key, value in values.items() if value}


NOTHING_STATED = StatedFilms()


def stated_films(age: str = "", view_position: str = "", body_part: str = "") -> StatedFilms:
    """Parse a statement as users type it; empty texts state nothing.

    Raises:
        UsageError: the age is not a range of years, or a term is not a word.
    """
    return StatedFilms(
        parse_ages(age) if age.strip() else (),
        _term("view", view_position),
        _term("body part", body_part),
    )


def parse_ages(text: str) -> Ages:
    """Parse completed years: `1-5`, `1 to 5`, `4`, or `18+`.

    Raises:
        UsageError: it is not a range of years.
    """
    match = _AGES.fullmatch(text.strip().removesuffix("years").strip())
    if match is not None:
        low = int(match[1])
        high = OLDEST_STATED if match[3] else int(match[2] or match[1])
        if low <= high <= OLDEST_STATED:
            return float(low), float(high)
    raise UsageError(
        f"The stated age {text.strip()!r} is not a range of years",
        hint="Write the youngest and the oldest age: 1-5, or 18+.",
    )


def ages_text(ages: tuple[float, ...]) -> str:
    """A range of completed years for people: `1 to 5 years`, `18 years or older`."""
    low, high = ages
    if high >= OLDEST_STATED:
        return f"{low:g} years or older"
    return f"{low:g} years" if low == high else f"{low:g} to {high:g} years"


def _term(name: str, text: str) -> str:
    term = " ".join(text.split())
    if not term or _TERM.fullmatch(term):
        return term.upper()
    raise UsageError(
        f"The stated {name} {term!r} is not a term of a header",
        hint="Write it as DICOM headers do: AP, PA, LL; CHEST.",
    )
