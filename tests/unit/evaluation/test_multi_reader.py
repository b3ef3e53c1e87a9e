"""The multi-reader analysis: published values, values by hand, and a simpler test as a limit."""

from __future__ import annotations

import csv
from math import isnan
from pathlib import Path

import numpy as np
import pytest

from xrayview.errors import UsageError
from xrayview.evaluation.intervals import paired_delong
from xrayview.evaluation.multi_reader import multi_reader

VAN_DYKE = Path(__file__).parents[3].parent / "shared" / "cases" / "readers" / "vandyke.csv"

# Films 0 and 1 have the finding, which makes four pairs of a positive and a negative film. In the
# first condition both readers order all four; in the second, reader 1 three and reader 2 two.
TRUTH = [True, True, False, False]
RATINGS = [
    [[4, 3, 2, 1], [3, 4, 1, 2]],
    [[4, 2, 3, 1], [4, 1, 2, 3]],
]


def test_the_figures_that_are_worked_out_by_hand() -> None:
    study = multi_reader(TRUTH, RATINGS)
    assert study.auc_TR.tolist() == [[1.0, 1.0], [0.75, 0.5]]
    assert [mean.value for mean in study.mean_T] == [1.0, 0.625]
    # Condition A orders every pair: no variance. In B, reader 1 has placements 1, 1/2 (positives)
    # and 1/2, 1 (negatives): (1/8 + 1/8) / 2 = 1/8. Reader 2: 1, 0 and 1/2, 1/2: (1/2 + 0) / 2.
    assert study.covariances.variance == pytest.approx((0 + 0 + 1 / 8 + 1 / 4) / 4)
    # Cov2: between the readers in B, (1/4 + 0) / 2 = 1/8, and 0 in A.
    assert study.covariances.same_condition == pytest.approx(1 / 16)
    assert study.covariances.same_reader == study.covariances.neither == 0
    # Mean squares: conditions 2 * 0.375**2 / 2 = 9/64; interaction 4 * (1/16)**2 = 1/64.
    # The denominator: 1/64 + 2 * 1/16 = 9/64.
    assert study.f == pytest.approx(1.0)
    assert study.denominator_df == pytest.approx((9 / 64) ** 2 / (1 / 64) ** 2)
    assert study.differences[0].difference.value == pytest.approx(0.375)
    assert study.differences[0].p_value == pytest.approx(study.p_value)


def test_the_published_figures_of_van_dyke() -> None:
    if not VAN_DYKE.is_file():
        pytest.skip("the published ratings are not here")
    with VAN_DYKE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ratings, truth = np.full((2, 5, 114), np.nan), np.zeros(114, dtype=bool)
    for row in rows:
        condition, reader, film = (int(row[name]) - 1 for name in ("treatment", "reader", "case"))
        ratings[condition, reader, film] = float(row["rating"])
        truth[film] = row["truth"] == "1"
    study = multi_reader(truth, ratings)
    assert [round(mean.value, 4) for mean in study.mean_T] == [0.8970, 0.9408]
    assert study.f == pytest.approx(4.484854, abs=5e-7)
    assert study.denominator_df == pytest.approx(15.06611, abs=5e-6)
    assert study.p_value == pytest.approx(0.05123303, abs=5e-9)


def _random_study(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.arange(40) < 15
    return truth, np.round(rng.normal(size=(3, 4, 40)) + truth * rng.uniform(0.5, 2, (3, 4, 1)), 1)


def test_that_two_readers_who_agree_on_every_film_leave_only_the_films() -> None:
    truth, ratings = _random_study(0)
    twins = ratings[:2, :1].repeat(2, axis=1)
    study = multi_reader(truth, twins)
    single = paired_delong(truth, twins[0, 0], twins[1, 0])
    assert study.denominator_df > 1e9  # nothing varies between readers
    assert study.differences[0].difference.low == pytest.approx(single.difference.low)
    assert study.p_value == pytest.approx(single.p_value, rel=1e-4)


def test_that_the_order_of_readers_and_films_changes_nothing() -> None:
    truth, ratings = _random_study(1)
    order = np.random.default_rng(2).permutation(40)
    study = multi_reader(truth, ratings)
    shuffled = multi_reader(truth[order], ratings[:, ::-1, order])
    assert shuffled.p_value == pytest.approx(study.p_value)
    assert len(study.differences) == 3
    assert study.numerator_df == 2


def test_that_one_condition_has_a_mean_but_no_test() -> None:
    truth, ratings = _random_study(3)
    study = multi_reader(truth, ratings[:1])
    assert isnan(study.p_value)
    assert study.differences == ()
    assert study.mean_T[0].low < study.mean_T[0].value < study.mean_T[0].high
    assert study.mean_T == multi_reader(truth, ratings).mean_T[:1]


@pytest.mark.parametrize(
    ("truth", "ratings", "words"),
    [
        (TRUTH, [[[1, 2, 3, 4]]], "two readers"),
        ([True, False, False, False], RATINGS, "1 of 4 films"),
        (TRUTH, [[[1, 2, 3, float("nan")]] * 2], "not finite"),
    ],
)
def test_what_is_refused(truth: list[bool], ratings: list[list[list[float]]], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        multi_reader(truth, ratings)
