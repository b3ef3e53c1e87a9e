"""The film to compare with: the same patient, the same view, the nearest earlier study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from xrayview.domain.film import FilmRef

# View Position (0018,5101), PS3.3 C.8.7.1 and usual spellings: which views compare.
_PROJECTIONS: dict[str, str] = {
    "PA": "frontal",
    "AP": "frontal",
    "LL": "lateral",
    "RL": "lateral",
    "LAT": "lateral",
    "LATERAL": "lateral",
}


@dataclass(frozen=True)
class Prior:
    """An earlier film with how much earlier it was made."""

    film: FilmRef
    days: int


@dataclass(frozen=True)
class NoPrior:
    """Why there is nothing to compare a film with."""

    why: str


def find_prior(film: FilmRef, films: Iterable[FilmRef]) -> Prior | NoPrior:
    """The nearest earlier film of the same patient and view among `films`.

    Of one study, a film of the very same View Position goes before one that only compares (AP
    beside PA). Nothing is guessed: without PatientID or date in its header a film has no prior.
    """
    made = film_date(film)
    if not film.patient_id:
        return NoPrior("The film has no PatientID.")
    if made is None:
        return NoPrior("The film has no date (StudyDate or AcquisitionDate).")
    earlier = [
        (day, other)
        for other in films
        if other.patient_id == film.patient_id and (day := film_date(other)) and day < made
    ]
    if not earlier:
        return NoPrior("There is no earlier study of this patient in the folder.")
    same = [(day, other) for day, other in earlier if _compares(film, other)]
    if not same:
        return NoPrior("The earlier studies of this patient have no film of the same view.")
    day, prior = max(same, key=lambda pair: (pair[0], pair[1].view_position == film.view_position))
    return Prior(prior, (made - day).days)


def film_date(film: FilmRef) -> date | None:
    """StudyDate, else AcquisitionDate; None where neither is a date (PS3.5 6.2: YYYYMMDD)."""
    for text in (film.study_date, film.acquisition_date):
        if len(text) == 8 and text.isdigit():
            try:
                return date(int(text[:4]), int(text[4:6]), int(text[6:]))
            except ValueError:
                continue
    return None


def earlier_text(days: int) -> str:
    """How much earlier, in the unit in which it is read, and in days."""
    if days < 61:
        return f"{days} {'day' if days == 1 else 'days'} earlier"
    months = round(days / 30.4375)
    years, rest = divmod(months, 12)
    words = [f"{years} y" if years else "", f"{rest} mo" if rest else ""]
    return f"{' '.join(word for word in words if word)} earlier ({days:,} days)"


def _compares(film: FilmRef, other: FilmRef) -> bool:
    """The same part, side and projection; what one header leaves open is no difference."""
    pairs = ((film.body_part, other.body_part), (film.laterality, other.laterality))
    alike = all(not a or not b or a.upper() == b.upper() for a, b in pairs)
    return alike and _projection(film) == _projection(other)


def _projection(film: FilmRef) -> str:
    view = film.view_position.upper()
    return _PROJECTIONS.get(view, view)
