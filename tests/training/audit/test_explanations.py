"""The sentence of an audit row says no more than its interval shows."""

from __future__ import annotations

import pytest

from training.audit.explanations import MEANINGS, NOT_INTERPRETABLE
from xrayview.evaluation.intervals import Estimate

GOOD = Estimate(0.9, 0.85, 0.94, 100)
WEAK = Estimate(0.513, 0.42, 0.61, 100)
KEYS = ("no-lungs", "no-lung-box", "only-lungs", "tones", "wide", "surroundings", "placement")


@pytest.mark.parametrize("key", KEYS)
def test_that_a_model_at_chance_keeps_no_share_of_its_lead(key: str):
    for estimate in (Estimate(0.58, 0.51, 0.65, 100), WEAK):
        sentence = MEANINGS[key](estimate, WEAK)
        assert sentence == NOT_INTERPRETABLE


@pytest.mark.parametrize("key", KEYS)
def test_that_more_than_the_whole_lead_is_not_a_percentage(key: str):
    assert "loses nothing of its lead" in MEANINGS[key](Estimate(0.95, 0.92, 0.97, 100), GOOD)
    assert "retains 50 %" in MEANINGS[key](Estimate(0.7, 0.6, 0.8, 100), GOOD)


def test_that_the_whole_film_itself_is_called_what_it_is():
    assert (
        MEANINGS["whole"](WEAK, WEAK) == "The model does not recognise the finding on these films."
    )


@pytest.mark.parametrize("key", KEYS)
def test_that_an_interval_below_chance_is_called_reversed(key: str):
    sentence = MEANINGS[key](Estimate(0.016, 0.004, 0.04, 100), GOOD)
    assert sentence.startswith("Scores are reversed: ")


def test_that_a_reversed_swap_names_the_appearance():
    sentence = MEANINGS["tones"](Estimate(0.2, 0.1, 0.3, 100), GOOD)
    assert sentence == "Scores are reversed: the model follows the swapped appearance."


def test_that_a_variant_of_a_reversed_model_is_not_interpretable():
    backwards = Estimate(0.1, 0.05, 0.2, 100)
    assert MEANINGS["tones"](backwards, backwards) == NOT_INTERPRETABLE
