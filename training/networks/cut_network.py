"""A network with the three methods of the bundle contract: forward, features, head."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

from torch import Tensor, nn


def state_sha256(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of a state dict: names, shapes, types and values, in its order."""
    digest = hashlib.sha256()
    for name, tensor in state.items():
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


class CutNetwork(Protocol):
    """A network that can be exported as a bundle: in eval mode, cut before its pooling."""

    def __call__(self, x_BCHW: Tensor) -> Tensor:
        """Return uncalibrated logits_BK."""

    def forward_features(self, x_BCHW: Tensor) -> Tensor:
        """Return the last convolutional map, features_BDhw."""


class Network(nn.Module):
    """A convolutional trunk and a head; `forward(x) == forward_head(forward_features(x))`."""

    def __init__(self, features: nn.Module, head: nn.Module, stride: int) -> None:
        super().__init__()
        self.features = features
        self.head = head
        self.stride = stride
        """Input pixels per feature cell."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return uncalibrated logits_BK."""
        return self.forward_head(self.forward_features(x_BCHW))

    def forward_features(self, x_BCHW: Tensor) -> Tensor:
        """Return the last convolutional map, features_BDhw."""
        features: Tensor = self.features(x_BCHW)
        return features

    def forward_head(self, features_BDhw: Tensor) -> Tensor:
        """Apply the pooling and all layers after it; return logits_BK."""
        logits: Tensor = self.head(features_BDhw)
        return logits
