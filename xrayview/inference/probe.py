"""Checks of a loaded network against its card, made once before any film is classified."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import ModelCard
from xrayview.errors import ContractBroken, ModelError
from xrayview.inference.calibration import ACTIVATIONS, output_counts, sigmoid
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

Array = npt.NDArray[np.float32]

TOLERANCE = 1e-3
"""Absolute and relative tolerance of logits; kernels differ less between batch sizes."""
_SPLIT_TOLERANCE = 1e-5
"""Tolerance for a network split here: it runs the same kernels in the same order."""
_LARGE = 1e3
_MIN_SPREAD = 0.01
"""A network whose outputs differ by less between the probe's inputs has hardly been trained."""


def probe(runtime: Runtime, card: ModelCard, path: Path) -> None:
    """Run noise in the shape of the card's input through the network, and check the logits.

    Raises:
        ContractBroken: logits are not (B, K) for B = 1 and 2, not finite, depend on the batch,
            never change, are not of the kind that the card states, or differ from those of the
            head on the features; `field` names the field of the card that does not match.
        ModelError: the network fails for another reason.
    """
    film, other = noise(card)
    try:
        _check_forward(runtime, card, film, other)
        if runtime.has_features:
            _check_features(runtime, film, other)
    except _Broken as broken:
        raise ContractBroken(
            "The model does not match its card",
            path=path,
            why=broken.why,
            hint=broken.hint,
            field=broken.field,
        ) from None


def require_equal_parts(runtime: Runtime, card: ModelCard) -> None:
    """Compare the two parts of a split network with the whole, and compute one gradient.

    Raises:
        ModelError: the parts do not return the whole network's logits, or fail.
    """
    films = np.concatenate([*noise(card), _shapes(card)])
    whole = runtime.forward(films)
    features = runtime.features(films)
    parts = runtime.head(features)
    scale = max(1.0, float(np.abs(whole).max()))
    if whole.shape != parts.shape or not np.abs(whole - parts).max() <= _SPLIT_TOLERANCE * scale:
        raise ModelError("its two parts do not return what the whole network returns")
    runtime.feature_gradient(features[:1], np.ones(whole.shape[1], np.float32))


def same_scores(one_BK: Array, other_BK: Array, card: ModelCard) -> bool:
    """True where both logits give the same scores; a softmax ignores a constant added to them."""
    one, other = (ACTIVATIONS[card.activation](x.astype(np.float64)) for x in (one_BK, other_BK))
    return one.shape == other.shape and bool(np.abs(one - other).max() <= _SPLIT_TOLERANCE)


class _Broken(Exception):
    """A failed check."""

    def __init__(self, why: str, hint: str, field: str = "") -> None:
        super().__init__(why)
        self.why, self.hint, self.field = why, hint, field


def noise(card: ModelCard) -> tuple[Array, Array]:
    """Two inputs of one film each with different statistics, (1, C, H, W)."""
    spec = card.preprocessing
    shape = (2, 1, spec.channels, *spec.size)
    film, other = np.random.default_rng(0).standard_normal(shape, np.float32)
    # With equal statistics, batch normalisation in training mode would go unnoticed.
    return film, 3 * other + 2


def _shapes(card: ModelCard) -> Array:
    """Preprocessed inputs that differ widely: black, white, halves, two lungs."""
    height, width = card.preprocessing.size
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lungs = sum(((x - side) / 0.3) ** 2 + (y / 0.7) ** 2 < 1 for side in (-0.45, 0.45))
    greys = (0 * x, 0 * x + 1, x < 0, y < 0, 0.7 - 0.5 * lungs)
    finish = Preprocessor(card.preprocessing).finish
    return np.stack([finish(grey_HW.astype(np.float32)) for grey_HW in greys])


def _check_forward(runtime: Runtime, card: ModelCard, film: Array, other: Array) -> None:
    single = _first_logits(runtime, card, film)
    pair = runtime.forward(np.concatenate([film, film]))
    mixed = runtime.forward(np.concatenate([film, other]))
    for films, logits in ((1, single), (2, pair), (2, mixed)):
        _require_shape(films, logits, card)
    large = runtime.forward(np.concatenate([_LARGE * film, -_LARGE * other]))
    if not all(np.isfinite(logits).all() for logits in (single, pair, mixed)):
        raise _Broken("its logits are NaN or infinite", "Export the network again.")
    if not _close(pair[0], pair[1]) or not _close(pair[:1], single):
        raise _Broken(
            "the same film gets different logits each time",
            "Export the network in evaluation mode; dropout is probably active.",
        )
    if not _close(mixed[:1], single):
        raise _Broken(
            "a film's logits depend on the other films in its batch",
            "Export the network in evaluation mode; batch normalisation probably is not.",
        )
    logits_BK = np.concatenate([mixed, large])
    _refuse_constant(runtime, card, logits_BK)
    if card.outputs == "probabilities":
        _require_probabilities(logits_BK, card)
    else:
        _refuse_probabilities(logits_BK)
        _refuse_log_softmax(logits_BK, card)


def _first_logits(runtime: Runtime, card: ModelCard, film: Array) -> Array:
    try:
        return runtime.forward(film)
    except ModelError as error:
        if not isinstance(error.__cause__, RuntimeError):
            raise
        channels = card.preprocessing.channels
        others = 4 - channels  # a card may state 1 or 3
        if _runs(runtime, np.repeat(film[:, :1], others, axis=1)):
            raise _Broken(
                f"it takes inputs with {others} channel(s), the card states {channels}",
                "Correct the channels in the card.",
                "preprocessing.channels",
            ) from None
        raise _Broken(error.why, error.hint, "preprocessing.size") from None


def _runs(runtime: Runtime, film: Array) -> bool:
    try:
        runtime.forward(film)
    except ModelError:
        return False
    return True


def _require_shape(films: int, logits: Array, card: ModelCard) -> None:
    allowed = output_counts(card)
    if logits.ndim != 2 or logits.shape[0] != films or logits.shape[1] not in allowed:
        counts = " or ".join(str(count) for count in allowed)
        rows = logits.ndim == 2 and logits.shape[0] == films
        raise _Broken(
            f"forward returned shape {tuple(logits.shape)} for {films} film(s), "
            f"the card's findings require ({films}, {counts})",
            "Correct the findings or the input size in the card.",
            "findings" if rows else "preprocessing.size",
        )


def _refuse_constant(runtime: Runtime, card: ModelCard, logits_BK: Array) -> None:
    # Equal to the last bit, and without any gradient: the outputs of a network that has hardly been
    # trained may differ by less than the last digit, those of a dead network by nothing.
    if not _is_constant(logits_BK):
        return
    films = _shapes(card)
    if _is_constant(np.concatenate([logits_BK, runtime.forward(films)])) and not _has_gradient(
        runtime, np.concatenate([films, *noise(card)]), logits_BK.shape[1]
    ):
        raise _Broken(
            "its outputs are the same, to the last bit, for every film",
            "Check that it has its trained weights; a softmax of one output is always 1.",
        )


def _is_constant(logits_BK: Array) -> bool:
    return bool((logits_BK == logits_BK[0]).all())


def _has_gradient(runtime: Runtime, films: Array, outputs: int) -> bool:
    if not runtime.has_gradient:
        return False
    # Weights without a pattern: those of a pair may be each other's negative.
    return bool(np.any(runtime.input_gradient(films, np.arange(1, outputs + 1, dtype=np.float32))))


def _require_probabilities(logits_BK: Array, card: ModelCard) -> None:
    """Probabilities that add up to one are a softmax's; two may also be a sigmoid's."""
    softmax, count = card.activation == "softmax", logits_BK.shape[1]
    probabilities_BK = np.exp(logits_BK) if softmax else sigmoid(logits_BK.astype(np.float64))
    add_up = _close(probabilities_BK.sum(axis=1), np.ones(len(probabilities_BK)))
    if add_up != softmax and (softmax or count > 2):
        raise _Broken(
            f"its probabilities {'add' if add_up else 'do not add'} up to one",
            f"State in the card that the activation is {'softmax' if add_up else 'sigmoid'}.",
            "activation",
        )


def _refuse_probabilities(logits_BK: Array) -> None:
    # For noise, and for noise a thousand times as large, true logits do not all lie in 0..1.
    if logits_BK.min() < 0 or logits_BK.max() > 1:
        return
    add_up = logits_BK.shape[1] > 1 and _close(logits_BK.sum(axis=1), np.ones(len(logits_BK)))
    if not add_up and np.ptp(logits_BK) < _MIN_SPREAD:
        return
    raise _Broken(
        f"its outputs are probabilities ({'softmax' if add_up else 'sigmoid'}), not logits",
        "Export the network without its last activation, or state in the card that the outputs "
        "are probabilities.",
        "inference.outputs",
    )


def _refuse_log_softmax(logits_BK: Array, card: ModelCard) -> None:
    # A softmax treats a log-softmax like logits; a sigmoid would turn it into wrong scores.
    if card.activation == "softmax" or logits_BK.shape[1] == 1 or logits_BK.max() > 0:
        return
    if _close(np.exp(logits_BK).sum(axis=1), np.ones(len(logits_BK))):
        raise _Broken(
            "its outputs are logarithms of probabilities that add up to one (log-softmax)",
            "State in the card that the activation is softmax.",
            "activation",
        )


def _check_features(runtime: Runtime, film: Array, other: Array) -> None:
    films = np.concatenate([film, other])
    features = runtime.features(films)
    if features.ndim != 4 or features.shape[0] != 2:
        raise _Broken(
            f"forward_features returned shape {tuple(features.shape)}, not (2, D, h, w)",
            "Split the network before its pooling.",
        )
    if not _close(runtime.head(features), runtime.forward(films)):
        raise _Broken(
            "forward_head(forward_features(x)) differs from forward(x)",
            "Export both parts from the same network.",
        )


def _close(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE))
