"""What the rest of the program needs of a loaded network, whatever runs it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import ModelCard

Array = npt.NDArray[np.float32]


class Runtime(Protocol):
    """A network on one device. Arrays are float32; B films, K logits, D features.

    Every call raises ModelError when the network fails on this input.
    """

    notes: tuple[str, ...]
    """What is adapted to run the network, one phrase each; empty where nothing is."""

    @property
    def sha256(self) -> str:
        """The hash of the bytes that were loaded."""

    @property
    def name(self) -> str:
        """The id of the runtime that classifies: `torch`, `openvino`."""

    @property
    def device(self) -> str:
        """The device in use: `cpu`, `cuda:0`."""

    @property
    def device_name(self) -> str:
        """The manufacturer's name of the device."""

    @property
    def precision(self) -> str:
        """The number format of the computation: `float32`, `bfloat16`, `float16`."""

    @property
    def score_difference(self) -> float:
        """The greatest difference of a score from eager float32 on the test films; 0 for that."""

    @property
    def explain_methods(self) -> tuple[str, ...]:
        """The ids of the heat-map methods that work with this network, the preferred ones first."""

    @property
    def has_features(self) -> bool:
        """True where `features` and `head` work: the network is in two parts."""

    @property
    def has_gradient(self) -> bool:
        """True where `feature_gradient` and `input_gradient` work."""

    @property
    def features_note(self) -> str:
        """Where `split` cut the network, or why it cannot; empty where the file has both parts."""

    def adapt(self, card: ModelCard) -> None:
        """Find out how the network is called and where its output has the logits.

        Raises:
            ContractBroken: nothing that it returns has the shape of scores.
        """

    def random_operations(self) -> tuple[str, ...]:
        """The operations of the network that draw random numbers, as far as its graph shows."""

    def split(self, card: ModelCard) -> None:
        """Cut a network in two whose file has one part only; `features_note` has the outcome."""

    def fix_batch(self, card: ModelCard) -> None:
        """Find out how many films `each_film` may take at once."""

    def each_film(
        self, x_BCHW: Array, *, with_features: bool = False
    ) -> tuple[Array, Array | None]:
        """Logits (B, K), and on request the features (B, D, h, w), with `has_features`.

        What a film gets does not depend on the other films, to the last bit.
        """

    def forward(self, x_BCHW: Array) -> Array:
        """Uncalibrated logits, (B, K), of one pass for all films."""

    def features(self, x_BCHW: Array) -> Array:
        """The last convolutional map before pooling, (B, D, h, w)."""

    def head(self, features_BDhw: Array) -> Array:
        """The rest of the network: logits, (B, K)."""

    def feature_gradient(self, features_BDhw: Array, direction_K: Array) -> Array:
        """Gradient of `head(features) @ direction` by the features, (B, D, h, w)."""

    def input_gradient(self, x_BCHW: Array, direction_K: Array) -> Array:
        """Gradient of `forward(x) @ direction` by the input, (B, C, H, W)."""
