"""Losses and validation metrics, with exclusive classes and with unknown targets."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from training.config import FindingRule, OptimConfig, TargetConfig
from training.loop.optimisation import ClassLoss, FindingLoss
from training.loop.validation import compute_metrics

PLAIN = OptimConfig(balance=False)
NAN = float("nan")


def test_that_an_unknown_target_changes_neither_loss_nor_gradient():
    loss = FindingLoss(torch.tensor([0.5, 0.2]), OptimConfig())
    logits = torch.tensor([[0.3, 2.0], [1.0, -1.0]], requires_grad=True)
    value = loss(logits, torch.tensor([[1.0, NAN], [0.0, 1.0]]), 0.05)
    value.backward()
    assert logits.grad is not None
    assert logits.grad[0, 1] == 0
    assert (logits.grad[[0, 1, 1], [0, 0, 1]] != 0).all()
    changed = logits.detach().clone()
    changed[0, 1] = -7.0
    assert loss(changed, torch.tensor([[1.0, NAN], [0.0, 1.0]]), 0.05) == value


def test_that_without_unknown_targets_it_is_torchs_own_loss():
    rng = torch.Generator().manual_seed(0)
    logits, y = torch.randn(6, 3, generator=rng), torch.rand(6, 3, generator=rng).round()
    found = FindingLoss(torch.full((3,), 0.5), PLAIN)(logits, y)
    torch.testing.assert_close(found, functional.binary_cross_entropy_with_logits(logits, y))


def test_that_a_batch_without_any_known_target_has_a_loss_of_0():
    assert FindingLoss(torch.tensor([0.5]), PLAIN)(torch.ones(2, 1), torch.full((2, 1), NAN)) == 0


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_that_the_class_loss_is_torchs_cross_entropy(smoothing: float):
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    indices = torch.tensor([0, 2, 1, 1, 0])
    found = ClassLoss(torch.tensor([0.4, 0.4, 0.2]), PLAIN)(
        logits, functional.one_hot(indices, 3).float(), smoothing
    )
    expected = functional.cross_entropy(logits, indices, label_smoothing=smoothing)
    torch.testing.assert_close(found, expected)


def test_that_all_classes_weigh_the_same_if_balanced():
    y = torch.eye(3)[[0] * 8 + [1] + [2]]
    loss = ClassLoss(y.mean(0), OptimConfig())
    logits = torch.randn(10, 3, generator=torch.Generator().manual_seed(2), requires_grad=True)
    of_each = -(logits.log_softmax(1) * y).sum(1)
    means = [of_each[y[:, k] == 1].mean() for k in range(3)]
    torch.testing.assert_close(loss(logits, y), sum(means) / 3)


def target(task: str, activation: str, count: int, complement: str = "") -> TargetConfig:
    rules = tuple(FindingRule(f"F{k}", (f"f{k}",)) for k in range(count))
    return TargetConfig(rules, (), task, activation, complement)  # type: ignore[arg-type]


def test_that_validation_ignores_unknown_targets():
    y = torch.tensor([[1.0, NAN], [0.0, 1.0], [NAN, 0.0], [1.0, 0.0]])
    logits = torch.tensor([[2.0, -9.0], [-1.0, 1.0], [9.0, -1.0], [1.0, 2.0]])
    loss = FindingLoss(torch.full((2,), 0.5), PLAIN)
    found = compute_metrics(logits, y, loss, target("multilabel", "sigmoid", 2))
    assert found.auc == pytest.approx((1.0 + 0.5) / 2)
    assert found.accuracy == pytest.approx(5 / 6)
    assert found.recall == 1.0


def test_that_a_finding_without_films_is_left_out_of_the_mean():
    loss = FindingLoss(torch.full((2,), 0.5), PLAIN)
    y, logits = torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[2.0, 1.0], [1.0, 0.0]])
    found = compute_metrics(logits, y, loss, target("multilabel", "sigmoid", 2))
    assert found.auc == 1.0
    assert math.isnan(compute_metrics(logits[:, 1:], y[:, 1:], FindingLoss(torch.ones(1), PLAIN),
                            target("binary", "sigmoid", 1)).auc)  # fmt: skip


def test_that_a_multiclass_film_is_right_or_wrong_once():
    y, loss = torch.eye(3)[[0, 1, 2, 2]], ClassLoss(torch.full((3,), 1 / 3), PLAIN)
    logits = torch.tensor([[3.0, 0, 0], [0, 0, 3.0], [0, 0, 3.0], [0, 3.0, 0]])
    found = compute_metrics(logits, y, loss, target("multiclass", "softmax", 3))
    assert found.accuracy == 0.5
    assert found.recall == pytest.approx((1 + 0 + 0.5) / 3)


def test_that_a_binary_softmax_is_evaluated_by_its_finding_only():
    y, loss = torch.tensor([[1.0, 0], [0, 1.0]]), ClassLoss(torch.full((2,), 0.5), PLAIN)
    # The negative film has the higher logit, but a lower one relative to its complement's.
    found = compute_metrics(torch.tensor([[1.0, 0.0], [2.0, 5.0]]), y, loss,
                  target("binary", "softmax", 1, "Normal"))  # fmt: skip
    assert (found.auc, found.accuracy, found.recall) == (1.0, 1.0, 1.0)
    assert found.distance("auc") == 0.0
    assert found.distance("loss") == found.loss
