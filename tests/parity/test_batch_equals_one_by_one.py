"""A film's prediction does not depend on the films beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bundles import Tiny, export, network_for, tiny_card
from xrayview.domain.film import FilmRef
from xrayview.domain.model import Finding, ModelCard, ModelInput
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.inference.classifier import BATCH_FILMS, classify
from xrayview.inference.runtime import load
from xrayview.preprocessing.pipeline import Preprocessor

FILMS = BATCH_FILMS + 5
CARDS = {
    "sigmoid": tiny_card(flip_average=True),
    "softmax": tiny_card(
        task="multiclass", activation="softmax", findings=(Finding("A"), Finding("B"), Finding("C"))
    ),
}


def films(card: ModelCard) -> list[ModelInput]:
    rng = np.random.default_rng(11)
    preprocessor = Preprocessor(card.preprocessing)
    return [
        preprocessor(
            Radiograph(
                FilmRef(Path(f"{i}.png"), f"{i}.png"),
                rng.integers(0, 4096, rng.integers(40, 90, 2)).astype(np.uint16),
                Greyscale(),
            )
        )
        for i in range(FILMS)
    ]


@pytest.mark.parametrize("name", CARDS)
def test_that_a_batch_equals_one_by_one_in_any_order(tmp_path: Path, name: str) -> None:
    card = CARDS[name]
    runtime = load(export(network_for(card, Tiny), tmp_path / "m.pt", card), card, "cpu")
    inputs = films(card)
    together = classify(runtime, card, inputs)
    reversed_order = classify(runtime, card, inputs[::-1])[::-1]
    alone = [classify(runtime, card, (one,))[0] for one in inputs]
    assert len({prediction.logits for prediction in together}) == FILMS
    for other in (alone, reversed_order):
        for a, b in zip(together, other, strict=True):
            assert a.logits == pytest.approx(b.logits, abs=1e-5)
            assert a.scores == pytest.approx(b.scores, abs=1e-6)
            assert replace(a, logits=(), scores=(), uncertainty=0) == replace(
                b, logits=(), scores=(), uncertainty=0
            )
