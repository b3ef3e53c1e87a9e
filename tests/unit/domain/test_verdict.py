"""The verdict on a film in words."""

from __future__ import annotations

import pytest

from xrayview.domain.events import FilmResult
from xrayview.domain.model import GateVerdict
from xrayview.domain.verdict import (
    flags_text,
    gate_texts,
    is_approved,
    list_title,
    status_title,
    title_of,
    verdict_of,
    verdict_text,
)
from xrayview.errors import Status, StatusCode

COMPARED = GateVerdict(ood_score=1.0, ood_percentile=40.0)
SILENT = GateVerdict(facts=("AGE_UNKNOWN", "VIEW_UNKNOWN"), ood_score=1.0, ood_percentile=40.0)
FAR = GateVerdict(flags=("OUT_OF_DISTRIBUTION",), reasons=("Far.",), facts=("VIEW_STATED",))


def result(status: Status, gate: GateVerdict | None, message: str = "") -> FilmResult:
    return FilmResult("a.png", status, StatusCode.OK, message, gate=gate)


@pytest.mark.parametrize(
    ("status", "gate", "verdict", "approved"),
    [
        (Status.OK, COMPARED, "In scope", True),
        (Status.OK, SILENT, "In scope", False),
        (Status.OK, GateVerdict(), "Scope not checked", False),
        (Status.WARN, COMPARED, "Caution", False),
        (Status.REFUSED, GateVerdict(refused=True), "Out of scope", False),
        (Status.ERROR, None, "Not classified", False),
    ],
)
def test_that_there_is_one_verdict_and_none_is_an_approval_of_what_was_not_checked(
    status: Status, gate: GateVerdict | None, verdict: str, approved: bool
) -> None:
    assert verdict_of(result(status, gate)) == verdict
    assert is_approved(result(status, gate)) is approved


def test_that_a_status_has_the_verdict_of_its_films() -> None:
    assert status_title(Status.OK, compares=True) == "In scope"
    assert status_title(Status.OK, compares=False) == "Scope not checked"
    assert status_title(Status.WARN, compares=False) == "Caution"
    assert status_title(Status.ERROR) == list_title(result(Status.ERROR, None)) == "Error"


def test_that_without_a_model_there_is_no_verdict() -> None:
    assert title_of(result(Status.OK, None)) == "ok"
    assert title_of(result(Status.REFUSED, GateVerdict(refused=True))) == "Out of scope"


def test_that_what_the_file_does_not_say_is_told_after_the_reasons() -> None:
    assert gate_texts(SILENT) == ("Age, view: not in the file",)
    assert gate_texts(FAR) == ("Far.", "View: stated for the folder")
    assert gate_texts(GateVerdict(facts=("AGE_FROM_BIRTH_DATE",))) == ("Age: from the birth date",)
    assert flags_text(FAR) == "OUT_OF_DISTRIBUTION|VIEW_STATED"


def test_that_a_caption_has_the_verdict_with_its_reasons() -> None:
    assert verdict_text(result(Status.OK, SILENT)) == "In scope · Age, view: not in the file"
    expected = "Caution: Far. · View: stated for the folder"
    assert verdict_text(result(Status.WARN, FAR)) == expected
    cropped = result(Status.WARN, COMPARED, "The film was cropped.")
    assert verdict_text(cropped) == "Caution: The film was cropped."
