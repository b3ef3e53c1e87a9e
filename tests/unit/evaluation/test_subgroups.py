"""Metrics of subgroups, which small groups do not have."""

from __future__ import annotations

import numpy as np
import pytest

from xrayview.errors import UsageError
from xrayview.evaluation.metrics import auc, confusion
from xrayview.evaluation.subgroups import NOT_STATED, age_band, subgroups


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("57", "40-59"), ("057Y", "40-59"), ("018M", "1-5"), ("003D", "under 1"),
        ("052W", "under 1"), ("5", "1-5"), ("6", "6-17"), ("17", "6-17"), ("18", "18-39"),
        ("40", "40-59"), ("060y", "60-79"), ("80", "80 and over"), ("57 years", "40-59"),
        ("", NOT_STATED), ("411", NOT_STATED), ("-3", NOT_STATED), ("adult", NOT_STATED),
    ],
)  # fmt: skip
def test_that_an_age_is_in_its_band(age: str, band: str):
    assert age_band(age) == band


def films(n: int = 120) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    rng = np.random.default_rng(2)
    truth = rng.random(n) < 0.5
    scores = np.clip(0.3 * truth + 0.7 * rng.random(n), 0, 1)
    return (
        truth,
        scores,
        ["F" if i % 3 else "M" for i in range(n)],
        [f"p{i // 2}" for i in range(n)],
    )


def test_that_each_group_has_the_metrics_of_its_own_films():
    truth, scores, sex, patients = films()
    found = subgroups({"sex": sex}, truth, scores, 0.5, patients, draws=50)
    assert [(group.attribute, group.group) for group in found] == [("sex", "F"), ("sex", "M")]
    for group in found:
        inside = np.array(sex) == group.group
        counts = confusion(truth[inside], scores[inside], 0.5)
        assert (group.n, group.positives) == (counts.total, counts.positives)
        assert group.auc
        assert group.sensitivity
        assert group.specificity
        assert group.auc.value == pytest.approx(auc(truth[inside], scores[inside]))
        assert group.auc.low <= group.auc.value <= group.auc.high
        assert group.sensitivity.value == pytest.approx(counts.sensitivity)
        assert group.specificity.value == pytest.approx(counts.specificity)
        assert group.sensitivity.n == counts.positives


def test_that_a_perfect_proportion_still_has_an_interval():
    truth, _, sex, patients = films()
    (group, _) = subgroups({"sex": sex}, truth, truth.astype(float), 0.5, patients, draws=50)
    assert group.sensitivity
    assert group.sensitivity.value == 1
    assert group.sensitivity.low < 1


@pytest.mark.parametrize(
    ("n", "positives", "why"),
    [
        (19, 9, "fewer than 20 films"),
        (40, 4, "fewer than 5 films with the finding"),
        (40, 36, "fewer than 5 films without the finding"),
    ],
)
def test_that_a_small_group_is_listed_without_metrics(n: int, positives: int, why: str):
    truth = np.arange(n) < positives
    scores = np.linspace(1, 0, n)
    (group,) = subgroups({"view": ["PA"] * n}, truth, scores, 0.5, list(range(n)), draws=10)
    assert group.suppressed == why
    assert (group.n, group.positives) == (None, None)
    assert (group.auc, group.sensitivity, group.specificity) == (None, None, None)


def test_that_films_without_a_value_are_a_group():
    truth, scores, _, patients = films(40)
    (group,) = subgroups({"sex": [""] * 40}, truth, scores, 0.5, patients, draws=10)
    assert group.group == NOT_STATED


def test_that_groups_of_different_films_are_refused():
    with pytest.raises(UsageError):
        subgroups({"sex": ["F"]}, [1, 0], [0.9, 0.1], 0.5, ["a", "b"])
