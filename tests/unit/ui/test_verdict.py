"""What the findings panel says of the gate: yes only where the film was compared."""

from __future__ import annotations

from dataclasses import replace

from tests.fragile import PREDICTION
from xrayview.domain.events import FilmResult
from xrayview.domain.model import GateVerdict
from xrayview.errors import Status, StatusCode
from xrayview.ui.findings.state import FindingsState, reasons, sure_line, verdict

NEAR = GateVerdict(ood_score=1.0, ood_percentile=40.0)
DOUBT = GateVerdict(
    flags=("OUT_OF_DISTRIBUTION",), reasons=("Unlike.",), ood_score=9.0, ood_percentile=99.8
)


def judged(gate: GateVerdict, status: Status = Status.OK, message: str = "") -> FindingsState:
    result = FilmResult("a.png", status, StatusCode.OK, message, prediction=PREDICTION, gate=gate)
    return FindingsState("judged", message, result)


def test_that_a_film_that_was_not_compared_is_never_called_fit_to_judge() -> None:
    state = judged(GateVerdict())
    assert verdict(state) == "May judge: not checked"
    assert "no statistics" in reasons(state)[-1]


def test_that_a_film_like_the_training_films_is_told_with_its_place() -> None:
    state = judged(NEAR)
    assert verdict(state) == "May judge: yes"
    assert reasons(state) == ("Like the training films: closer than 60 % of the validation films.",)


def test_that_a_doubt_is_told_with_its_reason_alone() -> None:
    state = judged(DOUBT, Status.WARN, "Unlike.")
    assert verdict(state) == "May judge: with doubt"
    assert reasons(state) == ("Unlike.",)


def test_that_a_refusal_is_a_no() -> None:
    state = replace(judged(DOUBT, Status.REFUSED, "Unlike."), kind="refused")
    assert verdict(state) == "May judge: no"


def test_that_a_score_is_not_called_sure_on_a_film_unlike_the_training_films() -> None:
    sure = replace(PREDICTION, uncertainty=0.01, gate=NEAR)
    assert sure_line(sure).startswith("Sure: high")
    assert "cannot be told" in sure_line(replace(sure, gate=DOUBT))
