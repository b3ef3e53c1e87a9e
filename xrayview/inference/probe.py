"""Checks of a loaded network against its card, made once before any film is classified."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import ModelCard
from xrayview.domain.sentences import counted
from xrayview.errors import ContractBroken, ModelError
from xrayview.inference.calibration import ACTIVATIONS, MIN_PROBABILITY, output_counts, sigmoid
from xrayview.inference.outputs import MIN_PERCENT
from xrayview.inference.runtime import Runtime
from xrayview.inference.torch_errors import advice
from xrayview.preprocessing.pipeline import Preprocessor

Array = npt.NDArray[np.float32]

TOLERANCE = 1e-3
"""Absolute and relative tolerance of logits; kernels differ less between batch sizes."""
_SPLIT_TOLERANCE = 1e-5
"""Tolerance for a network split here: it runs the same kernels in the same order."""
_REPEATS = 4
_REPEAT_TOLERANCE = 1e-5
"""Relative tolerance of the same input again: some kernels add in another order."""
_LARGE = 1e3
_LEVELS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.5, 0.55, 0.65, 0.75, 0.85, 0.95)
"""Mean greys of the test films, 0 to 1."""
_COMMON_SIDES = (224, 256, 299, 320, 384, 448, 512, 128, 96, 64, 32, 28, 331, 380, 456, 480, 600,
                 640, 1024)  # fmt: skip
"""Input sizes of published networks, the commonest first."""
_EDGE = 1e-6
_MIN_SPREAD = 0.01
"""A network whose outputs differ by less between the probe's inputs has hardly been trained."""


def probe(runtime: Runtime, card: ModelCard, path: Path) -> None:
    """Run noise and drawn films through the network, and check the logits.

    Raises:
        ContractBroken: logits are not (B, K) for B = 1 and 2, not finite, change by chance,
            depend on the batch, never change, are not of the kind that the card states, or differ
            from those of the head on the features; `field` names the field of the card that does
            not match.
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


def films_like_training(card: ModelCard) -> Array:
    """Preprocessed inputs that resemble films, from dark to bright, (B, C, H, W)."""
    return _films(card)


def noise(card: ModelCard) -> tuple[Array, Array]:
    """Two inputs of one film each with different statistics, (1, C, H, W)."""
    spec = card.preprocessing
    shape = (2, 1, spec.channels, *spec.size)
    film, other = np.random.default_rng(0).standard_normal(shape, np.float32)
    # With equal statistics, batch normalisation in training mode would go unnoticed.
    return film, 3 * other + 2


def _shapes(card: ModelCard) -> Array:
    """Preprocessed inputs that differ widely: black, white, halves, two lungs."""
    y, x, lungs = _lungs(card)
    greys = (0 * x, 0 * x + 1, x < 0, y < 0, 0.7 - 0.5 * lungs)
    return _preprocessed(greys, card)


def _films(card: ModelCard) -> Array:
    """Preprocessed inputs that resemble films: two lungs with grain, from dark to bright."""
    _, _, lungs = _lungs(card)
    grain = np.random.default_rng(1).standard_normal(lungs.shape)
    greys = (level + 0.15 * (0.5 - lungs) + 0.03 * grain for level in _LEVELS)
    return _preprocessed([np.clip(grey, 0, 1) for grey in greys], card)


def _lungs(card: ModelCard) -> tuple[Any, Any, Any]:
    """Coordinates from -1 to 1, and where the lungs are."""
    height, width = card.preprocessing.size
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return y, x, sum(((x - side) / 0.3) ** 2 + (y / 0.7) ** 2 < 1 for side in (-0.45, 0.45))


def _preprocessed(greys: Iterable[Any], card: ModelCard) -> Array:
    finish = Preprocessor(card.preprocessing).finish
    return np.stack([finish(grey_HW.astype(np.float32)) for grey_HW in greys])


def _check_forward(runtime: Runtime, card: ModelCard, film: Array, other: Array) -> None:
    single = _first_logits(runtime, card, film)
    _require_shape(1, single, card)
    films = _films(card)
    of_films = runtime.forward(films)
    _require_shape(len(films), of_films, card)
    _require_numbers(of_films, single)
    if not np.isfinite(single).all():
        # A network for greys of 0 to 1 may take their logarithm, which noise does not have.
        film, other = films[:1], films[-1:]
        single = runtime.forward(film)
    pair = runtime.forward(np.concatenate([film, film]))
    mixed = runtime.forward(np.concatenate([film, other]))
    for logits in (pair, mixed):
        _require_shape(2, logits, card)
    if not all(np.isfinite(logits).all() for logits in (pair, mixed)):
        raise _Broken("its logits are NaN or infinite", "Export the network again.")
    _refuse_noise(runtime, film, single, pair)
    if not _close(mixed[:1], single):
        raise _Broken(
            "a film's logits depend on the other films in its batch",
            "Export the network in evaluation mode; batch normalisation probably is not.",
        )
    large = runtime.forward(np.concatenate([_LARGE * film, -_LARGE * other]))
    large = large[np.isfinite(large).all(axis=1)]
    logits_BK = np.concatenate([mixed, large])
    all_BK = np.concatenate([logits_BK, of_films])
    _refuse_decisions(all_BK, card)
    _refuse_constant(runtime, card, logits_BK)
    if card.outputs == "probabilities":
        _require_probabilities(all_BK, card)
        _refuse_double_activation(all_BK, card)
    else:
        _refuse_percent(np.concatenate([mixed, of_films]), large)
        _refuse_probabilities(all_BK)
        _refuse_log_softmax(all_BK, card)


def _require_numbers(of_films: Array, of_noise: Array) -> None:
    """Refuse NaN and infinity for any of the test films."""
    finite = np.asarray(np.isfinite(of_films).all(axis=1))
    if finite.all():
        return
    if not finite.any() and not np.isfinite(of_noise).all():
        raise _Broken("its logits are NaN or infinite", "Export the network again.")
    levels = ", ".join(f"{level:g}" for level, ok in zip(_LEVELS, finite, strict=True) if not ok)
    raise _Broken(
        f"its logits are NaN or infinite for {np.count_nonzero(~finite)} of {len(finite)} test "
        f"films (mean grey {levels} of 0 to 1)",
        "Check the scale in the card; otherwise the network fails for some films.",
        "preprocessing.value_range",
    )


def _refuse_noise(runtime: Runtime, film: Array, single: Array, pair: Array) -> None:
    """Refuse a network that does not give the same film the same logits each time."""
    again = [runtime.forward(film) for _ in range(_REPEATS)]
    noise = max(float(np.abs(logits - single).max()) for logits in again)
    limit = _REPEAT_TOLERANCE * max(1.0, float(np.abs(single).max()))
    differs = not noise <= limit or not (_close(pair[0], pair[1]) and _close(pair[:1], single))
    found = runtime.random_operations()
    has_dropout = any("dropout" in name for name in found)
    if not differs and not has_dropout:
        return
    why = "the same film gets different logits each time"
    if differs and noise <= limit:
        why = "the same film gets different logits alone and in a batch"
    elif differs:
        why += f" (by {noise:.2g})"
    if has_dropout:
        hint = "Export the network in evaluation mode; dropout is active."
        why = why if differs else "its dropout is active: a film's logits change by chance"
    elif found:
        hint = f"Export the network without random numbers ({', '.join(found)})."
    else:
        hint = "Export the network in evaluation mode, without a state that changes with each film."
    raise _Broken(why, hint)


def _refuse_decisions(logits_BK: Array, card: ModelCard) -> None:
    """Refuse outputs that are only 0 and 1, as after an argmax or a threshold."""
    if card.outputs == "probabilities":
        softmax = card.activation == "softmax"
        edge = -np.log(MIN_PROBABILITY)
        high = 0.0 if softmax else edge
        is_edge = (np.abs(logits_BK + edge) < _EDGE) | (np.abs(logits_BK - high) < _EDGE)
    else:
        is_edge = (logits_BK == 0) | (logits_BK == 1)
    if is_edge.all() and np.ptp(logits_BK) > _EDGE:
        raise _Broken(
            "its outputs are only 0 and 1: decisions, as after an argmax or a threshold, and not "
            "scores",
            "Export the network without this last step.",
        )


def _refuse_percent(logits_BK: Array, large_BK: Array) -> None:
    """Refuse percentages: they stay within 0 to 100 for large inputs too, and are seldom near 0."""
    all_BK = np.concatenate([logits_BK, large_BK])
    low, high = float(all_BK.min()), float(all_BK.max())
    if low < 0 or not MIN_PERCENT < high <= 100 * (1 + TOLERANCE):
        return
    add_up = all_BK.shape[1] > 1 and _close(all_BK.sum(axis=1), np.full(len(all_BK), 100.0))
    saturated = high >= 99 and large_BK.size and float(large_BK.max()) == high
    # A network that ends in a ReLU has logits of at least 0, but many of exactly 0.
    if add_up or saturated or float(logits_BK.min()) > 1:
        raise _Broken(
            f"its outputs of {low:.3g} to {high:.3g} are percentages (0 to 100), not logits",
            "Export the network with outputs of 0 to 1, and state that they are probabilities.",
            "inference.outputs",
        )


def _refuse_double_activation(logits_BK: Array, card: ModelCard) -> None:
    """Refuse an activation of an activation, which reaches only a part of 0 to 1."""
    count = logits_BK.shape[1]
    if card.activation == "softmax":
        probabilities_BK = np.exp(logits_BK.astype(np.float64))
        low, high = 1 / (np.e + count - 1), np.e / (np.e + count - 1)
    else:
        probabilities_BK = sigmoid(logits_BK.astype(np.float64))
        low, high = 0.5, float(sigmoid(np.ones(1))[0])
    lowest, highest = probabilities_BK.min(), probabilities_BK.max()
    # Large inputs saturate the first activation, so that both ends are reached exactly.
    if abs(lowest - low) < TOLERANCE and abs(highest - high) < TOLERANCE:
        raise _Broken(
            f"its probabilities lie within {low:.3f} and {high:.3f}: its {card.activation} is "
            "applied twice",
            "Export the network with one activation, or without any.",
            "inference.outputs",
        )


def _first_logits(runtime: Runtime, card: ModelCard, film: Array) -> Array:
    try:
        return runtime.forward(film)
    except ModelError as error:
        if error.__cause__ is None:
            raise
        channels, size = card.preprocessing.channels, card.preprocessing.size
        others = 4 - channels  # a card may state 1 or 3
        if _runs(runtime, np.repeat(film[:, :1], others, axis=1)):
            raise _Broken(
                f"it takes inputs with {counted(others, 'channel')}, the card states {channels}",
                "Correct the channels in the card.",
                "preprocessing.channels",
            ) from None
        if _runs(runtime, np.ascontiguousarray(film.transpose(0, 2, 3, 1))):
            raise _Broken(
                "it takes inputs with the channels last (B, H, W, C)",
                "Export the network with the channels first (B, C, H, W).",
            ) from None
        for side in _COMMON_SIDES:
            if (side, side) != size and _runs(runtime, _of_side(film, side)):
                raise _Broken(
                    f"it does not run on {size[0]} x {size[1]} pixels, but on {side} x {side}",
                    f"State {side} x {side} as the input size in the card, if it was trained so.",
                    "preprocessing.size",
                ) from None
        raise _Broken(error.why, error.hint, advice(error.why).field) from None


def _of_side(film: Array, side: int) -> Array:
    shape = (1, film.shape[1], side, side)
    return np.resize(film, shape)


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
            f"forward returned shape {tuple(logits.shape)} for {counted(films, 'film')}, "
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
    try:
        gradient = runtime.input_gradient(films, np.arange(1, outputs + 1, dtype=np.float32))
    except ModelError:
        return False
    return bool(np.any(gradient))


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
