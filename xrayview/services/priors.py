"""Prior films: same patient, same view, nearest earlier study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from xrayview.domain.film import FilmRef

# View Position (0018,5101), PS3.3 C.8.7.1 and usual spellings: which views are comparable.
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
    """An earlier film, and by how many days."""

    film: FilmRef
    days: int


@dataclass(frozen=True)
class NoPrior:
    """Why a film has no prior."""

    why: str


def find_prior(film: FilmRef, films: Iterable[FilmRef]) -> Prior | NoPrior:
    """Find the nearest earlier film of the same patient and view among `films`.

    Within a study, a film with the same View Position is preferred to a comparable one (AP for PA).
    A film without PatientID or date in its header has no prior.
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
    same = [(day, other) for day, other in earlier if _is_comparable(film, other)]
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
    """The interval in days, months or years, and in days where it is long."""
    if days < 61:
        return f"{days} {'day' if days == 1 else 'days'} earlier"
    months = round(days / 30.4375)
    years, rest = divmod(months, 12)
    parts = [f"{years} y" if years else "", f"{rest} mo" if rest else ""]
    return f"{' '.join(part for part in parts if part)} earlier ({days:,} days)"


def _is_comparable(film: FilmRef, other: FilmRef) -> bool:
    """True for the same part, side and projection; what a header leaves open does not differ."""
    pairs = ((film.body_part, other.body_part), (film.laterality, other.laterality))
    is_same_part = all(not a or not b or a.upper() == b.upper() for a, b in pairs)
    return is_same_part and _projection(film) == _projection(other)


def _projection(film: FilmRef) -> str:
    view = film.view_position.upper()
    return _PROJECTIONS.get(view, view)
