"""Model cards: every field is checked, and every problem is listed with its path."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bundles import tiny_card
from xrayview.domain.model import (
    Calibration,
    Finding,
    ModelCard,
    OperatingPoint,
    PreprocessSpec,
    Scope,
)
from xrayview.errors import ModelError
from xrayview.io.model.bundle import card_from_json, card_to_json
from xrayview.io.model.card import card_from_plain

FULL = ModelCard(
    schema=1,
    name="three findings",
    version="2.1",
    task="multilabel",
    activation="sigmoid",
    findings=(
        Finding("Effusion", "fluid"),
        Finding("Nodule"),
        Finding("No Finding", abnormal=False),
    ),
    preprocessing=PreprocessSpec(
        size=(320, 256),
        channels=3,
        source="full_range",
        percentiles=(1.0, 99.0),
        fit="stretch",
        interpolation="cubic",
        equalize="clahe",
        standardize="fixed",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        value_range=(0.0, 255.0),
    ),
    description="d",
    authors="a",
    licence="l",
    created_utc="2024-01-01T00:00:00Z",
    intended_use="research",
    limitations="many",
    flip_average=True,
    calibration=Calibration("temperature", (1.5, 0.75, 2.0), "validation"),
    operating_points=(OperatingPoint("Nodule", "youden", 0.31, "validation", 0.8, None),),
    explain={"method": "grad-cam", "stride": 16},
    gate={"method": "mahalanobis", "threshold": 12.5},
    scope=Scope((1.0, 5.0), ("DX",), ("CHEST",), ("AP", "PA")),
    training={"recipe": "r", "counts": {"train": {"Nodule": 3}}},
    metrics={"test": {"auc": {"value": 0.9, "low": 0.8, "high": 0.95, "n": 624}}},
    reference={"histogram": [1, 2, 3]},
)


def card_json(card: ModelCard = FULL) -> dict[str, Any]:
    return card_to_json(card)


def put(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with `value` at a path such as `findings.1.name`; `...` removes the key."""
    changed = copy.deepcopy(data)
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    target: Any = changed
    for key in parents:
        target = target[key]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return changed


@pytest.mark.parametrize("card", [FULL, tiny_card()], ids=["full", "tiny"])
def test_that_a_card_survives_a_round_trip_through_json(card: ModelCard) -> None:
    assert card_from_json(json.loads(json.dumps(card_to_json(card)))) == card


def test_that_flip_average_is_stored_under_inference() -> None:
    assert card_json()["inference"] == {"flip_average": True, "outputs": "logits"}
    assert "flip_average" not in card_json()


def test_that_missing_fields_have_their_defaults() -> None:
    data = {
        key: card_json()[key]
        for key in ("schema", "name", "version", "task", "activation", "findings")
    }
    card = card_from_json({**data, "preprocessing": {"size": [224, 224]}})
    assert card.preprocessing == PreprocessSpec(size=(224, 224))
    assert card.calibration == Calibration()
    assert card.flip_average is False


def test_that_integers_are_accepted_as_numbers() -> None:
    data = put(card_json(), "preprocessing.value_range", [0, 255])
    assert card_from_json(data).preprocessing.value_range == (0.0, 255.0)
    assert card_from_json(put(data, "preprocessing.channels", 3.0)).preprocessing.channels == 3


def test_that_a_single_temperature_does_not_need_a_list() -> None:
    assert card_from_json(put(card_json(), "calibration.temperature", 2)).calibration == (
        Calibration("temperature", (2.0,), "validation")
    )


def test_that_unknown_keys_are_ignored() -> None:
    data = put(put(card_json(), "later", {"a": 1}), "findings.0.colour", "red")
    assert card_from_json(data) == FULL


PROBLEMS: list[tuple[str, Any, str]] = [
    ("schema", ..., "schema: missing"),
    ("schema", 2, "schema: 2 is unknown"),
    ("name", ..., "name: missing"),
    ("name", "", "name: must be one line of text"),
    ("name", "two\nlines", "name: must be one line of text"),
    ("version", 1.0, "version: must be one line of text"),
    ("task", "regression", "task: must be one of binary, multiclass, multilabel"),
    ("activation", "relu", "activation: must be one of softmax, sigmoid"),
    ("findings", [], "findings: must be a list of 1"),
    ("findings", {}, "findings: must be a list"),
    ("findings.2.name", ..., "findings[2].name: missing"),
    ("findings.1", "Nodule", "findings[1]: must be an object"),
    ("findings.1.name", "Effusion", "findings: two have the same name"),
    ("findings.1.synonyms", ["effusion"], "findings: a synonym of one also means another"),
    ("findings.1.synonyms", "fluid", "findings[1].synonyms: must be a list"),
    ("findings.1.name", "A|B", "findings[1].name: must not contain |"),
    ("findings.0.abnormal", 1, "findings[0].abnormal: must be true or false"),
    ("findings.0.description", None, "findings[0].description: must be a text"),
    ("preprocessing", ..., "preprocessing: missing"),
    ("preprocessing", [], "preprocessing: must be an object"),
    ("preprocessing.size", ..., "preprocessing.size: missing"),
    ("preprocessing.size", [224], "preprocessing.size: must be a list of 2"),
    ("preprocessing.size.1", 0, "preprocessing.size[1]: must be a whole number in 8..4096"),
    ("preprocessing.size.1", 224.5, "preprocessing.size[1]: must be a whole number"),
    ("preprocessing.size.1", True, "preprocessing.size[1]: must be a whole number"),
    ("preprocessing.size.0", 10**9, "preprocessing.size[0]: must be a whole number"),
    ("preprocessing.channels", 2, "preprocessing.channels: must be one of 1, 3"),
    ("preprocessing.channels", True, "preprocessing.channels: must be one of 1, 3"),
    ("preprocessing.fit", "squash", "preprocessing.fit: must be one of letterbox"),
    ("preprocessing.source", None, "preprocessing.source: must be one of"),
    ("preprocessing.interpolation", [], "preprocessing.interpolation: must be one of"),
    ("preprocessing.equalize", "yes", "preprocessing.equalize: must be one of"),
    ("preprocessing.standardize", "batch", "preprocessing.standardize: must be one of"),
    (
        "preprocessing.mean",
        [1, 2],
        "preprocessing.mean: must be one value, or one for each",
    ),
    ("preprocessing.mean", ["a"], "preprocessing.mean[0]: must be a number"),
    ("preprocessing.std", [0.0], "preprocessing.std[0]: must be a number above 0"),
    ("preprocessing.std", [1, 1], "preprocessing.std: must be one value, or one for each channel"),
    ("preprocessing.percentiles", [99, 1], "preprocessing.percentiles: the first must be lower"),
    ("preprocessing.percentiles", [0, 101], "preprocessing.percentiles[1]: must be a number"),
    ("preprocessing.value_range", [1, 1], "preprocessing.value_range: the first must be lower"),
    ("preprocessing.value_range", [0, 10**400], "preprocessing.value_range[1]: must be"),
    ("preprocessing.version", 2, "preprocessing.version: must be one of 1"),
    ("inference", {"flip_average": "no"}, "inference.flip_average: must be true or false"),
    ("calibration.temperature", [1.0, 2.0], "calibration.temperature: must be one value, or"),
    ("calibration.temperature", [0.0], "calibration.temperature[0]: must be a number above 0"),
    ("calibration.temperature", float("nan"), "calibration.temperature[0]: must be a number"),
    ("calibration.method", "platt", "calibration.method: must be one of none, temperature"),
    ("operating_points.0.finding", "Mass", "operating_points[0].finding: 'Mass' is not one of"),
    ("operating_points.0.threshold", ..., "operating_points[0].threshold: missing"),
    ("operating_points.0.threshold", 31, "operating_points[0].threshold: must be a number in 0..1"),
    ("operating_points.0.sensitivity", -1, "operating_points[0].sensitivity: must be a number"),
    ("explain.method", 3, "explain.method: must be a text"),
    ("gate.threshold", "high", "gate.threshold: must be a number"),
    ("scope.age_years", [5], "scope.age_years: must be empty, or the youngest"),
    ("scope.age_years", [5, 1], "scope.age_years: must be empty, or the youngest"),
    ("training", "recipe", "training: must be an object"),
    ("metrics.test.auc.value", "0.9", "metrics.test.auc.value: must be a number or null"),
    ("metrics.test.auc", 0.9, "metrics.test.auc: must be an object"),
    ("reference", 1, "reference: must be an object"),
]


@pytest.mark.parametrize(("path", "value", "problem"), PROBLEMS)
def test_that_a_problem_is_reported_with_its_path(path: str, value: Any, problem: str) -> None:
    with pytest.raises(ModelError) as caught:
        card_from_json(put(card_json(), path, value))
    assert caught.value.why.startswith(problem)
    assert caught.value.hint


def test_that_all_problems_are_reported_at_once() -> None:
    data = put(put(card_json(), "findings.0.name", ...), "preprocessing.fit", "squash")
    with pytest.raises(ModelError, match=r"findings\[0\]\.name: missing; preprocessing\.fit: must"):
        card_from_json(data)


BINARY = tiny_card(findings=(Finding("Normal", abnormal=False), Finding("Pneumonia")))


@pytest.mark.parametrize(
    ("card", "problem"),
    [
        (replace(FULL, task="binary"), "findings: a binary model has one or two"),
        (replace(FULL, activation="softmax"), "activation: a multilabel model needs sigmoid"),
        (replace(FULL, task="multiclass"), "activation: a multiclass model needs softmax"),
        (
            replace(tiny_card(), activation="softmax"),
            "activation: softmax needs at least two findings",
        ),
        (
            replace(BINARY, findings=(Finding("A"), Finding("B"))),
            "findings: exactly one of the two findings of a binary model must be abnormal",
        ),
        (
            replace(BINARY, activation="softmax", calibration=Calibration("temperature", (1, 2))),
            "calibration.temperature: must be one value, or with sigmoid one for each finding",
        ),
    ],
)
def test_that_fields_must_agree(card: ModelCard, problem: str) -> None:
    with pytest.raises(ModelError) as caught:
        card_from_json(card_to_json(card))
    assert problem in caught.value.why


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_that_a_binary_model_with_two_findings_is_valid(activation: Any) -> None:
    card = replace(BINARY, activation=activation)
    assert card_from_json(card_to_json(card)) == card


def test_that_a_card_with_nan_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        card_to_json(replace(FULL, reference={"mean": float("nan")}))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
PATHS = sorted({path for path, _, _ in PROBLEMS})


@settings(deadline=None)
@given(plain)
def test_that_arbitrary_json_raises_a_model_error(data: Any) -> None:
    with pytest.raises(ModelError):
        card_from_json(data)


@settings(deadline=None)
@given(st.sampled_from(PATHS), plain)
def test_that_any_value_in_a_field_is_accepted_or_reported(path: str, value: Any) -> None:
    data = put(card_json(), path, value)
    card, problems = card_from_plain(data)
    assert (card is None) == bool(problems)
    assert all(problem.startswith(path.split(".")[0]) for problem in problems)
