"""The verdict on a film by its header and pixels."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xrayview.domain.film import FilmRef
from xrayview.domain.model import GateVerdict, Scope
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.errors import StatusCode
from xrayview.inference.gate import (
    check_description,
    check_film,
    check_header,
    check_pixels,
    check_scope,
    combine_verdicts,
)


def film(**header: str) -> FilmRef:
    header = {"modality": "DX", "body_part": "CHEST", "view_position": "PA", **header}
    return FilmRef(Path("film.dcm"), "film.dcm", **header)  # type: ignore[arg-type]


def radiograph(pixels_HW: np.ndarray, ref: FilmRef | None = None, **grey: Any) -> Radiograph:
    return Radiograph(ref or film(), pixels_HW, Greyscale(**grey))


PNG = FilmRef(Path("film.png"), "film.png", format="png")
VARIED = np.arange(12, dtype=np.uint16).reshape(3, 4)

IN_SCOPE = [
    *({"modality": m} for m in ("CR", "DX", "RG", "dx ")),
    *(
        {"body_part": part}
        for part in (
            "",
            "chest",
            "THORAX",
            "LUNG",
            "RIBS",
            "PORT CHEST",
            "CHEST_ABDOMEN",
            "UNKNOWN",
        )
    ),
    *({"view_position": view} for view in ("", "AP", "PA", "AP SUPINE", "PORTABLE")),
]
REFUSED = [
    *(({"modality": m}, "NOT_A_RADIOGRAPH") for m in ("CT", "MR", "US", "NM", "PT", "SR", "SM")),
    *(({"modality": m}, "NOT_A_CHEST") for m in ("MG", "PX", "IO")),
    *(
        ({"body_part": part}, "NOT_A_CHEST")
        for part in ("ABDOMEN", "EXTREMITY", "SKULL", "T SPINE", "HAND", "PELVIS", "C-SPINE")
    ),
    *(
        ({"view_position": view}, "NOT_FRONTAL")
        for view in ("LL", "RL", "LATERAL", "lat", "L LAT", "LLO", "LEFT LATERAL", "RAO", "LPO")
    ),
]
CAUTIONS = [
    ({"modality": "OT"}, "NOT_A_RADIOGRAPH"),
    ({"modality": "RF"}, "NOT_A_RADIOGRAPH"),
    ({"view_position": "LLD"}, "NOT_FRONTAL"),
    ({"view_position": "LATERAL DECUBITUS"}, "NOT_FRONTAL"),
]


@pytest.mark.parametrize("header", IN_SCOPE, ids=str)
def test_that_a_frontal_chest_film_is_in_scope(header: dict[str, str]) -> None:
    assert check_header(film(**header)) == GateVerdict()


@pytest.mark.parametrize(("header", "code"), REFUSED, ids=str)
def test_that_a_film_that_the_header_rules_out_is_refused(
    header: dict[str, str], code: str
) -> None:
    verdict = check_header(film(**header))
    assert verdict.refused
    assert verdict.flags == (code,)
    assert verdict.reasons[0].endswith(".")


@pytest.mark.parametrize(("header", "code"), CAUTIONS, ids=str)
def test_that_a_caution_is_a_flag_but_not_a_refusal(header: dict[str, str], code: str) -> None:
    verdict = check_header(film(**header))
    assert not verdict.refused
    assert verdict.flags == (code,)
    assert verdict.reasons


def test_that_a_file_without_a_header_is_in_scope() -> None:
    assert check_header(PNG) == GateVerdict()


def test_that_all_reasons_are_given_with_the_refusals_first() -> None:
    verdict = check_header(film(modality="OT", body_part="HAND", view_position="LL"))
    assert verdict.refused
    assert verdict.flags == ("NOT_A_CHEST", "NOT_FRONTAL", "NOT_A_RADIOGRAPH")
    assert len(verdict.reasons) == 3


def test_that_every_flag_is_a_status_code() -> None:
    for header, code in (*REFUSED, *CAUTIONS):
        assert {StatusCode(flag) for flag in check_header(film(**header)).flags} == {
            StatusCode(code)
        }


@pytest.mark.parametrize(
    "empty",
    [
        radiograph(np.full((4, 5), 3, np.uint8)),
        radiograph(np.zeros((4, 5), np.uint16), padding=(0, 0)),
        radiograph(np.array([[0, 0, 7, 7]], np.uint16), padding=(0, 0)),
    ],
    ids=["constant", "only padding", "constant except for padding"],
)
def test_that_a_constant_film_is_refused(empty: Radiograph) -> None:
    verdict = check_pixels(empty)
    assert verdict.refused
    assert verdict.flags == ("NOT_A_RADIOGRAPH",)


def test_that_header_and_pixels_are_checked_together() -> None:
    assert check_film(radiograph(VARIED)) == GateVerdict()
    verdict = check_film(radiograph(np.zeros((4, 5), np.uint8), film(body_part="HAND")))
    assert verdict.flags == ("NOT_A_CHEST", "NOT_A_RADIOGRAPH")


def test_that_a_flag_is_given_once_and_the_score_is_kept() -> None:
    caution = GateVerdict(flags=("NOT_A_CHEST",), reasons=("a",))
    far = GateVerdict(flags=("OUT_OF_DISTRIBUTION", "NOT_A_CHEST"), reasons=("b",), ood_score=7.5)
    assert combine_verdicts((caution, far)) == GateVerdict(
        flags=("NOT_A_CHEST", "OUT_OF_DISTRIBUTION"), reasons=("a", "b"), ood_score=7.5
    )


def test_that_the_gate_needs_no_torch() -> None:
    code = "import sys, xrayview.inference.gate; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_that_a_real_chest_is_in_scope_and_a_real_ankle_and_ct_are_not() -> None:
    from pydicom.data import get_testdata_file

    from xrayview.io.readers import read_header

    def verdict(name: str) -> GateVerdict:
        path = Path(str(get_testdata_file(name)))
        return check_header(read_header(path, path.parent))

    assert verdict("RG1_UNCR.dcm") == GateVerdict()
    assert verdict("RG3_UNCR.dcm").flags == ("NOT_A_CHEST",)
    assert "NOT_A_RADIOGRAPH" in verdict("CT_small.dcm").flags


CHILDREN = Scope(age_years=(1, 5), view_positions=("AP",), body_parts=("CHEST",))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"patient_age": "041Y"}, "age is 41 years; the model is for 1 to 5 years"),
        ({"patient_age": "011M"}, "age is 11 months"),
        ({"patient_age": "006Y"}, "age is 6 years"),
        ({"view_position": "PA"}, "View position is PA; the model is for AP"),
        ({"body_part": "RIBS"}, "body part is RIBS"),
    ],
)
def test_that_a_film_outside_the_scope_of_the_card_is_a_caution(
    header: dict[str, str], words: str
) -> None:
    stated = {"patient_age": "004Y", "view_position": "AP", "body_part": "CHEST", **header}
    verdict = check_scope(film(**stated), CHILDREN)
    assert (verdict.refused, verdict.flags) == (False, ("OUT_OF_DISTRIBUTION",))
    assert words in verdict.reasons[0]


@pytest.mark.parametrize(
    "header",
    [
        *({"patient_age": age} for age in ("", "001Y", "005Y", "018M", "071M", "unknown")),
        *({"view_position": view} for view in ("", "AP SUPINE")),
        {"body_part": "PORT CHEST"},
    ],
)
def test_that_a_header_that_is_silent_or_in_scope_is_not_a_caution(header: dict[str, str]) -> None:
    stated = {"patient_age": "004Y", "view_position": "AP", "body_part": "CHEST", **header}
    assert check_scope(film(**stated), CHILDREN) == GateVerdict()
    assert check_scope(film(patient_age="041Y"), Scope()) == GateVerdict()


def test_that_the_caution_joins_the_reasons_and_is_empty_for_a_refusal() -> None:
    assert check_header(film(view_position="LLD")).caution == (
        "View position LLD: the patient lies on one side."
    )
    assert check_header(film(view_position="LL")).caution == ""
    assert check_header(film(modality="")).caution == ""


STATED = StatedFilms((1, 5), "AP", "CHEST")


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        *((age, "68 years") for age in ("068Y", "68Y", " 068Y ", "68y", "68 years")),
        ("816M", "816 months"),
        *((age, age) for age in ("68", "68 Y", "68.5")),
    ],
)
def test_that_an_age_is_understood_however_it_is_written(age: str, shown: str) -> None:
    verdict = check_scope(film(patient_age=age, view_position="AP"), CHILDREN)
    assert verdict.flags == ("OUT_OF_DISTRIBUTION",)
    assert f"The patient's age is {shown}; the model is for 1 to 5 years." in verdict.reasons


def test_that_the_age_follows_from_the_dates_where_the_file_does_not_state_it() -> None:
    adult = replace(film(view_position="AP"), age_by_dates=41.3)
    verdict = check_description(adult, CHILDREN, NOTHING_STATED)
    assert "age is 41 years (from the birth date); the model is for" in verdict.reasons[0]
    assert verdict.facts == ("AGE_FROM_BIRTH_DATE",)
    (reason,) = check_description(
        replace(adult, age_by_dates=97.0), CHILDREN, NOTHING_STATED
    ).reasons
    assert "age is 90 years or more (from the birth date)" in reason
    stated = replace(adult, patient_age="004Y")
    assert check_description(stated, CHILDREN, NOTHING_STATED) == GateVerdict()


def test_that_what_the_file_does_not_say_is_a_fact_and_no_flag() -> None:
    verdict = check_description(PNG, CHILDREN, NOTHING_STATED)
    unknown = ("AGE_UNKNOWN", "VIEW_UNKNOWN", "BODY_PART_UNKNOWN", "MODALITY_UNKNOWN")
    assert verdict == GateVerdict(facts=unknown)
    silent = film(patient_age="n/a", view_position="UNKNOWN", body_part="")
    assert check_description(silent, CHILDREN, NOTHING_STATED).facts == unknown[:3]
    # The age does not matter to a model that is not meant for one.
    assert check_description(PNG, Scope(), NOTHING_STATED).facts == unknown[1:]


def test_that_a_statement_counts_like_the_header_of_a_silent_file() -> None:
    children = check_description(PNG, CHILDREN, STATED)
    assert children == GateVerdict(
        facts=("AGE_STATED", "VIEW_STATED", "BODY_PART_STATED", "MODALITY_UNKNOWN")
    )
    adults = check_description(PNG, CHILDREN, StatedFilms((18, 120), "PA"))
    assert adults.flags == ("OUT_OF_DISTRIBUTION",)
    age, view = adults.reasons
    assert "age is 18 years or older (stated for the folder); the model is for 1 to 5" in age
    assert view == "View position is PA (stated for the folder); the model is for AP."
    assert check_description(PNG, CHILDREN, StatedFilms((0, 5))).flags == ("OUT_OF_DISTRIBUTION",)
    lateral = check_description(PNG, CHILDREN, StatedFilms(view_position="LL"))
    assert (lateral.refused, lateral.flags[0]) == (True, "NOT_FRONTAL")
    hand = check_description(PNG, CHILDREN, StatedFilms(body_part="HAND"))
    assert "examined is HAND (stated for the folder), not the chest." in hand.reasons[0]


def test_that_a_header_that_contradicts_the_statement_wins_and_is_flagged() -> None:
    adult = film(patient_age="041Y", view_position="PA", body_part="THORAX")
    verdict = check_description(adult, Scope(), STATED)
    assert verdict.flags == ("STATED_AGE_CONTRADICTED", "STATED_VIEW_CONTRADICTED")
    assert verdict.reasons == (
        "The patient's age is 41 years; stated for the folder is 1 to 5 years.",
        "The view is PA; stated for the folder is AP.",
    )
    assert "OUT_OF_DISTRIBUTION" in check_description(adult, CHILDREN, STATED).flags
    child = film(patient_age="004Y", view_position="AP SUPINE", body_part="CHEST")
    assert check_description(child, CHILDREN, STATED) == GateVerdict()
