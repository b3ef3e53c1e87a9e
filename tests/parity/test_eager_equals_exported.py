"""The exported bundle computes the same as the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.bundles import export, tiny_card
from xrayview.domain.model import Finding
from xrayview.inference.loading import load

CARD = tiny_card(task="multilabel", findings=(Finding("A"), Finding("B"), Finding("C")))


class Residual(nn.Module):
    """Convolution, batch normalisation with its own statistics, skip, pooling, dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1), nn.BatchNorm2d(8))
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(8, 3)
        )

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self.forward_head(self.forward_features(x_BCHW))

    def forward_features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        stem = self.stem(x_BCHW)
        return (stem + self.block(stem)).relu()

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return self.head(features_BDhw)


@pytest.fixture(scope="module")
def network() -> Residual:
    torch.manual_seed(4)
    network = Residual()
    with torch.no_grad():
        for _ in range(3):  # so that the running statistics are not the initial ones
            network(torch.randn(8, 1, 64, 64) * 2 + 1)
    return network.eval()


@pytest.mark.parametrize("films", [1, 2, 7])
def test_that_all_three_methods_return_what_the_network_returns(
    tmp_path: Path, network: Residual, films: int
) -> None:
    runtime = load(export(network, tmp_path / "m.pt", CARD), CARD, "cpu")
    x = np.random.default_rng(films).standard_normal((films, 1, 64, 64), np.float32)
    with torch.no_grad():
        features = network.forward_features(torch.from_numpy(x)).numpy()
        logits = network(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(runtime.forward(x), logits, atol=1e-5)
    np.testing.assert_allclose(runtime.features(x), features, atol=1e-5)
    np.testing.assert_allclose(runtime.head(features), logits, atol=1e-5)


def test_that_the_gradient_of_the_head_is_that_of_the_network(
    tmp_path: Path, network: Residual
) -> None:
    runtime = load(export(network, tmp_path / "m.pt", CARD), CARD, "cpu")
    x = torch.randn(2, 1, 64, 64)
    features = network.forward_features(x).detach().requires_grad_()
    (eager,) = torch.autograd.grad(network.forward_head(features)[:, 1].sum(), features)
    exported = runtime.feature_gradient(features.detach().numpy(), np.array([0, 1, 0], np.float32))
    np.testing.assert_allclose(exported, eager.numpy(), atol=1e-6)
