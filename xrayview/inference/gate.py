"""Whether a film is in the scope of a chest model, by its header and pixels only.

Needs no torch, so decode workers can check. A film is refused only for what its file states;
anything less certain is a flag, which means caution. A file that states nothing (PNG, JPEG, an
empty tag) passes, and the reasons mention it. The scope in a model's card narrows this: a film
outside of it is flagged. The distance from the training films is checked in `ood_score`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from xrayview.domain.film import FilmRef
from xrayview.domain.model import GateVerdict, Scope
from xrayview.domain.radiograph import Radiograph
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

UNITS_PER_YEAR = {"Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}

LATERAL_VIEWS = frozenset({"LL", "RL", "LLO", "RLO", "LLAT", "RLAT"})
OBLIQUE_VIEWS = frozenset({"RAO", "LAO", "RPO", "LPO", "OBL"})
DECUBITUS_VIEWS = frozenset({"LLD", "RLD"})
"""ViewPosition (PS3.3 C.8.11.5.1.1). Decubitus films are frontal, with the patient lying down."""

_IN_SCOPE = GateVerdict()
_ANY_FILM = Scope()


def check_film(radiograph: Radiograph, scope: Scope = _ANY_FILM) -> GateVerdict:
    """The verdict by header and pixels."""
    header = check_header(radiograph.ref)
    return combine_verdicts((header, check_scope(radiograph.ref, scope), check_pixels(radiograph)))


def check_header(film: FilmRef) -> GateVerdict:
    """The verdict by Modality, BodyPartExamined and ViewPosition; refusals come first."""
    return combine_verdicts(
        (
            _check_modality(_letters(film.modality)),
            _check_body_part(_letters(film.body_part)),
            _check_view(_letters(film.view_position)),
        )
    )


def check_scope(film: FilmRef, scope: Scope) -> GateVerdict:
    """Flag a film whose header contradicts the scope in the card.

    What the card or the header leaves open is not flagged.
    """
    return combine_verdicts(
        (
            _check_age(film.patient_age, scope.age_years),
            _check_term("Modality", film.modality, scope.modalities),
            _check_term("The body part", film.body_part, scope.body_parts),
            _check_term("View position", film.view_position, scope.view_positions),
        )
    )


def age_in_years(age: str) -> float | None:
    """PatientAge (AS, PS3.5 6.2: `041Y`, `018M`, `003W`, `010D`) in years; None if not valid."""
    match = re.fullmatch(r"(\d{3})([YMWD])", age.strip().upper())
    return int(match[1]) / UNITS_PER_YEAR[match[2]] if match else None


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
    return GateVerdict(
        refused=any(v.refused for v in ordered),
        flags=tuple(dict.fromkeys(flag for v in ordered for flag in v.flags)),
        reasons=tuple(reason for v in ordered for reason in v.reasons),
        ood_score=scores[0] if scores else None,
        ood_percentile=percentiles[0] if percentiles else None,
    )


def _check_modality(modality: str) -> GateVerdict:
    if modality in RADIOGRAPHS:
        return _IN_SCOPE
    if not modality:
        return GateVerdict(reasons=("The file does not state its modality.",))
    if modality in OTHER_RADIOGRAPHS:
        kind = OTHER_RADIOGRAPHS[modality]
        return _refuse(StatusCode.NOT_A_CHEST, f"Modality {modality} is {kind}.")
    if modality in UNCLEAR_MODALITIES:
        return _flag(StatusCode.NOT_A_RADIOGRAPH, f"Modality {modality} may not be a radiograph.")
    return _refuse(StatusCode.NOT_A_RADIOGRAPH, f"Modality {modality} is not a radiograph.")


def _check_body_part(part: str) -> GateVerdict:
    if part in UNSTATED or any(word in part for word in CHEST_WORDS):
        return _IN_SCOPE
    return _refuse(StatusCode.NOT_A_CHEST, f"The body part examined is {part}, not the chest.")


def _check_view(view: str) -> GateVerdict:
    if view in DECUBITUS_VIEWS or "DECUB" in view:
        return _flag(StatusCode.NOT_FRONTAL, f"View position {view}: the patient lies on one side.")
    if view in LATERAL_VIEWS or view.startswith("LAT") or "LATERAL" in view:
        return _refuse(StatusCode.NOT_FRONTAL, f"View position {view} is a lateral view.")
    if view in OBLIQUE_VIEWS or "OBLIQUE" in view:
        return _refuse(StatusCode.NOT_FRONTAL, f"View position {view} is an oblique view.")
    return _IN_SCOPE


def _check_age(age: str, allowed: tuple[float, ...]) -> GateVerdict:
    years = age_in_years(age)
    if years is None or not allowed:
        return _IN_SCOPE
    low, high = allowed
    if low <= years < high + 1:
        return _IN_SCOPE
    return _flag(
        StatusCode.OUT_OF_DISTRIBUTION,
        f"The patient's age is {age.strip()}; the model is for {low:g} to {high:g} years.",
    )


def _check_term(attribute: str, stated: str, allowed: tuple[str, ...]) -> GateVerdict:
    letters = _letters(stated)
    # `AP SUPINE` and `PORT CHEST` contain the term that a card names.
    if letters in UNSTATED or not allowed or any(_letters(term) in letters for term in allowed):
        return _IN_SCOPE
    return _flag(
        StatusCode.OUT_OF_DISTRIBUTION,
        f"{attribute} is {stated.strip()}; the model is for {' or '.join(allowed)}.",
    )


def _refuse(code: StatusCode, reason: str) -> GateVerdict:
    return GateVerdict(refused=True, flags=(code.value,), reasons=(reason,))


def _flag(code: StatusCode, reason: str) -> GateVerdict:
    return GateVerdict(flags=(code.value,), reasons=(reason,))


def _letters(text: str) -> str:
    """The letters and digits of a text: `L SPINE` and `L_SPINE` equal `LSPINE`."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())
