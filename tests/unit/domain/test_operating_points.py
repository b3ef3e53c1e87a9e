"""Flags at the card's operating points and at the user's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef
from xrayview.domain.model import (
    Finding,
    ModelCard,
    OperatingPoint,
    Prediction,
    PreprocessSpec,
    Task,
)
from xrayview.domain.operating_points import (
    OWN,
    apply_own_points,
    effective_point,
    flags_at,
    move_own_point,
    predicted_findings,
    thresholds_of,
)
from xrayview.engine.protocol import ModelReady, ModelRef
from xrayview.errors import Status, StatusCode
from xrayview.services.session import Session

PAIR = (Finding("Normal", abnormal=False), Finding("Opacity"))
CHOSEN = OperatingPoint("Opacity", "youden", 0.7, "chosen on the validation films")


def card_of(task: Task = "binary", *points: OperatingPoint) -> ModelCard:
    return ModelCard(
        1, "tiny", "1", task, "softmax", PAIR, PreprocessSpec((8, 8)), operating_points=points
    )


def prediction_of(card: ModelCard, normal: float, opacity: float) -> Prediction:
    scores, thresholds = (normal, opacity), thresholds_of(card)
    flags = flags_at(card, scores, thresholds)
    name = predicted_findings(card, scores, flags)
    return Prediction(
        "a.png#0", "m1", ("Normal", "Opacity"), scores, (0.0, 0.0), thresholds, flags, name, 0.5,
        "cpu", "float32",
    )  # fmt: skip


def test_that_an_own_point_changes_flags_but_not_scores() -> None:
    card = card_of("binary", CHOSEN)
    before = prediction_of(card, 0.4, 0.6)
    after = apply_own_points(before, card, {"Opacity": 0.55})
    assert (before.predicted, after.predicted) == ("Normal", "Opacity")
    assert after.thresholds == (pytest.approx(0.45), 0.55)
    assert (after.scores, after.logits) == (before.scores, before.logits)


def test_that_the_point_of_the_card_changes_nothing() -> None:
    card = card_of("binary", CHOSEN)
    before = prediction_of(card, 0.4, 0.6)
    assert apply_own_points(before, card, {}) is before


def test_that_a_score_on_the_threshold_is_flagged() -> None:
    card = card_of("multilabel")
    assert flags_at(card, (0.5, 0.2), (0.5, 0.3)) == (True, False)


def test_that_a_multiclass_prediction_is_the_top_finding_at_any_operating_point() -> None:
    card = card_of("multiclass", CHOSEN)
    assert (
        apply_own_points(prediction_of(card, 0.4, 0.6), card, {"Opacity": 0.9}).predicted
        == "Opacity"
    )


def test_that_a_point_says_how_it_was_chosen() -> None:
    card = card_of("binary", CHOSEN)
    assert effective_point(card, {}, "Opacity") == CHOSEN
    own = effective_point(card, {"Opacity": 0.2}, "Opacity")
    assert (own.name, own.threshold) == (OWN, 0.2)
    assert own.sensitivity is own.specificity is None
    other = effective_point(card, {}, "Normal")
    assert (other.threshold, other.chosen_by) == (pytest.approx(0.3), "complement of Opacity's")


def test_that_moving_one_of_a_pair_moves_the_other() -> None:
    card = card_of("binary", CHOSEN)
    own = move_own_point(card, {}, "Normal", 0.25)
    assert own == {"Opacity": 0.75}
    assert effective_point(card, own, "Normal").name == OWN
    assert move_own_point(card, own, "Normal", None) == {}


def test_that_the_points_of_a_multilabel_model_move_independently() -> None:
    card = card_of("multilabel", CHOSEN)
    assert move_own_point(card, {"Opacity": 0.9}, "Normal", 0.25) == {
        "Opacity": 0.9,
        "Normal": 0.25,
    }


def test_that_the_session_flags_at_the_own_point_until_it_is_reset() -> None:
    session, card = Session(), card_of("binary", CHOSEN)
    film = FilmRef(Path("a.png"), "a.png", format="png")
    session.open_folder(Path(), [film], [])
    session.open_model(ModelReady(ModelRef(Path("m.pt"), "m1"), card, "cpu", "CPU", "float32", ()))
    prediction = replace(prediction_of(card, 0.4, 0.6), film_id=film.film_id)
    result = FilmResult("a.png", Status.OK, StatusCode.OK, ref=film, prediction=prediction)
    session.accept_result(result, "m1")
    session.move_point("Opacity", 0.5)
    assert session.result(film).prediction.predicted == "Opacity"
    session.move_point("Opacity", None)
    assert session.result(film) is result


def test_that_an_own_point_belongs_to_its_model() -> None:
    session, card = Session(), card_of("binary", CHOSEN)
    for sha256 in ("m1", "m2"):
        ref = ModelRef(Path("m.pt"), sha256)
        session.open_model(ModelReady(ref, card, "cpu", "CPU", "float32", ()))
        if sha256 == "m1":
            session.move_point("Opacity", 0.1)
    assert session.own_points == {}
