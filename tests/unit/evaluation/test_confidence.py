"""Confidence by whether the prediction is right."""

from __future__ import annotations

import math

import pytest

from xrayview.errors import UsageError
from xrayview.evaluation.confidence import SHARES, confidence


def test_that_confidence_is_averaged_by_right_and_wrong() -> None:
    found = confidence([True, True, False, False], [0.9, 0.7, 0.6, 0.5])
    assert found.when_right == pytest.approx(0.8)
    assert found.when_wrong == pytest.approx(0.55)


def test_that_the_most_confident_films_come_first() -> None:
    right = [False, True, True, True, True, True, True, True, False, True]
    confidences = [0.5, 0.99, 0.9, 0.8, 0.95, 0.7, 0.85, 0.75, 0.6, 0.65]
    found = {part.share: part for part in confidence(right, confidences).shares}
    assert tuple(found) == SHARES
    assert [found[share].n for share in SHARES] == [5, 8, 9, 10]
    assert [found[share].accuracy for share in SHARES] == [1.0, 1.0, pytest.approx(8 / 9), 0.8]
    assert found[0.5].least_confidence == 0.8
    assert found[1.0].least_confidence == 0.5


def test_that_a_mean_over_no_film_is_nan() -> None:
    found = confidence([True], [0.9])
    assert math.isnan(found.when_wrong)
    assert {part.n for part in found.shares} == {1}


@pytest.mark.parametrize(
    ("right", "confidences"),
    [([], []), ([True], [0.5, 0.6]), ([True], [1.2]), ([True], [float("nan")])],
)
def test_that_an_invalid_confidence_is_refused(right: list[bool], confidences: list[float]) -> None:
    with pytest.raises(UsageError):
        confidence(right, confidences)
