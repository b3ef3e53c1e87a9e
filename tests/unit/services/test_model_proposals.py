"""Networks without a card that are recognised by their program."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from xrayview.services.model_import import propose


class Anonymous(nn.Module):
    """A network whose name says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 3)


class Divides(Anonymous):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x / 1024).mean((2, 3))


class Multiplies(Anonymous):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x * (1 / 1024)).mean((2, 3))


class ConvertsFirst(Anonymous):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        image = image.float()
        return self.layer(image / 1024.0).mean((2, 3))


class By255(Anonymous):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x / 255).mean((2, 3))


class DividesScores(Anonymous):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x).mean((2, 3)) / 1024


def saved(kind: type[nn.Module], path: Path, *, traced: bool) -> Path:
    network = kind().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        film = torch.rand(1, 1, 16, 16)
        module = torch.jit.trace(network, film) if traced else torch.jit.script(network)
    module.save(str(path))
    return path


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize("kind", [Divides, Multiplies, ConvertsFirst])
def test_that_a_network_that_divides_by_1024_is_recognised(
    tmp_path: Path, kind: type[nn.Module], traced: bool
) -> None:
    proposal = propose(saved(kind, tmp_path / "net.pt", traced=traced))
    assert proposal is not None
    assert (proposal.scale, proposal.fit) == ("torchxrayvision", None)


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize("kind", [By255, DividesScores])
def test_that_other_divisions_propose_nothing(
    tmp_path: Path, kind: type[nn.Module], traced: bool
) -> None:
    assert propose(saved(kind, tmp_path / "net.pt", traced=traced)) is None
