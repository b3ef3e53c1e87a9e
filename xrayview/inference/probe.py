"""Does a loaded network keep its card's contract? Asked once, before any film is judged."""

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
"""Of logits, absolute and relative: kernels differ between batch sizes by less."""
_SAME_WHOLE = 1e-5
"""Of halves that we cut ourselves: the same kernels in the same order."""
_LOUD = 1e3
_TELLING = 0.01
"""Outputs that differ by less between such inputs are a network's that has hardly learned."""


def probe(runtime: Runtime, card: ModelCard, path: Path) -> None:
    """Run noise in the shape of the card's input through the network.

    Raises:
        ContractBroken: logits are not (B, K) for B = 1 and 2, not finite, change with the batch,
            never change, are not of the kind that the card says, or are not those of the head on
            the features; `field` is the field of the card that is at odds with it.
        ModelError: the network fails for another reason.
    """
    film, other = noise(card)
    try:
        _probe_forward(runtime, card, film, other)
        if runtime.has_features:
            _probe_features(runtime, film, other)
    except _Broken as broken:
        raise ContractBroken(
            "The model breaks the contract of its card",
            path=path,
            why=broken.why,
            hint=broken.hint,
            field=broken.field,
        ) from None


def require_same_whole(runtime: Runtime, card: ModelCard) -> None:
    """Hold halves that were cut here against the whole, and let gradients flow once.

    Raises:
        ModelError: they do not give the whole network's logits, or fail.
    """
    films = np.concatenate([*noise(card), _shapes(card)])
    whole = runtime.forward(films)
    features = runtime.features(films)
    again = runtime.head(features)
    scale = max(1.0, float(np.abs(whole).max()))
    if whole.shape != again.shape or not np.abs(whole - again).max() <= _SAME_WHOLE * scale:
        raise ModelError("its halves do not give what the whole gives")
    runtime.feature_gradient(features[:1], np.ones(whole.shape[1], np.float32))


def same_scores(one_BK: Array, other_BK: Array, card: ModelCard) -> bool:
    """True where both logits make the same scores, whatever number a softmax takes off them."""
    one, other = (ACTIVATIONS[card.activation](x.astype(np.float64)) for x in (one_BK, other_BK))
    return one.shape == other.shape and bool(np.abs(one - other).max() <= _SAME_WHOLE)


class _Broken(Exception):
    """A clause of the contract that does not hold."""

    def __init__(self, why: str, hint: str, field: str = "") -> None:
        super().__init__(why)
        self.why, self.hint, self.field = why, hint, field


def noise(card: ModelCard) -> tuple[Array, Array]:
    """Two inputs of one film each, of other statistics, (1, C, H, W)."""
    spec = card.preprocessing
    shape = (2, 1, spec.channels, *spec.size)
    film, other = np.random.default_rng(0).standard_normal(shape, np.float32)
    # Of other statistics, or a batch normalisation that trains would not show.
    return film, 3 * other + 2


def _shapes(card: ModelCard) -> Array:
    """Inputs that look nothing alike, as the card has them: black, white, halves, two lungs."""
    height, width = card.preprocessing.size
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lungs = sum(((x - side) / 0.3) ** 2 + (y / 0.7) ** 2 < 1 for side in (-0.45, 0.45))
    greys = (0 * x, 0 * x + 1, x < 0, y < 0, 0.7 - 0.5 * lungs)
    finish = Preprocessor(card.preprocessing).finish
    return np.stack([finish(grey_HW.astype(np.float32)) for grey_HW in greys])


def _probe_forward(runtime: Runtime, card: ModelCard, film: Array, other: Array) -> None:
    alone = _first_logits(runtime, card, film)
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
    answers = np.concatenate([mixed, loud])
    _refuse_one_answer(runtime, card, answers)
    if card.outputs == "probabilities":
        _require_shares(answers, card)
    else:
        _refuse_probabilities(answers)
        _refuse_logarithms(answers, card)


def _first_logits(runtime: Runtime, card: ModelCard, film: Array) -> Array:
    try:
        return runtime.forward(film)
    except ModelError as error:
        if not isinstance(error.__cause__, RuntimeError):
            raise
        channels = card.preprocessing.channels
        others = 4 - channels  # 1 and 3 are what a card may say
        if _runs(runtime, np.repeat(film[:, :1], others, axis=1)):
            raise _Broken(
                f"it takes inputs of {others} channel(s), the card says {channels}",
                "Correct the channels in its card.",
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
            f"forward gave shape {tuple(logits.shape)} for {films} film(s), "
            f"the card's findings ask for ({films}, {counts})",
            "Check the card's findings and input size against the network.",
            "findings" if rows else "preprocessing.size",
        )


def _refuse_one_answer(runtime: Runtime, card: ModelCard, logits_BK: Array) -> None:
    # Bit for bit, and without any gradient: one that has hardly learned may move its answer by
    # less than the last digit, a dead one by nothing.
    if not _is_one_answer(logits_BK):
        return
    films = _shapes(card)
    if _is_one_answer(np.concatenate([logits_BK, runtime.forward(films)])) and not _is_moved(
        runtime, np.concatenate([films, *noise(card)]), logits_BK.shape[1]
    ):
        raise _Broken(
            "it gives the same answer, to the last bit, whatever the film shows",
            "Check that it holds its trained weights; a softmax of one output is always 1.",
        )


def _is_one_answer(logits_BK: Array) -> bool:
    return bool((logits_BK == logits_BK[0]).all())


def _is_moved(runtime: Runtime, films: Array, outputs: int) -> bool:
    if not runtime.has_gradient:
        return False
    # Weights without a pattern: those of a pair may be each other's negative.
    return bool(np.any(runtime.input_gradient(films, np.arange(1, outputs + 1, dtype=np.float32))))


def _require_shares(logits_BK: Array, card: ModelCard) -> None:
    """Probabilities that add up to one are a softmax's, but of two they may be a sigmoid's too."""
    softmax, count = card.activation == "softmax", logits_BK.shape[1]
    shares_BK = np.exp(logits_BK) if softmax else sigmoid(logits_BK.astype(np.float64))
    add_up = _close(shares_BK.sum(axis=1), np.ones(len(shares_BK)))
    if add_up != softmax and (softmax or count > 2):
        raise _Broken(
            f"its probabilities {'add' if add_up else 'do not add'} up to one",
            f"Say in its card that its activation is {'softmax' if add_up else 'sigmoid'}.",
            "activation",
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
        "Export the network without its last activation, or say in its card that it gives "
        "probabilities.",
        "inference.outputs",
    )


def _refuse_logarithms(logits_BK: Array, card: ModelCard) -> None:
    # A log-softmax is as good as logits to a softmax; a sigmoid would make other scores of it.
    if card.activation == "softmax" or logits_BK.shape[1] == 1 or logits_BK.max() > 0:
        return
    if _close(np.exp(logits_BK).sum(axis=1), np.ones(len(logits_BK))):
        raise _Broken(
            "its outputs are logarithms of probabilities that add up to one (log-softmax)",
            "Say in its card that its activation is softmax.",
            "activation",
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
