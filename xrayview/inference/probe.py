"""Does a loaded network keep its card's contract? Asked once, before any film is judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import ModelCard
from xrayview.errors import ModelError
from xrayview.inference.calibration import output_counts

if TYPE_CHECKING:
    from xrayview.inference.runtime import Runtime

Array = npt.NDArray[np.float32]

TOLERANCE = 1e-3
"""Of logits, absolute and relative: kernels differ between batch sizes by less."""
_LOUD = 1e3
_TELLING = 0.01
"""Outputs that differ by less between such inputs are a network's that has hardly learned."""


def probe(runtime: Runtime, card: ModelCard, path: Path) -> None:
    """Run noise in the shape of the card's input through the network.

    Raises:
        ModelError: logits are not (B, K) for B = 1 and 2, not finite, change with the batch,
            are probabilities, or are not those of the head on the features.
    """
    film, other = _noise(card)
    try:
        _probe_forward(runtime, card, film, other)
        if runtime.has_features:
            _probe_features(runtime, film, other)
    except _Broken as broken:
        why, hint = broken.args
        raise ModelError(
            "The model breaks the contract of its card", path=path, why=why, hint=hint
        ) from None


class _Broken(Exception):
    """A clause of the contract that does not hold: (why, hint)."""


def _noise(card: ModelCard) -> tuple[Array, Array]:
    spec = card.preprocessing
    shape = (2, 1, spec.channels, *spec.size)
    film, other = np.random.default_rng(0).standard_normal(shape, np.float32)
    # Of other statistics, or a batch normalisation that trains would not show.
    return film, 3 * other + 2


def _probe_forward(runtime: Runtime, card: ModelCard, film: Array, other: Array) -> None:
    alone = runtime.forward(film)
    pair = runtime.forward(np.concatenate([film, film]))
    mixed = runtime.forward(np.concatenate([film, other]))
    for films, logits in ((1, alone), (2, pair), (2, mixed)):
        _require_shape(films, logits, card)
    loud = runtime.forward(np.concatenate([_LOUD * film, -_LOUD * other]))
    if not all(np.isfinite(logits).all() for logits in (alone, pair, mixed)):
        raise _Broken("its logits are NaN or infinite", "Export the network again.")
    if not _close(pair[0], pair[1]) or not _close(pair[:1], alone):
        raise _Broken(
            "the same film gets other logits each time",
            "Export the network in evaluation mode; dropout is probably active.",
        )
    if not _close(mixed[:1], alone):
        raise _Broken(
            "a film's logits change with the other films in its batch",
            "Export the network in evaluation mode; batch normalisation is probably training.",
        )
    _refuse_probabilities(np.concatenate([mixed, loud]))


def _require_shape(films: int, logits: Array, card: ModelCard) -> None:
    allowed = output_counts(card)
    if logits.ndim != 2 or logits.shape[0] != films or logits.shape[1] not in allowed:
        counts = " or ".join(str(count) for count in allowed)
        raise _Broken(
            f"forward gave shape {tuple(logits.shape)} for {films} film(s), "
            f"the card's findings ask for ({films}, {counts})",
            "Check the card's findings and input size against the network.",
        )


def _refuse_probabilities(logits_BK: Array) -> None:
    # Noise, also a thousand times too loud, does not keep true logits in 0..1.
    if logits_BK.min() < 0 or logits_BK.max() > 1:
        return
    shares = logits_BK.shape[1] > 1 and _close(logits_BK.sum(axis=1), np.ones(len(logits_BK)))
    if not shares and np.ptp(logits_BK) < _TELLING:
        return
    raise _Broken(
        f"its outputs are probabilities ({'softmax' if shares else 'sigmoid'}), not logits",
        "Export the network without its last activation.",
    )


def _probe_features(runtime: Runtime, film: Array, other: Array) -> None:
    films = np.concatenate([film, other])
    features = runtime.features(films)
    if features.ndim != 4 or features.shape[0] != 2:
        raise _Broken(
            f"forward_features gave shape {tuple(features.shape)}, not (2, D, h, w)",
            "Cut the network before its pooling.",
        )
    if not _close(runtime.head(features), runtime.forward(films)):
        raise _Broken(
            "forward_head(forward_features(x)) is not forward(x)",
            "Export both halves of the same network.",
        )


def _close(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE))
