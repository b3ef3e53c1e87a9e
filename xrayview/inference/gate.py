"""Whether a film is in the scope of a chest model, by its header and pixels only.

Needs no torch, so decode workers can check. A film is refused only for what its file states;
anything less certain is a flag, which means caution. Where a header is silent, what the user states
of the whole folder counts in its place; a header that says otherwise wins, and is flagged. What
neither says is a fact of the verdict, not a flag. The scope in a model's card narrows this: a film
outside of it is flagged. The distance from the training films is checked in `ood_score`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from xrayview.domain.age import RARE_YEARS, age_in_years, age_text, header_age_text
from xrayview.domain.film import FilmRef
from xrayview.domain.model import GateVerdict, Scope
from xrayview.domain.radiograph import Radiograph
from xrayview.domain.stated import NOTHING_STATED, StatedFilms, ages_text
from xrayview.errors import StatusCode

RADIOGRAPHS = frozenset({"CR", "DX", "RG", "DR", "XR"})
"""Projection radiographs (PS3.3 C.7.3.1.1.1); DR and XR occur in files although not defined."""
OTHER_RADIOGRAPHS = {"MG": "a mammogram", "PX": "a panoramic film", "IO": "an intra-oral film"}
UNCLEAR_MODALITIES = frozenset({"OT", "SC", "HC", "RF", "XA"})
"""Secondary captures, and X-ray that may be radiographs or fluoroscopic images."""

CHEST_WORDS = ("CHEST", "THORAX", "TORAX", "LUNG", "PULMO", "RIB", "HEART", "CARDIAC")
"""Parts of BodyPartExamined (PS3.16 Annex L, and values found in files) that include the lungs."""
UNSTATED = frozenset(
    {"", "UNKNOWN", "OTHER", "NONE", "NA", "UNDEFINED", "UNSPECIFIED", "DEFAULT", "WHOLEBODY"}
)

LATERAL_VIEWS = frozenset({"LL", "RL", "LLO", "RLO", "LLAT", "RLAT"})
OBLIQUE_VIEWS = frozenset({"RAO", "LAO", "RPO", "LPO", "OBL"})
DECUBITUS_VIEWS = frozenset({"LLD", "RLD"})
"""ViewPosition (PS3.3 C.8.11.5.1.1). Decubitus films are frontal, with the patient lying down."""

_IN_SCOPE = GateVerdict()
_ANY_FILM = Scope()
_STATED = " (stated for the folder)"


def check_film(
    radiograph: Radiograph, scope: Scope = _ANY_FILM, stated: StatedFilms = NOTHING_STATED
) -> GateVerdict:
    """The verdict by header and pixels."""
    described = check_description(radiograph.ref, scope, stated)
    return combine_verdicts((described, check_pixels(radiograph)))


def check_description(film: FilmRef, scope: Scope, stated: StatedFilms) -> GateVerdict:
    """The verdict without the pixels: by header, card, and what is stated of the folder."""
    return combine_verdicts(
        (
            check_header(film, stated),
            check_scope(film, scope, stated),
            check_statement(film, stated),
            GateVerdict(facts=facts_of(film, scope, stated)),
        )
    )


def check_header(film: FilmRef, stated: StatedFilms = NOTHING_STATED) -> GateVerdict:
    """The verdict by Modality, BodyPartExamined and ViewPosition; refusals come first."""
    return combine_verdicts(
        (
            _check_modality(_letters(film.modality)),
            _check_body_part(*_known(film.body_part, stated.body_part)),
            _check_view(*_known(film.view_position, stated.view_position)),
        )
    )


def check_scope(film: FilmRef, scope: Scope, stated: StatedFilms = NOTHING_STATED) -> GateVerdict:
    """Flag a film whose header contradicts the scope in the card.

    What the card or the header leaves open is not flagged.
    """
    body_part, view = (
        (film.body_part, stated.body_part),
        (film.view_position, stated.view_position),
    )
    return combine_verdicts(
        (
            _check_age(film, scope.age_years, stated.age_years),
            _check_term("Modality", film.modality, "", scope.modalities),
            _check_term("The body part", *body_part, scope.body_parts),
            _check_term("View position", *view, scope.view_positions),
        )
    )


def check_statement(film: FilmRef, stated: StatedFilms) -> GateVerdict:
    """Flag a film whose header contradicts what is stated of its folder."""
    return combine_verdicts(
        (
            _check_stated_age(film, stated.age_years),
            _check_stated_term(
                "STATED_BODY_PART_CONTRADICTED", "body part", film.body_part, stated.body_part
            ),
            _check_stated_term(
                "STATED_VIEW_CONTRADICTED", "view", film.view_position, stated.view_position
            ),
        )
    )


def facts_of(film: FilmRef, scope: Scope, stated: StatedFilms) -> tuple[str, ...]:
    """What the file does not say, and where it was taken from instead.

    The age matters only to a model that is meant for an age.
    """
    facts = []
    if age_in_years(film.patient_age) is None:
        if film.age_by_dates is not None:
            facts.append("AGE_FROM_BIRTH_DATE")
        elif stated.age_years:
            facts.append("AGE_STATED")
        elif scope.age_years:
            facts.append("AGE_UNKNOWN")
    for name, of_film, of_folder in (
        ("VIEW", film.view_position, stated.view_position),
        ("BODY_PART", film.body_part, stated.body_part),
        ("MODALITY", film.modality, ""),
    ):
        if _letters(of_film) in UNSTATED:
            facts.append(f"{name}_STATED" if of_folder else f"{name}_UNKNOWN")
    return tuple(facts)


def _known(of_film: str, of_folder: str) -> tuple[str, str]:
    """The letters of the term that counts, and a note where it is not the file's."""
    letters = _letters(of_film)
    silent = letters in UNSTATED and bool(of_folder)
    return (_letters(of_folder), _STATED) if silent else (letters, "")


def check_pixels(radiograph: Radiograph) -> GateVerdict:
    """Refuse a film whose pixels all have the same value, padding left out."""
    pixels, padding = radiograph.pixels_HW, radiograph.padding_mask()
    shown = pixels if padding is None else pixels[~padding]
    if shown.size and np.min(shown) != np.max(shown):
        return _IN_SCOPE
    return _refuse(StatusCode.NOT_A_RADIOGRAPH, "Every pixel has the same value.")


def combine_verdicts(verdicts: Iterable[GateVerdict]) -> GateVerdict:
    """Combine verdicts into one; flags and reasons of refusals come first."""
    ordered = sorted(verdicts, key=lambda verdict: not verdict.refused)
    scores = [v.ood_score for v in ordered if v.ood_score is not None]
    percentiles = [v.ood_percentile for v in ordered if v.ood_percentile is not None]
    ranks = [v.ood_text for v in ordered if v.ood_text]
    return GateVerdict(
        refused=any(v.refused for v in ordered),
        flags=tuple(dict.fromkeys(flag for v in ordered for flag in v.flags)),
        reasons=tuple(reason for v in ordered for reason in v.reasons),
        facts=tuple(dict.fromkeys(fact for v in ordered for fact in v.facts)),
        ood_score=scores[0] if scores else None,
        ood_percentile=percentiles[0] if percentiles else None,
        ood_text=ranks[0] if ranks else "",
    )


def _check_modality(modality: str) -> GateVerdict:
    if modality in RADIOGRAPHS or not modality:
        return _IN_SCOPE
    if modality in OTHER_RADIOGRAPHS:
        kind = OTHER_RADIOGRAPHS[modality]
        return _refuse(StatusCode.NOT_A_CHEST, f"Modality {modality} is {kind}.")
    if modality in UNCLEAR_MODALITIES:
        return _flag(StatusCode.NOT_A_RADIOGRAPH, f"Modality {modality} may not be a radiograph.")
    return _refuse(StatusCode.NOT_A_RADIOGRAPH, f"Modality {modality} is not a radiograph.")


def _check_body_part(part: str, note: str) -> GateVerdict:
    if part in UNSTATED or _is_chest(part):
        return _IN_SCOPE
    what = f"The body part examined is {part}{note}, not the chest."
    return _refuse(StatusCode.NOT_A_CHEST, what)


def _is_chest(part: str) -> bool:
    return any(word in part for word in CHEST_WORDS)


def _check_view(view: str, note: str) -> GateVerdict:
    shown = f"View position {view}{note}"
    if view in DECUBITUS_VIEWS or "DECUB" in view:
        return _flag(StatusCode.NOT_FRONTAL, f"{shown}: the patient lies on one side.")
    if view in LATERAL_VIEWS or view.startswith("LAT") or "LATERAL" in view:
        return _refuse(StatusCode.NOT_FRONTAL, f"{shown} is a lateral view.")
    if view in OBLIQUE_VIEWS or "OBLIQUE" in view:
        return _refuse(StatusCode.NOT_FRONTAL, f"{shown} is an oblique view.")
    return _IN_SCOPE


def _age_of(film: FilmRef) -> tuple[float | None, str]:
    """The film's age in years, and how to show it."""
    years = age_in_years(film.patient_age)
    if years is None and film.age_by_dates is not None:
        # The file does not state this age, and a rare one may say who the patient is.
        is_rare = film.age_by_dates >= RARE_YEARS
        shown = f"{RARE_YEARS} years or more" if is_rare else age_text(film.age_by_dates)
        return film.age_by_dates, f"{shown} (from the birth date)"
    return years, header_age_text(film.patient_age)


def _check_age(film: FilmRef, allowed: tuple[float, ...], stated: tuple[float, ...]) -> GateVerdict:
    if not allowed:
        return _IN_SCOPE
    years, shown = _age_of(film)
    if years is not None:
        inside = _is_within(years, allowed)
    elif stated:
        inside = allowed[0] <= stated[0] and stated[1] <= allowed[1]
        shown = f"{ages_text(stated)}{_STATED}"
    else:
        return _IN_SCOPE
    if inside:
        return _IN_SCOPE
    return _flag(
        StatusCode.OUT_OF_DISTRIBUTION,
        f"The patient's age is {shown}; the model is for {ages_text(allowed)}.",
    )


def _check_stated_age(film: FilmRef, stated: tuple[float, ...]) -> GateVerdict:
    years, shown = _age_of(film)
    if years is None or not stated or _is_within(years, stated):
        return _IN_SCOPE
    return GateVerdict(
        flags=("STATED_AGE_CONTRADICTED",),
        reasons=(f"The patient's age is {shown}; stated for the folder is {ages_text(stated)}.",),
    )


def _is_within(years: float, completed: tuple[float, ...]) -> bool:
    low, high = completed
    return low <= years < high + 1


def _check_term(
    attribute: str, of_film: str, of_folder: str, allowed: tuple[str, ...]
) -> GateVerdict:
    letters, note = _known(of_film, of_folder)
    # `AP SUPINE` and `PORT CHEST` contain the term that a card names.
    if letters in UNSTATED or not allowed or any(_letters(term) in letters for term in allowed):
        return _IN_SCOPE
    shown = of_folder + note if note else of_film.strip()
    return _flag(
        StatusCode.OUT_OF_DISTRIBUTION,
        f"{attribute} is {shown}; the model is for {' or '.join(allowed)}.",
    )


def _check_stated_term(flag: str, attribute: str, of_film: str, of_folder: str) -> GateVerdict:
    here, there = _letters(of_film), _letters(of_folder)
    if here in UNSTATED or not there or there in here or (_is_chest(here) and _is_chest(there)):
        return _IN_SCOPE
    reason = f"The {attribute} is {of_film.strip()}; stated for the folder is {of_folder}."
    return GateVerdict(flags=(flag,), reasons=(reason,))


def _refuse(code: StatusCode, reason: str) -> GateVerdict:
    return GateVerdict(refused=True, flags=(code.value,), reasons=(reason,))


def _flag(code: StatusCode, reason: str) -> GateVerdict:
    return GateVerdict(flags=(code.value,), reasons=(reason,))


def _letters(text: str) -> str:
    """The letters and digits of a text: `L SPINE` and `L_SPINE` equal `LSPINE`."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())
