"""The patients and films that a model is for, in words, as its card states them."""

from __future__ import annotations

from xrayview.domain.model import ModelCard, Scope
from xrayview.domain.stated import ages_text

_ADULT_YEARS = 18


def population_text(scope: Scope) -> str:
    """The scope in one line: `children of 1 to 5 years, AP`; empty where the card states none."""
    patients = (
        f"{_patients(scope.age_years)} of {ages_text(scope.age_years)}" if scope.age_years else ""
    )
    terms = (scope.modalities, scope.body_parts, scope.view_positions)
    return ", ".join(filter(None, (patients, *(" or ".join(choices) for choices in terms))))


def trained_on_text(card: ModelCard) -> str:
    """Sources and number of the training films: `4,678 films, kermany`; empty where unknown."""
    sources, counts = card.training.get("film_sources"), card.training.get("counts")
    train = counts.get("train") if isinstance(counts, dict) else None
    films = train.get("films") if isinstance(train, dict) else None
    number = f"{films:,} films" if isinstance(films, int) else ""
    names = ", ".join(str(name) for name in sources) if isinstance(sources, dict) else ""
    return ", ".join(filter(None, (number, names.title())))


def _patients(ages: tuple[float, ...]) -> str:
    youngest, oldest = ages
    if oldest < _ADULT_YEARS:
        return "children"
    return "adults" if youngest >= _ADULT_YEARS else "patients"
