"""The quantity that a heat map explains, and the errors of `explain`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bundles import Tiny, export, network_for, tiny_card
from xrayview.domain.film import FilmRef
from xrayview.domain.model import Finding, ModelCard, ModelInput, OperatingPoint, PreprocessSpec
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.errors import ModelError
from xrayview.inference.classifier import classify
from xrayview.inference.explain import explain, explained_direction
from xrayview.inference.loading import load
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

PAIR = (Finding("Normal", abnormal=False), Finding("Pneumonia"))
THREE = (Finding("A"), Finding("B"), Finding("C"))


def halves(card: ModelCard) -> ModelInput:
    """A film that is bright in its upper half."""
    pixels = np.zeros((120, 90), np.uint16)
    pixels[:60] = 1000
    film = Radiograph(FilmRef(Path("film.png"), "film.png"), pixels, Greyscale())
    return Preprocessor(card.preprocessing)(film)


def loaded(tmp_path: Path, card: ModelCard, outputs: int | None = None, **options: Any) -> Runtime:
    network = Tiny(1, outputs) if outputs else network_for(card)
    return load(export(network, tmp_path / "m.pt", card, **options), card, "cpu")


def test_that_sigmoid_explains_the_logit_of_the_finding() -> None:
    card = tiny_card(task="multilabel", findings=THREE)
    np.testing.assert_array_equal(explained_direction(card, 1, 3), [0, 1, 0])


def test_that_one_logit_of_a_pair_is_explained_with_its_sign() -> None:
    card = tiny_card(findings=PAIR)
    np.testing.assert_array_equal(explained_direction(card, 1, 1), [1])
    np.testing.assert_array_equal(explained_direction(card, 0, 1), [-1])


def test_that_softmax_explains_what_a_common_shift_does_not_change() -> None:
    pair = tiny_card(findings=PAIR, activation="softmax")
    np.testing.assert_array_equal(explained_direction(pair, 1, 2), [-1, 1])
    three = tiny_card(task="multiclass", activation="softmax", findings=THREE)
    np.testing.assert_array_equal(explained_direction(three, 2, 3), [-0.5, -0.5, 1])


@pytest.mark.parametrize(
    ("activation", "outputs"), [("sigmoid", 1), ("sigmoid", 2), ("softmax", 2)]
)
def test_that_the_evidence_for_the_two_findings_of_a_pair_does_not_overlap(
    tmp_path: Path, activation: Any, outputs: int
) -> None:
    card = tiny_card(findings=PAIR, activation=activation)
    runtime, film = loaded(tmp_path, card, outputs), halves(card)
    pneumonia = explain(runtime, card, film, "Pneumonia").values_hw
    normal = explain(runtime, card, film, "Normal").values_hw
    assert pneumonia[:4].sum() > 0
    assert pneumonia[4:].sum() == 0
    assert normal[:4].sum() == 0
    assert normal[4:].sum() > 0


def test_that_the_score_and_the_threshold_are_those_of_the_prediction(tmp_path: Path) -> None:
    card = tiny_card(findings=PAIR, operating_points=(OperatingPoint("Pneumonia", "a", 0.3, "t"),))
    runtime, film = loaded(tmp_path, card), halves(card)
    (prediction,) = classify(runtime, card, (film,))
    for index, finding in enumerate(PAIR):
        heat_map = explain(runtime, card, film, finding.name)
        assert heat_map.score == prediction.scores[index]
        assert heat_map.threshold == prediction.thresholds[index]


def test_that_a_finding_that_is_not_in_the_card_is_refused(tmp_path: Path) -> None:
    card = tiny_card()
    with pytest.raises(ModelError, match=r"does not score 'Mass'.*Choose one of Opacity"):
        explain(loaded(tmp_path, card), card, halves(card), "Mass")


def test_that_an_input_for_another_model_is_refused(tmp_path: Path) -> None:
    card = tiny_card()
    with pytest.raises(ModelError, match="another model"):
        explain(
            loaded(tmp_path, card), card, replace(halves(card), preprocessing_id="x"), "Opacity"
        )


def test_that_a_gradient_that_is_not_finite_is_an_error(tmp_path: Path) -> None:
    class RootOfZero(Tiny):
        def forward_head(self, features_BDhw: Any) -> Any:
            root_of_zero = (features_BDhw - features_BDhw.detach()).sqrt()
            return super().forward_head(features_BDhw + root_of_zero)

    card = tiny_card()
    runtime = load(export(network_for(card, RootOfZero), tmp_path / "m.pt", card), card, "cpu")
    with pytest.raises(ModelError, match=r"film\.png.*not finite") as caught:
        explain(runtime, card, halves(card), "Opacity")
    assert caught.value.hint


def test_that_the_flip_average_is_explained_as_it_is_scored(tmp_path: Path) -> None:
    class LeftOnly(Tiny):
        def forward_head(self, features_BDhw: Any) -> Any:
            return super().forward_head(features_BDhw[..., : features_BDhw.shape[-1] // 2])

    plain = tiny_card(preprocessing=PreprocessSpec(size=(64, 64), fit="stretch"))
    runtime = load(export(network_for(plain, LeftOnly), tmp_path / "m.pt", plain), plain, "cpu")
    averaged = explain(runtime, replace(plain, flip_average=True), halves(plain), "Opacity")
    # The mirror image shows the network the right half: the map is as symmetric as the film.
    np.testing.assert_allclose(averaged.values_hw, averaged.values_hw[:, ::-1], atol=1e-6)
    assert averaged.has_evidence
