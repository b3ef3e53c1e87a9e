"""May a chest model judge this film? What the header and the pixels say, before any network.

Needs no torch: decode workers ask it. A film is refused only for what its file states; a doubt
is a flag. A file that states nothing (PNG, JPEG, a blank tag) is judged, and the reasons say so.
What a card says of its model's films narrows this: a film outside of it is doubted. How like the
training films the pixels are is another matter, see `likeness`.
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
"""PS3.3 C.7.3.1.1.1 projection radiographs; DR and XR stand in files although not defined."""
OTHER_RADIOGRAPHS = {"MG": "a mammogram", "PX": "a panoramic film", "IO": "an intra-oral film"}
UNCLEAR_MODALITIES = frozenset({"OT", "SC", "HC", "RF", "XA"})
"""Secondary captures, and X-ray that may be a film or a fluoroscopic image."""

CHEST_WORDS = ("CHEST", "THORAX", "TORAX", "LUNG", "PULMO", "RIB", "HEART", "CARDIAC")
"""BodyPartExamined (PS3.16 Annex L and what stands in files) that shows lungs."""
UNSTATED = frozenset(
    {"", "UNKNOWN", "OTHER", "NONE", "NA", "UNDEFINED", "UNSPECIFIED", "DEFAULT", "WHOLEBODY"}
)

UNITS_PER_YEAR = {"Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}

LATERAL_VIEWS = frozenset({"LL", "RL", "LLO", "RLO", "LLAT", "RLAT"})
OBLIQUE_VIEWS = frozenset({"RAO", "LAO", "RPO", "LPO", "OBL"})
DECUBITUS_VIEWS = frozenset({"LLD", "RLD"})
"""ViewPosition, PS3.3 C.8.11.5.1.1. Decubitus films are frontal, of a patient who lies."""

_YES = GateVerdict()
_ANY = Scope()


def check_film(radiograph: Radiograph, scope: Scope = _ANY) -> GateVerdict:
    """What the header and the pixels say together."""
    header = check_header(radiograph.ref)
    return combine_verdicts((header, check_scope(radiograph.ref, scope), check_pixels(radiograph)))


def check_header(film: FilmRef) -> GateVerdict:
    """What Modality, BodyPartExamined and ViewPosition say; the first refusal is the first flag."""
    return combine_verdicts(
        (
            _judge_modality(_word(film.modality)),
            _judge_body_part(_word(film.body_part)),
            _judge_view(_word(film.view_position)),
        )
    )


def check_scope(film: FilmRef, scope: Scope) -> GateVerdict:
    """Doubt a film whose header says that it is none of those the card is about.

    What the card or the header leaves open is no doubt.
    """
    return combine_verdicts(
        (
            _judge_age(film.patient_age, scope.age_years),
            _judge_word("Modality", film.modality, scope.modalities),
            _judge_word("The body part", film.body_part, scope.body_parts),
            _judge_word("View position", film.view_position, scope.view_positions),
        )
    )


def age_in_years(age: str) -> float | None:
    """PatientAge (AS, PS3.5 6.2: `041Y`, `018M`, `003W`, `010D`) in years; None when it is none."""
    found = re.fullmatch(r"(\d{3})([YMWD])", age.strip().upper())
    return int(found[1]) / UNITS_PER_YEAR[found[2]] if found else None


def check_pixels(radiograph: Radiograph) -> GateVerdict:
    """Refuse a film that has one value only, pixel padding left out."""
    pixels, padding = radiograph.pixels_HW, radiograph.padding_mask()
    shown = pixels if padding is None else pixels[~padding]
    if shown.size and np.min(shown) != np.max(shown):
        return _YES
    return _refuse(StatusCode.NOT_A_RADIOGRAPH, "Every pixel has the same value.")


def combine_verdicts(verdicts: Iterable[GateVerdict]) -> GateVerdict:
    """One verdict of several; those that refuse come first."""
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


def _judge_modality(modality: str) -> GateVerdict:
    if modality in RADIOGRAPHS:
        return _YES
    if not modality:
        return GateVerdict(reasons=("The file does not say what kind of image it is.",))
    if modality in OTHER_RADIOGRAPHS:
        what = OTHER_RADIOGRAPHS[modality]
        return _refuse(StatusCode.NOT_A_CHEST, f"Modality {modality} is {what}.")
    if modality in UNCLEAR_MODALITIES:
        return _doubt(
            StatusCode.NOT_A_RADIOGRAPH, f"Modality {modality} may be something else than a film."
        )
    return _refuse(StatusCode.NOT_A_RADIOGRAPH, f"Modality {modality} is not a radiograph.")


def _judge_body_part(part: str) -> GateVerdict:
    if part in UNSTATED or any(word in part for word in CHEST_WORDS):
        return _YES
    return _refuse(StatusCode.NOT_A_CHEST, f"The body part examined is {part}, not the chest.")


def _judge_view(view: str) -> GateVerdict:
    if view in DECUBITUS_VIEWS or "DECUB" in view:
        return _doubt(StatusCode.NOT_FRONTAL, f"View position {view}: the patient lies on a side.")
    if view in LATERAL_VIEWS or view.startswith("LAT") or "LATERAL" in view:
        return _refuse(StatusCode.NOT_FRONTAL, f"View position {view} is a lateral view.")
    if view in OBLIQUE_VIEWS or "OBLIQUE" in view:
        return _refuse(StatusCode.NOT_FRONTAL, f"View position {view} is an oblique view.")
    return _YES


def _judge_age(age: str, allowed: tuple[float, ...]) -> GateVerdict:
    years = age_in_years(age)
    if years is None or not allowed:
        return _YES
    low, high = allowed
    if low <= years < high + 1:
        return _YES
    return _doubt(
        StatusCode.OUT_OF_DISTRIBUTION,
        f"The patient's age is {age.strip()}, the model is for {low:g} to {high:g} years.",
    )


def _judge_word(what: str, stated: str, allowed: tuple[str, ...]) -> GateVerdict:
    word = _word(stated)
    # `AP SUPINE` and `PORT CHEST` hold the word that a card names.
    if word in UNSTATED or not allowed or any(_word(one) in word for one in allowed):
        return _YES
    return _doubt(
        StatusCode.OUT_OF_DISTRIBUTION,
        f"{what} is {stated.strip()}, the model is for {' or '.join(allowed)}.",
    )


def _refuse(code: StatusCode, reason: str) -> GateVerdict:
    return GateVerdict(refused=True, flags=(code.value,), reasons=(reason,))


def _doubt(code: StatusCode, reason: str) -> GateVerdict:
    return GateVerdict(flags=(code.value,), reasons=(reason,))


def _word(text: str) -> str:
    """Letters and digits only: `L SPINE`, `L_SPINE` and `LSPINE` are one."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())
