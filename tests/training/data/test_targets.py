"""Targets, balanced classes and balanced sampling."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import make_data
from training.config import DataConfig
from training.data.balance import balance
from training.data.batches import class_probabilities
from training.data.films import select_rows
from training.data.manifest import FilmRow
from training.data.targets import select, targets_NK
from training.recipes import recipe


def test_that_multiclass_uses_films_of_exactly_one_class(tmp_path: Path):
    make_data(tmp_path, train=6, test=2)
    config = recipe("normal-bacterial-viral")
    rows, _ = select_rows(config, tmp_path)
    np.testing.assert_array_equal(targets_NK(rows, config.target).sum(axis=1), 1)
    both = dataclasses.replace(rows[0], labels=("normal", "viral pneumonia"))
    used, (omission,) = select([both], config.target)
    assert not used
    assert "exactly one class is needed" in omission.why


def test_that_a_binary_softmax_has_its_complement_second():
    target = recipe("abnormal-resnet50").target
    rows = [
        FilmRow("a", "nih", "1", (label,), "train")
        for label in ("No Finding", "Pleural_Thickening")
    ]
    np.testing.assert_array_equal(targets_NK(rows, target), [[0, 1], [1, 0]])


def test_that_balance_keeps_as_many_films_of_each_class_and_all_test_films():
    target = recipe("normal-pneumonia-small").target
    rows = [
        FilmRow(f"{split}{n}", "d", f"{split}{n}", (label,), split, split=split)
        for split in ("train", "validation", "test")
        for n, label in enumerate(["normal"] * 4 + ["viral pneumonia"] * 10)
    ]
    used, omitted = balance(rows, DataConfig(balance="fewest"), target)
    counts = {
        (s, x): sum(r.split == s and r.labels == (x,) for r in used)
        for s in ("train", "validation", "test")
        for x in ("normal", "viral pneumonia")
    }
    assert set(list(counts.values())[:4]) == {4}
    assert counts["test", "viral pneumonia"] == 10
    assert {o.code for o in omitted} == {"BALANCED"}
    fewer, _ = balance(rows, DataConfig(balance="fewest", films_per_class=3), target)
    assert sum(row.split == "train" for row in fewer) == 6
    assert {row.path for row in fewer} <= {row.path for row in used}


def test_that_balanced_sampling_draws_rare_classes_as_often():
    probabilities_N = class_probabilities(np.array([[0]] * 9 + [[1]], np.float32))
    assert probabilities_N[:9].sum() == pytest.approx(probabilities_N[9]) == pytest.approx(0.5)
