"""Scores, flags and predictions follow from logits and card; a failure never becomes a score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bundles import GAIN, Tiny, export, network_for, tiny_card, write_bundle
from xrayview.domain.model import (
    Affine,
    Calibration,
    Finding,
    ModelCard,
    ModelInput,
    OperatingPoint,
)
from xrayview.domain.operating_points import thresholds_of
from xrayview.errors import ModelError
from xrayview.inference.classifier import BATCH_FILMS, classify, uncertainty
from xrayview.inference.loading import load
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

PAIR = (Finding("Normal", abnormal=False), Finding("Pneumonia"))
THREE = (Finding("A"), Finding("B"), Finding("C"))


def grey(level: float, card: ModelCard, name: str = "film.png") -> ModelInput:
    """A film with one grey value: with Tiny, the last logit is GAIN * (level - 0.5)."""
    return film_input(np.full(card.preprocessing.size, level, np.float32), card, name)


def film_input(grey_HW: np.ndarray, card: ModelCard, name: str = "film.png") -> ModelInput:
    preprocessor = Preprocessor(card.preprocessing)
    return ModelInput(
        film_id=f"{name}#0",
        x_CHW=preprocessor.finish(grey_HW),
        film_to_input=Affine(1.0, 1.0),
        film_size=card.preprocessing.size,
        preprocessing_id=preprocessor.preprocessing_id,
    )


def loaded(tmp_path: Path, card: ModelCard, outputs: int | None = None) -> Runtime:
    network = network_for(card)
    if outputs is not None:
        network = Tiny(card.preprocessing.channels, outputs)
    return load(export(network, tmp_path / "model.pt", card), card, "cpu")


def test_that_a_prediction_names_film_model_and_device(tmp_path: Path) -> None:
    card = tiny_card()
    runtime = loaded(tmp_path, card)
    (prediction,) = classify(runtime, card, (grey(0.6, card, "a/b#c.png"),))
    assert prediction.film_id == "a/b#c.png#0"
    assert prediction.model_sha256 == runtime.sha256
    assert (prediction.device, prediction.precision) == ("cpu", "float32")
    assert prediction.findings == ("Opacity",)


def test_that_a_prediction_has_logits_and_calibrated_scores(tmp_path: Path) -> None:
    card = tiny_card(calibration=Calibration("temperature", (4.0,)))
    (prediction,) = classify(loaded(tmp_path, card), card, (grey(0.6, card),))
    assert prediction.logits == pytest.approx((0.1 * GAIN,), rel=1e-5)
    assert prediction.scores == pytest.approx((1 / (1 + np.exp(-0.1 * GAIN / 4)),), rel=1e-5)


def test_that_no_inputs_give_no_predictions(tmp_path: Path) -> None:
    assert classify(loaded(tmp_path, tiny_card()), tiny_card(), ()) == ()


def test_that_predictions_come_in_the_order_of_the_inputs(tmp_path: Path) -> None:
    card = tiny_card()
    levels = np.linspace(0, 1, 2 * BATCH_FILMS + 3)
    inputs = [grey(level, card, f"{i}.png") for i, level in enumerate(levels)]
    predictions = classify(loaded(tmp_path, card), card, inputs)
    assert [p.film_id for p in predictions] == [i.film_id for i in inputs]
    np.testing.assert_allclose([p.logits[0] for p in predictions], GAIN * (levels - 0.5), atol=1e-4)


@pytest.mark.parametrize(("level", "flag"), [(0.6, True), (0.5, True), (0.4, False)])
def test_that_a_finding_is_flagged_at_and_above_its_operating_point(
    tmp_path: Path, level: float, flag: bool
) -> None:
    card = tiny_card(operating_points=(OperatingPoint("Opacity", "op", 0.5, "test"),))
    (prediction,) = classify(loaded(tmp_path, card), card, (grey(level, card),))
    assert prediction.thresholds == (0.5,)
    assert prediction.flags == (flag,)
    assert prediction.predicted == ("Opacity" if flag else "")


def test_that_a_multilabel_model_predicts_all_its_flagged_findings(tmp_path: Path) -> None:
    points = (OperatingPoint("A", "op", 1e-6, "test"), OperatingPoint("B", "op", 0.4, "test"))
    card = tiny_card(task="multilabel", findings=THREE, operating_points=points)
    (prediction,) = classify(loaded(tmp_path, card), card, (grey(0.6, card),))
    assert prediction.thresholds == (1e-6, 0.4, 0.5)
    assert prediction.predicted == "A|B|C"


def test_that_a_multiclass_model_predicts_its_top_finding(tmp_path: Path) -> None:
    points = (OperatingPoint("A", "op", 0.0, "test"),)
    card = tiny_card(
        task="multiclass", activation="softmax", findings=THREE, operating_points=points
    )
    (prediction,) = classify(loaded(tmp_path, card), card, (grey(0.7, card),))
    assert prediction.predicted == "C"
    assert prediction.flags == (True, False, True)
    assert sum(prediction.scores) == pytest.approx(1)


@pytest.mark.parametrize(
    ("activation", "outputs"), [("sigmoid", 1), ("sigmoid", 2), ("softmax", 2)]
)
@pytest.mark.parametrize("level", [0.3, 0.499, 0.5, 0.501, 0.7])
def test_that_a_binary_pair_is_decided_once_at_one_operating_point(
    tmp_path: Path, activation: Any, outputs: int, level: float
) -> None:
    points = (OperatingPoint("Pneumonia", "sensitive", 0.2, "test"),)
    card = tiny_card(findings=PAIR, activation=activation, operating_points=points)
    (prediction,) = classify(loaded(tmp_path, card, outputs), card, (grey(level, card),))
    assert prediction.thresholds == pytest.approx((0.8, 0.2))
    assert sum(prediction.scores) == pytest.approx(1)
    pneumonia = prediction.scores[1] >= 0.2
    assert prediction.flags == (not pneumonia, pneumonia)
    assert prediction.predicted == ("Pneumonia" if pneumonia else "Normal")


def test_that_a_single_logit_is_that_of_the_abnormal_finding(tmp_path: Path) -> None:
    for findings in (PAIR, PAIR[::-1]):
        card = tiny_card(findings=findings)
        (prediction,) = classify(loaded(tmp_path, card, 1), card, (grey(0.7, card),))
        logits = dict(zip(prediction.findings, prediction.logits, strict=True))
        assert logits == pytest.approx({"Pneumonia": 0.2 * GAIN, "Normal": -0.2 * GAIN}, rel=1e-5)


def test_that_a_pair_with_two_operating_points_keeps_both() -> None:
    points = (
        OperatingPoint("Normal", "a", 0.9, "test"),
        OperatingPoint("Pneumonia", "b", 0.7, "t"),
    )
    assert thresholds_of(tiny_card(findings=PAIR, operating_points=points)) == (0.9, 0.7)
    assert thresholds_of(tiny_card(findings=PAIR)) == (0.5, 0.5)


def test_that_uncertainty_runs_from_certain_to_undecided() -> None:
    sigmoid = tiny_card(task="multilabel", findings=THREE)
    softmax = tiny_card(task="multiclass", activation="softmax", findings=THREE)
    assert uncertainty(np.array([1.0, 0.0, 0.0]), softmax) == 0
    assert uncertainty(np.full(3, 1 / 3), softmax) == pytest.approx(1)
    assert uncertainty(np.array([0.0, 1.0, 1.0]), sigmoid) == 0
    assert uncertainty(np.array([0.5, 0.5, 0.5]), sigmoid) == pytest.approx(1)
    assert uncertainty(np.array([0.5, 0.0, 0.0]), sigmoid) == pytest.approx(1 / 3)


def test_that_the_flip_average_is_the_mean_of_both_logits(tmp_path: Path) -> None:
    class LeftOnly(Tiny):
        def forward_head(self, features_BDhw: Any) -> Any:
            return super().forward_head(features_BDhw[..., : features_BDhw.shape[-1] // 2])

    card = tiny_card(flip_average=True)
    runtime = load(export(network_for(card, LeftOnly), tmp_path / "m.pt", card), card, "cpu")
    split = np.zeros((64, 64), np.float32)
    split[:, :32], split[:, 32:] = 0.9, 0.3
    (mean,) = classify(runtime, card, (film_input(split, card),))
    assert mean.logits == pytest.approx((GAIN * (0.6 - 0.5),), rel=1e-4)
    (plain,) = classify(runtime, replace(card, flip_average=False), (film_input(split, card),))
    assert plain.logits == pytest.approx((GAIN * (0.9 - 0.5),), rel=1e-4)


def test_that_nan_is_an_error_that_names_the_film(tmp_path: Path) -> None:
    card = tiny_card()
    good, bad = grey(0.5, card, "good.png"), grey(0.5, card, "folder/bad.png")
    bad.x_CHW[0, 3, 3] = np.nan
    with pytest.raises(ModelError, match=r"bad\.png.*no valid result") as caught:
        classify(loaded(tmp_path, card), card, (good, bad))
    assert caught.value.path == Path("folder/bad.png")
    assert caught.value.hint


def test_that_an_input_of_another_shape_is_refused(tmp_path: Path) -> None:
    card = tiny_card()
    other = replace(grey(0.5, card), x_CHW=np.zeros((1, 32, 32), np.float32))
    with pytest.raises(ModelError, match=r"film\.png.*another model.*\(1, 32, 32\)"):
        classify(loaded(tmp_path, card), card, (other,))


def test_that_an_input_of_another_preprocessing_is_refused(tmp_path: Path) -> None:
    card = tiny_card()
    with pytest.raises(ModelError, match=r"another model.*its preprocessing is abc"):
        classify(loaded(tmp_path, card), card, (replace(grey(0.5, card), preprocessing_id="abc"),))


def test_that_three_channels_are_classified(tmp_path: Path) -> None:
    card = tiny_card(preprocessing=replace(tiny_card().preprocessing, channels=3))
    runtime = load(write_bundle(tmp_path / "m.pt", preprocessing=card.preprocessing), card, "cpu")
    (prediction,) = classify(runtime, card, (grey(0.7, card),))
    assert prediction.logits == pytest.approx((0.2 * GAIN,), rel=1e-4)
