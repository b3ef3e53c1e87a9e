"""How torch takes films through a network so that no film's logits depend on the others."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from xrayview.domain.model import ModelCard
from xrayview.errors import ModelError
from xrayview.inference.probe import noise
from xrayview.inference.streams import Streams, stream_count

Array = npt.NDArray[np.float32]

DEVICE_BATCH = 16
"""Films of a pass on other devices than the CPU, which a single film does not keep busy."""


class Network(Protocol):
    """A network that takes all films in one pass."""

    def forward(self, x_BCHW: Array) -> Array:
        """Logits, (B, K)."""

    def features(self, x_BCHW: Array) -> Array:
        """Features, (B, D, h, w)."""

    def head(self, features_BDhw: Array) -> Array:
        """Logits, (B, K)."""


class FilmPasses:
    """Passes of one film, on the CPU one on each core; on other devices of a fixed number of films.

    Args:
        network: the network on the device.
        device: where it is.
        dtype: the format of its convolutions and products; None for that of its weights.
    """

    def __init__(
        self, network: Network, device: torch.device, dtype: torch.dtype | None = None
    ) -> None:
        self._network, self._device, self._dtype = network, device, dtype
        self._streams = Streams(stream_count(), _one_thread) if device.type == "cpu" else None
        self._films = 1

    def fix_batch(self, card: ModelCard) -> None:
        """On other devices than the CPU, take several films at once, always filled up.

        Only where a film then gets the same logits, to the last bit, beside any other films.
        """
        if self._streams is not None:
            return
        film, other = noise(card)
        first = np.concatenate([film, *[other] * (DEVICE_BATCH - 1)])
        last = np.concatenate([*[0 * other] * (DEVICE_BATCH - 1), film])
        with suppress(ModelError):  # too little memory: one film at a time
            of_first, of_last = (self._logits(films)[0] for films in (first, last))
            if np.array_equal(of_first[0], of_last[-1]):
                self._films = DEVICE_BATCH

    def each_film(self, x_BCHW: Array, *, with_features: bool) -> tuple[Array, Array | None]:
        """See Runtime."""
        passes = np.split(x_BCHW, range(self._films, len(x_BCHW), self._films))
        call = self._both if with_features else self._logits
        results = self._streams.map(call, passes) if self._streams else [call(x) for x in passes]
        logits_BK = np.concatenate([logits for logits, _ in results])
        features = [part for _, part in results if part is not None]
        return logits_BK, np.concatenate(features) if features else None

    def _logits(self, x_BCHW: Array) -> tuple[Array, Array | None]:
        with self._autocast():
            return self._network.forward(self._filled(x_BCHW))[: len(x_BCHW)], None

    def _both(self, x_BCHW: Array) -> tuple[Array, Array | None]:
        with self._autocast():
            features = self._network.features(self._filled(x_BCHW))
            return self._network.head(features)[: len(x_BCHW)], features[: len(x_BCHW)]

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, self._dtype, enabled=self._dtype is not None)

    def _filled(self, x_BCHW: Array) -> Array:
        """The films, and the last one repeated, so that every pass has one size."""
        missing = self._films - len(x_BCHW)
        return np.concatenate([x_BCHW, *[x_BCHW[-1:]] * missing]) if missing > 0 else x_BCHW


def fast_format(device: torch.device) -> torch.dtype | None:
    """The format of 16 bits in which the device computes fast; None where there is none."""
    if device.type == "cuda":
        return torch.float16
    with suppress(AttributeError, RuntimeError):  # a build without oneDNN
        if device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
            return torch.bfloat16
    return None


def _one_thread() -> None:
    """A stream computes its film without help, or all streams would wait for each other."""
    torch.set_num_threads(1)
