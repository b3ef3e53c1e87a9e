"""From inputs to predictions: batches, flip average, calibration, operating points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import GateVerdict, ModelCard, ModelInput, Prediction
from xrayview.domain.operating_points import flags_at, predicted_findings, thresholds_of
from xrayview.errors import ModelError
from xrayview.inference.calibration import calibrated_scores, output_to_findings
from xrayview.inference.ood_score import TrainingStatistics, feature_vectors
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

BATCH_FILMS = 16

LogitsBF = npt.NDArray[np.float64]
_UNCHECKED = GateVerdict()


def classify(
    runtime: Runtime,
    card: ModelCard,
    inputs: Sequence[ModelInput],
    statistics: TrainingStatistics | None = None,
) -> tuple[Prediction, ...]:
    """Classify films: one prediction per input, in order and independent of the other inputs.

    With the `statistics` of the training films, each prediction has the film's distance from them;
    this needs no second pass through the network.

    Raises:
        ModelError: an input was prepared for another model, or the network failed or returned NaN
            for the film of `path`. There are no predictions then; classify the films one by one.
    """
    for model_input in inputs:
        require_matching_input(card, model_input)
    if not inputs:
        return ()
    return tuple(
        prediction
        for start in range(0, len(inputs), BATCH_FILMS)
        for prediction in _classify(runtime, card, inputs[start : start + BATCH_FILMS], statistics)
    )


def require_matching_input(card: ModelCard, model_input: ModelInput) -> None:
    """Raise ModelError unless the input was preprocessed as this card requires."""
    expected = (card.preprocessing.channels, *card.preprocessing.size)
    if model_input.x_CHW.shape != expected:
        why = f"its input has shape {model_input.x_CHW.shape}, the model expects {expected}"
    elif model_input.preprocessing_id != Preprocessor(card.preprocessing).preprocessing_id:
        why = f"its preprocessing is {model_input.preprocessing_id}, which is not the card's"
    else:
        return
    raise ModelError(
        "The film was prepared for another model",
        path=film_path(model_input),
        why=why,
        hint="Classify the film again.",
    )


def predict(
    runtime: Runtime,
    card: ModelCard,
    film_id: str,
    logits_F: npt.NDArray[np.float64],
    gate: GateVerdict = _UNCHECKED,
) -> Prediction:
    """Make the prediction of one film from its logits, one per finding of the card."""
    names = tuple(finding.name for finding in card.findings)
    scores_F = calibrated_scores(logits_F, card)
    thresholds = thresholds_of(card)
    scores = tuple(map(float, scores_F))
    flags = flags_at(card, scores, thresholds)
    return Prediction(
        film_id=film_id,
        model_sha256=runtime.sha256,
        findings=names,
        scores=scores,
        logits=tuple(map(float, logits_F)),
        thresholds=thresholds,
        flags=flags,
        predicted=predicted_findings(card, scores, flags),
        uncertainty=uncertainty(scores_F, card),
        device=runtime.device,
        precision=runtime.precision,
        runtime=runtime.name,
        gate=gate,
    )


def uncertainty(scores_F: npt.NDArray[np.float64], card: ModelCard) -> float:
    """Entropy of the scores over its maximum, 0 (certain) .. 1; mean over findings for sigmoid."""
    if card.activation == "softmax":
        entropy = float(_entropy(scores_F).sum())
        return min(1.0, entropy / float(np.log(len(scores_F))))
    return min(1.0, float(np.mean(_entropy(scores_F) + _entropy(1 - scores_F)) / np.log(2)))


def film_path(model_input: ModelInput) -> Path:
    """The file of the film; `film_id` is PATH#FRAME."""
    return Path(model_input.film_id.rpartition("#")[0])


def _classify(
    runtime: Runtime,
    card: ModelCard,
    inputs: Sequence[ModelInput],
    statistics: TrainingStatistics | None,
) -> tuple[Prediction, ...]:
    x_BCHW = np.stack([model_input.x_CHW for model_input in inputs])
    gates: Sequence[GateVerdict] = [_UNCHECKED] * len(inputs)
    logits_BK, features_BDhw = runtime.each_film(x_BCHW, with_features=statistics is not None)
    if statistics is not None and features_BDhw is not None:
        distances_B = _distances(statistics, x_BCHW, features_BDhw)
        _require_finite(distances_B[:, None], inputs, "features")
        gates = [statistics.verdict(float(distance)) for distance in distances_B]
    _require_finite(logits_BK, inputs, "logits")
    flipped_BK = None
    if card.flip_average:
        flipped_BK, _ = runtime.each_film(x_BCHW[..., ::-1])
        _require_finite(flipped_BK, inputs, "logits")
    logits_BF = np.concatenate(
        [
            _finding_logits(card, logits_BK[i : i + 1].astype(np.float64), flipped_1K)
            for i, flipped_1K in enumerate(_films(flipped_BK, len(inputs)))
        ]
    )
    return tuple(
        predict(runtime, card, model_input.film_id, logits_F, gate)
        for model_input, logits_F, gate in zip(inputs, logits_BF, gates, strict=True)
    )


def _distances(
    statistics: TrainingStatistics,
    x_BCHW: npt.NDArray[np.float32],
    features_BDhw: npt.NDArray[np.float32],
) -> npt.NDArray[np.float64]:
    """The distances of the films, one by one: a product of matrices sums in another order for
    another number of films, and a film's last digits must not depend on the films beside it."""
    grid, thumbnail = statistics.grid, statistics.thumbnail
    vectors = (
        feature_vectors(x_BCHW[i : i + 1], features_BDhw[i : i + 1], grid, thumbnail)
        for i in range(len(x_BCHW))
    )
    return np.concatenate([statistics.distances(vectors_1V) for vectors_1V in vectors])


def _films(
    values_BK: npt.NDArray[np.floating] | None, films: int
) -> tuple[npt.NDArray[np.floating] | None, ...]:
    """The rows of each film; None for each where there are none."""
    if values_BK is None:
        return (None,) * films
    return tuple(values_BK[i : i + 1] for i in range(films))


def predict_from_passes(
    runtime: Runtime,
    card: ModelCard,
    model_input: ModelInput,
    logits_1K: Sequence[npt.NDArray[np.float32]],
) -> Prediction:
    """Make the prediction of one film from its pass and, with flip average, that of its mirror.

    Raises:
        ModelError: a logit is not finite.
    """
    for logits in logits_1K:
        _require_finite(logits, (model_input,), "logits")
    (logits_F,) = _finding_logits(card, *(logits.astype(np.float64) for logits in logits_1K))
    return predict(runtime, card, model_input.film_id, logits_F)


def _finding_logits(
    card: ModelCard,
    logits_BK: npt.NDArray[np.float64],
    flipped_BK: npt.NDArray[np.floating] | None = None,
) -> LogitsBF:
    if flipped_BK is not None:
        logits_BK = (logits_BK + flipped_BK) / 2
    return logits_BK @ output_to_findings(logits_BK.shape[1], card).T


def _require_finite(
    values_BN: npt.NDArray[np.floating], inputs: Sequence[ModelInput], what: str
) -> None:
    for model_input, values_N in zip(inputs, values_BN, strict=True):
        if not np.isfinite(values_N).all():
            raise ModelError(
                "The model has no valid result for this film",
                path=film_path(model_input),
                why=f"its {what} are NaN or infinite",
                hint="Check the film's pixel values, and report it to the model's authors.",
            )


def _entropy(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    safe = np.where(probabilities > 0, probabilities, 1.0)
    return np.asarray(-probabilities * np.log(safe))
