"""Small real model bundles: one that fulfils the contract, and one for each way to break it.

The output of the tiny network can be worked out by hand. Its features are those of patches of 8 x 8
pixels: feature 0 is how much a patch is brighter than 0.5, feature 1 how much it is darker. With K
logits the first falls and the last rises with brightness; a single logit rises.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from xrayview.domain.model import Finding, ModelCard, PreprocessSpec
from xrayview.io.model.bundle import card_to_json

PATCH = 8
GAIN = 20.0


class Tiny(nn.Module):
    """Keeps the contract."""

    def __init__(self, channels: int = 1, outputs: int = 1) -> None:
        super().__init__()
        self.outputs = outputs
        patch = torch.full((1, channels, PATCH, PATCH), 1.0 / (channels * PATCH * PATCH))
        self.register_buffer("patches", torch.cat([patch, -patch]))
        self.register_buffer("bias", torch.tensor([-0.5, 0.5]))
        gains = torch.linspace(-GAIN, GAIN, outputs) if outputs > 1 else torch.tensor([GAIN])
        self.register_buffer("weight", torch.stack([gains, -gains], dim=1))

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self.forward_head(self.forward_features(x_BCHW))

    def forward_features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv2d(x_BCHW, self.patches, self.bias, stride=PATCH).relu()

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return features_BDhw.mean((2, 3)) @ self.weight.T


class OneMore(Tiny):
    def __init__(self, channels: int = 1, outputs: int = 1) -> None:
        super().__init__(channels, outputs + 1)


class NotANumber(Tiny):
    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return super().forward_head(features_BDhw) * float("nan")


class ViewBatch(Tiny):
    """Written for another input size: its view turns what does not fit into further films."""

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return features_BDhw.reshape(-1, 2) @ self.weight.T


class FixedSize(Tiny):
    """Written for 16 x 16 pixels; fails on others."""

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return features_BDhw.reshape(-1, 2, 4).mean(2).reshape(2, -1) @ self.weight.T


class OtherHead(Tiny):
    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return super().forward(x_BCHW) + 1.0


class FlatFeatures(Tiny):
    def forward_features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return super().forward_features(x_BCHW).mean((2, 3))

    def forward_head(self, features_BD: torch.Tensor) -> torch.Tensor:
        return features_BD @ self.weight.T


class Softmax(Tiny):
    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return super().forward_head(features_BDhw).softmax(1)


class OneAnswer(Tiny):
    """Returns the same logits for every film, as a network without its weights does."""

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return super().forward_head(0 * features_BDhw) - 2.5


class Sigmoid(Tiny):
    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return super().forward_head(features_BDhw).sigmoid()


class Pair(Tiny):
    def forward(self, x_BCHW: torch.Tensor) -> Any:
        features = self.forward_features(x_BCHW)
        return self.forward_head(features), features


class TrainingBatchNorm(Tiny):
    def forward_features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        normal = nn.functional.batch_norm(x_BCHW, None, None, training=True)
        return super().forward_features(normal)


class Dropout(Tiny):
    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        thinned = nn.functional.dropout(features_BDhw, 0.5, training=True)
        return super().forward_head(thinned)


BROKEN: Mapping[str, tuple[type[Tiny], str]] = {
    "one logit too many": (OneMore, "findings require"),
    "NaN": (NotANumber, "NaN"),
    "view(-1, N)": (ViewBatch, "forward returned shape"),
    "another input size": (FixedSize, "shape"),
    "another head": (OtherHead, "differs from forward"),
    "flat features": (FlatFeatures, "forward_features returned shape"),
    "softmax": (Softmax, "probabilities"),
    "sigmoid": (Sigmoid, "probabilities"),
    "one answer": (OneAnswer, "for every film"),
    "training batch norm": (TrainingBatchNorm, "other films"),
    "active dropout": (Dropout, "different logits each time"),
}
"""The fault -> a network that has it, and words of the error."""


def tiny_card(**changes: Any) -> ModelCard:
    """A card that fits `Tiny()`: one finding, Opacity, of a 64 x 64 input."""
    card = ModelCard(
        schema=1,
        name="tiny",
        version="1.0",
        task="binary",
        activation="sigmoid",
        findings=(Finding("Opacity", "bright patches"),),
        preprocessing=PreprocessSpec(size=(64, 64)),
        description="Scores how bright a film is. For tests.",
    )
    return replace(card, **changes)


def network_for(card: ModelCard, kind: type[Tiny] = Tiny) -> nn.Module:
    """A network of that kind with the channels and the findings of the card."""
    return kind(card.preprocessing.channels, len(card.findings)).eval()


def export(
    network: nn.Module,
    path: Path,
    card: ModelCard,
    *,
    methods: tuple[str, ...] = ("forward", "forward_features", "forward_head"),
    extra: Mapping[str, str | bytes] | None = None,
) -> Path:
    """Trace the methods and save them with these extra files (default: the card)."""
    spec = card.preprocessing
    torch.manual_seed(0)
    # FixedSize can only be traced with the input it was written for.
    size = (16, 16) if isinstance(network, FixedSize) else spec.size
    film = torch.rand(2, spec.channels, *size)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        inputs: dict[str, Any] = {"forward": film, "forward_features": film}
        if "forward_head" in methods:
            inputs["forward_head"] = network.forward_features(film)
        traced = torch.jit.trace_module(
            network, {name: inputs[name] for name in methods}, check_trace=False
        )
        files = {"model_card.json": json.dumps(card_to_json(card))} if extra is None else extra
        torch.jit.save(traced, str(path), _extra_files=dict(files))
    return path


class Slow(Tiny):
    """Needs some tenths of a second for each pass."""

    def forward_features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        column = x_BCHW.flatten()[:1200]
        square = torch.outer(column, column) * 1e-3
        for _ in range(3):
            square = torch.tanh(square @ square)
        return super().forward_features(x_BCHW) + 1e-20 * square.sum()


class Normalised(Tiny):
    """Has operating points inside, as TorchXRayVision's networks do."""

    def __init__(self, channels: int = 1, outputs: int = 1) -> None:
        super().__init__(channels, outputs)
        self.register_buffer("op_threshs", torch.full((outputs,), 0.25))

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        score = super().forward_head(features_BDhw / 1024).sigmoid()
        low = score / (2 * self.op_threshs)
        high = 1 - (1 - score) / (2 * (1 - self.op_threshs))
        return torch.where(score < self.op_threshs, low, high)


def write_like_torchxrayvision(path: Path) -> Path:
    """A file without a card, whose program is like TorchXRayVision's."""
    card = tiny_card()
    return export(network_for(card, Normalised), path, card, extra={}, methods=("forward",))


def write_bundle(path: Path, kind: type[Tiny] = Tiny, **changes: Any) -> Path:
    """A bundle of the tiny network; `changes` are fields of its card."""
    card = tiny_card(**changes)
    return export(network_for(card, kind), path, card)
