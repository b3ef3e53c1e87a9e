"""Inputs in, predictions out: batches, flip average, calibration, operating points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import ModelCard, ModelInput, Prediction
from xrayview.errors import ModelError
from xrayview.inference.calibration import output_to_findings, scores_of
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

BATCH_FILMS = 16

LogitsBF = npt.NDArray[np.float64]


def classify(
    runtime: Runtime, card: ModelCard, inputs: Sequence[ModelInput]
) -> tuple[Prediction, ...]:
    """One prediction for each input, in order; a film's does not depend on the others'.

    Raises:
        ModelError: an input was prepared for another model, or the network failed or gave NaN
            for a film, which `path` names. No prediction is given then; ask for the others apart.
    """
    for model_input in inputs:
        require_fit(card, model_input)
    if not inputs:
        return ()
    logits_BF = np.concatenate(
        [
            _logits(runtime, card, inputs[start : start + BATCH_FILMS])
            for start in range(0, len(inputs), BATCH_FILMS)
        ]
    )
    return tuple(
        predict(runtime, card, model_input.film_id, logits_F)
        for model_input, logits_F in zip(inputs, logits_BF, strict=True)
    )


def require_fit(card: ModelCard, model_input: ModelInput) -> None:
    """Raise ModelError unless the input was made by the preprocessing of this card."""
    wanted = (card.preprocessing.channels, *card.preprocessing.size)
    if model_input.x_CHW.shape != wanted:
        why = f"input of {model_input.x_CHW.shape}, the model takes {wanted}"
    elif model_input.preprocessing_id != Preprocessor(card.preprocessing).preprocessing_id:
        why = f"preprocessing {model_input.preprocessing_id} is not that of the card"
    else:
        return
    raise ModelError(
        "The film was prepared for another model",
        path=film_path(model_input),
        why=why,
        hint="Classify the film again.",
    )


def predict(
    runtime: Runtime, card: ModelCard, film_id: str, logits_F: npt.NDArray[np.float64]
) -> Prediction:
    """The prediction that belongs to one film's logits, one for each finding of the card."""
    names = tuple(finding.name for finding in card.findings)
    scores_F = scores_of(logits_F, card)
    thresholds = thresholds_of(card)
    flags = _flags(card, scores_F, thresholds)
    top = names[int(np.argmax(scores_F))]
    flagged = "|".join(name for name, flag in zip(names, flags, strict=True) if flag)
    return Prediction(
        film_id=film_id,
        model_sha256=runtime.sha256,
        findings=names,
        scores=tuple(map(float, scores_F)),
        logits=tuple(map(float, logits_F)),
        thresholds=thresholds,
        flags=flags,
        predicted=top if card.task == "multiclass" else flagged,
        uncertainty=uncertainty(scores_F, card),
        device=runtime.device,
        precision=runtime.precision,
    )


def thresholds_of(card: ModelCard) -> tuple[float, ...]:
    """The operating point of each finding.

    Of the two findings of a binary model, the one without an operating point of its own has the
    complement of the other's: the pair is decided once.
    """
    values = [card.operating_point(finding.name).threshold for finding in card.findings]
    follower = _follower(card)
    if follower is not None:
        values[follower] = 1.0 - values[1 - follower]
    return tuple(values)


def uncertainty(scores_F: npt.NDArray[np.float64], card: ModelCard) -> float:
    """Entropy of the scores over its maximum, 0 (sure) .. 1; mean over findings for sigmoid."""
    if card.activation == "softmax":
        entropy = float(_entropy(scores_F).sum())
        return min(1.0, entropy / float(np.log(len(scores_F))))
    return min(1.0, float(np.mean(_entropy(scores_F) + _entropy(1 - scores_F)) / np.log(2)))


def film_path(model_input: ModelInput) -> Path:
    """The file behind `film_id`, which is PATH#FRAME."""
    return Path(model_input.film_id.rpartition("#")[0])


def _logits(runtime: Runtime, card: ModelCard, inputs: Sequence[ModelInput]) -> LogitsBF:
    x_BCHW = np.stack([model_input.x_CHW for model_input in inputs])
    logits_BK = runtime.forward(x_BCHW).astype(np.float64)
    if card.flip_average:
        logits_BK = (logits_BK + runtime.forward(x_BCHW[..., ::-1])) / 2
    for model_input, logits_K in zip(inputs, logits_BK, strict=True):
        if not np.isfinite(logits_K).all():
            raise ModelError(
                "The model gave no number for this film",
                path=film_path(model_input),
                why="its logits are NaN or infinite",
                hint="Look at the film's values; report it to who made the model.",
            )
    return logits_BK @ output_to_findings(logits_BK.shape[1], card).T


def _flags(
    card: ModelCard, scores_F: npt.NDArray[np.float64], thresholds: tuple[float, ...]
) -> tuple[bool, ...]:
    flags = [bool(s >= t) for s, t in zip(scores_F, thresholds, strict=True)]
    follower = _follower(card)
    if follower is not None:
        # Exactly one of the pair, also where a score lies on the threshold.
        flags[follower] = not flags[1 - follower]
    return tuple(flags)


def _follower(card: ModelCard) -> int | None:
    """The finding of a complementary pair that has no operating point of its own."""
    names = [finding.name for finding in card.findings]
    if card.task != "binary" or len(names) != 2:
        return None
    chosen = {point.finding for point in card.operating_points}
    without = [i for i, name in enumerate(names) if name not in chosen]
    if len(without) == 2:
        return next(i for i, finding in enumerate(card.findings) if not finding.abnormal)
    return without[0] if without else None


def _entropy(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    safe = np.where(shares > 0, shares, 1.0)
    return np.asarray(-shares * np.log(safe))
