"""The verdict in the findings panel: "In scope" only where the film was compared."""

from __future__ import annotations

from dataclasses import replace

from tests.fragile import CARD, PREDICTION
from xrayview.domain.events import FilmResult
from xrayview.domain.model import GateVerdict, Scope
from xrayview.domain.population import population_text
from xrayview.domain.stated import StatedFilms
from xrayview.errors import Status, StatusCode
from xrayview.ui.findings.state import (
    FindingsState,
    confidence_text,
    facts,
    has_gaps,
    population,
    reasons,
    verdict,
)
from xrayview.ui.style.verdict_icon import verdict_icon

NEAR = GateVerdict(ood_score=1.0, ood_percentile=40.0, ood_text="Further than 40.0 %")
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
    assert reason == "Further than 40.0 %."


def test_that_what_the_file_does_not_say_is_beside_the_verdict() -> None:
    silent = replace(NEAR, facts=("AGE_UNKNOWN", "VIEW_UNKNOWN"))
    state = classified(silent, message="Age, view: not in the file")
    assert verdict(state) == "In scope"
    assert facts(state) == ("Age, view: not in the file",)
    assert reasons(state) == ("Further than 40.0 %.",)
    assert has_gaps(state)
    assert state.result is not None
    assert verdict_icon(state.result)[0] != "ok"
    whole = classified(NEAR)
    assert (facts(whole), has_gaps(whole)) == ((), False)
    assert whole.result is not None
    assert verdict_icon(whole.result)[0] == "ok"


def test_that_a_statement_can_be_changed_where_it_fills_the_gaps() -> None:
    stated = classified(replace(NEAR, facts=("AGE_STATED", "VIEW_STATED")))
    state = replace(stated, stated=StatedFilms((1, 5), "AP"))
    assert facts(state) == ("Age, view: stated for the folder", "Stated: 1 to 5 years, AP")
    assert has_gaps(state)


def test_that_the_population_of_the_model_is_told() -> None:
    card = replace(
        CARD,
        scope=Scope((1, 5), view_positions=("AP",)),
        training={"film_sources": {"kermany": 5840}, "counts": {"train": {"films": 4678}}},
    )
    assert population(card) == "For children of 1 to 5 years, AP\nTrained on 4,678 films, Kermany"
    assert population(CARD) == "The card does not state for whom it is"
    assert population_text(Scope((18, 120))) == "adults of 18 years or older"
    assert population_text(Scope((0, 90), ("CR", "DX"))) == "patients of 0 to 90 years, CR or DX"
    assert population(replace(CARD, training={"counts": 3, "film_sources": []})) == population(CARD)


def test_that_a_caution_has_only_its_reason() -> None:
    state = classified(UNLIKE, Status.WARN, "Unlike.")
    assert verdict(state) == "Caution"
    assert reasons(state) == ("Unlike.",)


def test_that_each_reason_and_the_rest_of_the_message_have_a_line_of_their_own() -> None:
    reasons_of_gate = ("View position is PA; the model is for AP.", "The patient is 8 years old.")
    gate = replace(UNLIKE, reasons=reasons_of_gate)
    message = " ".join((*reasons_of_gate, "The film was cropped."))
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
