"""Heat maps: where on the film the evidence for a finding lies.

A map explains the quantity that decides the finding's score. With sigmoid that is its logit (in a
pair with one logit, the other finding has its negative). With softmax it is its logit minus the
mean of the others': a constant added to all logits changes no score, so it must not be evidence
either. For two findings this is exactly the logit of the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.domain.heat_map_methods import DEFAULT_METHOD, HEAT_MAP_METHODS, method_title
from xrayview.domain.model import Affine, HeatMap, ModelCard, ModelInput
from xrayview.errors import ModelError
from xrayview.inference.attributions import (
    ATTRIBUTIONS,
    Array,
    Explained,
    Report,
    unreported,
)
from xrayview.inference.calibration import output_to_findings
from xrayview.inference.classifier import (
    film_path,
    predict_from_passes,
    require_matching_input,
)
from xrayview.inference.runtime import Runtime

NEGLIGIBLE = 1e-6
"""Evidence below this, in logit units, is rounding error."""


def explain(
    runtime: Runtime,
    card: ModelCard,
    model_input: ModelInput,
    finding: str,
    method: str = DEFAULT_METHOD,
    report: Report = unreported,
) -> HeatMap:
    """Compute the heat map of one finding in film coordinates.

    Only positive evidence counts, and only in cells that overlap the film: the background that
    letterboxing adds is not part of it. Where the card has `flip_average`, the map is the mean over
    the film and its mirror image, as the score is.

    Raises:
        ModelError: the model does not score the finding or does not offer the method, the input was
            prepared for another model, or the result is not finite.
        Cancelled: by `report`.
    """
    index = _index_of(finding, card)
    if method not in runtime.explain_methods:
        raise _not_available(method, runtime)
    require_matching_input(card, model_input)
    passes = _passes(runtime, card, model_input, HEAT_MAP_METHODS[method].needs_features)
    prediction = predict_from_passes(runtime, card, model_input, [p.logits_1K for p in passes])
    direction_K = explained_direction(card, index, passes[0].logits_1K.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):  # reported below
        evidence_hw = np.maximum(_attribute(runtime, passes, direction_K, method, report), 0)
    if not np.isfinite(evidence_hw).all():
        raise ModelError(
            "The heat map has values that are not finite",
            path=film_path(model_input),
            why=f"{method_title(method)} returned NaN or infinity",
            hint="Try another method.",
        )
    grid_to_input = _grid_to_input(evidence_hw, model_input)
    evidence_hw[~_on_film(evidence_hw, grid_to_input, model_input)] = 0
    peak = float(evidence_hw.max())
    peak = peak if peak > NEGLIGIBLE else 0.0
    return HeatMap(
        film_id=model_input.film_id,
        model_sha256=runtime.sha256,
        finding=finding,
        method=method,
        score=prediction.scores[index],
        threshold=prediction.thresholds[index],
        values_hw=(evidence_hw / peak if peak else np.zeros_like(evidence_hw)).astype(np.float32),
        grid_to_film=grid_to_input.then(model_input.film_to_input.inverse()),
        film_size=model_input.film_size,
        evidence=peak,
    )


def explained_direction(card: ModelCard, index: int, outputs: int) -> Array:
    """The quantity to explain, as weights of the network's outputs, shape (outputs,)."""
    to_findings = output_to_findings(outputs, card)
    if card.activation == "softmax":
        others = np.delete(to_findings, index, axis=0).mean(axis=0)
        return np.asarray(to_findings[index] - others, np.float32)
    return np.asarray(to_findings[index], np.float32)


def _not_available(method: str, runtime: Runtime) -> ModelError:
    missing = HEAT_MAP_METHODS[method].needs_features and not runtime.has_features
    return ModelError(
        f"{method_title(method)} is not available for this model",
        why=f"it has no forward_features and forward_head, and {runtime.features_note}"
        if missing
        else "its runtime computes no gradients",
        hint=f"Choose {' or '.join(runtime.explain_methods)}.",
    )


def _index_of(finding: str, card: ModelCard) -> int:
    names = [known.name for known in card.findings]
    if finding not in names:
        raise ModelError(
            f"The model does not score {finding!r}", hint=f"Choose one of {', '.join(names)}."
        )
    return names.index(finding)


@dataclass(frozen=True)
class _Pass:
    """One pass through the network: of the film, or of its mirror image."""

    x_CHW: Array
    logits_1K: Array
    features_1Dhw: Array | None


def _passes(
    runtime: Runtime, card: ModelCard, model_input: ModelInput, with_features: bool
) -> list[_Pass]:
    inputs = [model_input.x_CHW]
    if card.flip_average:
        inputs.append(np.ascontiguousarray(model_input.x_CHW[..., ::-1]))
    return [
        _Pass(x_CHW, *runtime.each_film(x_CHW[None], with_features=with_features))
        for x_CHW in inputs
    ]


def _attribute(
    runtime: Runtime, passes: list[_Pass], direction_K: Array, method: str, report: Report
) -> Array:
    """The evidence of all passes, each turned back to the film, averaged."""
    found = []
    for index, each in enumerate(passes):

        def step(done: int, total: int, first: int = index) -> None:
            report(first * total + done, len(passes) * total)

        film = Explained(runtime, each.x_CHW, direction_K, each.features_1Dhw, step)
        evidence_hw = ATTRIBUTIONS[method](film)
        found.append(evidence_hw[:, ::-1] if index else evidence_hw)
    return np.asarray(sum(found) / len(found), np.float32)


def _grid_to_input(evidence_hw: Array, model_input: ModelInput) -> Affine:
    (h, w), (height, width) = evidence_hw.shape, model_input.x_CHW.shape[1:]
    return Affine(height / h, width / w)


def _on_film(
    evidence_hw: Array, grid_to_input: Affine, model_input: ModelInput
) -> npt.NDArray[np.bool_]:
    """True for the cells that overlap the film."""
    to_grid = model_input.film_to_input.then(grid_to_input.inverse())
    top, left = to_grid.apply(0, 0)
    bottom, right = to_grid.apply(*model_input.film_size)
    rows, columns = (np.arange(length) for length in evidence_hw.shape)
    return np.asarray(_overlaps(rows, top, bottom)[:, None] & _overlaps(columns, left, right))


def _overlaps(cells: npt.NDArray[np.int64], start: float, stop: float) -> npt.NDArray[np.bool_]:
    rounding = 1e-6
    return (cells + 1 > start + rounding) & (cells < stop - rounding)
