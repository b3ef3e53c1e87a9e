"""A network from elsewhere gets only as much memory as a network of its size needs."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.bundles import tiny_card
from xrayview.engine import memory
from xrayview.engine.memory import limited_memory
from xrayview.engine.model_handlers import load_model
from xrayview.engine.protocol import LoadModel, ModelRef
from xrayview.errors import ModelError
from xrayview.io.model.bundle import sha256_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no such limit on this platform")


class Hungry(nn.Module):
    """Needs 40 GB for one film."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) + torch.zeros(100_000, 100_000)[0, 0]


def test_that_an_allocation_beyond_the_limit_fails_and_the_limit_ends() -> None:
    with limited_memory(64 << 20), pytest.raises(RuntimeError, match="allocate"):
        torch.zeros(1 << 28)
    assert torch.zeros(1 << 26).numel() == 1 << 26


def test_that_a_platform_without_limits_runs_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> int:
        raise OSError

    monkeypatch.setattr(memory, "_data_bytes", unknown)
    with limited_memory(1):
        torch.zeros(1 << 20)


def test_that_a_network_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(Hungry()).save(str(path))
    model = ModelRef(path, sha256_of(path), "cpu")
    with pytest.raises(ModelError, match="can't allocate memory") as caught:
        load_model(LoadModel(model, tiny_card()))
    assert "more memory than it may use" in caught.value.hint
