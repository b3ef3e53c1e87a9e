"""The verdict in the findings panel: "In scope" only where the film was compared."""

from __future__ import annotations

from dataclasses import replace

from tests.fragile import PREDICTION
from xrayview.domain.events import FilmResult
from xrayview.domain.model import GateVerdict
from xrayview.errors import Status, StatusCode
from xrayview.ui.findings.state import FindingsState, confidence_text, reasons, verdict

NEAR = GateVerdict(ood_score=1.0, ood_percentile=40.0)
UNLIKE = GateVerdict(
    flags=("OUT_OF_DISTRIBUTION",), reasons=("Unlike.",), ood_score=9.0, ood_percentile=99.8
)


def classified(gate: GateVerdict, status: Status = Status.OK, message: str = "") -> FindingsState:
    result = FilmResult("a.png", status, StatusCode.OK, message, prediction=PREDICTION, gate=gate)
    return FindingsState("classified", message, result)


def test_that_a_film_that_was_not_compared_is_never_in_scope() -> None:
    state = classified(GateVerdict())
    assert verdict(state) == "Scope not checked"
    assert "no statistics" in reasons(state)[-1]


def test_that_a_film_like_the_training_films_is_in_scope_with_its_percentile() -> None:
    state = classified(NEAR)
    assert verdict(state) == "In scope"
    (reason,) = reasons(state)
    assert reason == "Closer to the training films than 60 % of the validation films."


def test_that_a_caution_has_only_its_reason() -> None:
    state = classified(UNLIKE, Status.WARN, "Unlike.")
    assert verdict(state) == "Caution"
    assert reasons(state) == ("Unlike.",)


def test_that_each_reason_and_the_rest_of_the_message_have_a_line_of_their_own() -> None:
    reasons_of_gate = ("View position is PA; the model is for AP.", "The patient is 8 years old.")
    gate = replace(UNLIKE, reasons=reasons_of_gate)
    message = "; ".join((*reasons_of_gate, "The film was cropped."))
    assert reasons(classified(gate, Status.WARN, message)) == (
        *reasons_of_gate,
        "The film was cropped.",
    )


def test_that_a_refused_film_is_out_of_scope() -> None:
    state = replace(classified(UNLIKE, Status.REFUSED, "Unlike."), kind="refused")
    assert verdict(state) == "Out of scope"


def test_that_confidence_is_unknown_on_a_film_unlike_the_training_films() -> None:
    sure = replace(PREDICTION, uncertainty=0.01, gate=NEAR)
    assert confidence_text(sure) == "Confidence: high (entropy 0.01)"
    assert "Confidence: unknown" in confidence_text(replace(sure, gate=UNLIKE))
