"""The AUC of a group less that of all other films."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.manifest import FilmRow
from training.evaluation.subgroups import auc_differences, metrics_by_group
from xrayview.evaluation.metrics import auc


def test_that_a_group_is_compared_with_all_other_films():
    rng = np.random.default_rng(1)
    truth = np.arange(120) % 2 == 0
    of_women = np.arange(120) < 60
    scores = np.where(of_women, truth * 0.6 + rng.random(120) * 0.3, rng.random(120))
    rows = [
        FilmRow(f"{i}.png", "here", f"p{i}", ("normal",), "", sex="F" if of_women[i] else "M")
        for i in range(120)
    ]
    groups = metrics_by_group(rows, truth, scores, 0.5, 100)
    found = auc_differences(rows, truth, scores, groups, 100)
    expected = auc(truth[of_women], scores[of_women]) - auc(truth[~of_women], scores[~of_women])
    women, men = found["sex", "F"], found["sex", "M"]
    assert women.value == pytest.approx(expected)
    assert men.value == pytest.approx(-expected)
    assert women.low < women.value < women.high
    assert women.low > 0


def test_that_a_group_of_all_films_has_no_other_films():
    truth, scores = np.arange(60) % 2 == 0, np.linspace(0, 1, 60)
    rows = [FilmRow(f"{i}.png", "here", f"p{i}", ("normal",), "") for i in range(60)]
    groups = metrics_by_group(rows, truth, scores, 0.5, 50)
    found = auc_differences(rows, truth, scores, groups, 50)
    assert all(np.isnan(estimate.value) for estimate in found.values())
