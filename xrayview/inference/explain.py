"""Heat maps: where on the film the evidence for a finding lies.

A map explains the quantity that decides the finding's score. With sigmoid that is its logit (in a
pair with one logit, the other finding has its negative). With softmax it is its logit minus the
mean of the others': a constant added to all logits changes no score, so it must not be evidence
either. For two findings this is exactly the logit of the score.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xrayview.domain.heat_map_methods import DEFAULT_METHOD, HEAT_MAP_METHODS, method_title
from xrayview.domain.model import Affine, HeatMap, ModelCard, ModelInput
from xrayview.errors import ModelError
from xrayview.inference.calibration import output_to_findings
from xrayview.inference.classifier import classify, film_path
from xrayview.inference.runtime import Runtime

Array = npt.NDArray[np.float32]

NEGLIGIBLE = 1e-6
"""Evidence below this, in logit units, is rounding error."""
_OCCLUSION_CELLS = 10
_OCCLUSION_BATCH = 10
_GRADIENT_CELL_PX = 8


Report = Callable[[int, int], None]
"""Called with steps done and in total; may raise Cancelled."""
Attribution = Callable[[Runtime, Array, Array, Report], Array]
"""`attribution(runtime, x_CHW, direction_K, report)` is evidence_hw: signed, in logit units per
cell, on a grid that covers the input evenly. It reports where it takes more than a few passes."""


def unreported(_done: int, _total: int) -> None:
    """Report to nobody."""


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
    (prediction,) = classify(runtime, card, (model_input,))
    with np.errstate(invalid="ignore", over="ignore"):  # reported below
        evidence_hw = np.maximum(_attribute(runtime, card, model_input, index, method, report), 0)
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


def grad_cam(runtime: Runtime, x_CHW: Array, direction_K: Array, _report: Report) -> Array:
    """Grad-CAM (Selvaraju et al., ICCV 2017): features weighted by the mean of their gradient."""
    features_1Dhw = runtime.features(x_CHW[None])
    gradient_Dhw = runtime.feature_gradient(features_1Dhw, direction_K)[0]
    weights_D = gradient_Dhw.mean(axis=(1, 2))
    return np.asarray(np.tensordot(weights_D, features_1Dhw[0], axes=1))


def occlusion(runtime: Runtime, x_CHW: Array, direction_K: Array, report: Report) -> Array:
    """Occlusion (Zeiler and Fergus, ECCV 2014): the loss when a cell is set to the film's mean."""
    rows, columns = (_edges(length) for length in x_CHW.shape[1:])
    cells = [(i, j) for i in range(len(rows) - 1) for j in range(len(columns) - 1)]
    mean_C11 = x_CHW.mean(axis=(1, 2), keepdims=True)
    loss = np.empty(len(cells), np.float32)
    whole = float(runtime.forward(x_CHW[None])[0] @ direction_K)
    for start in range(0, len(cells), _OCCLUSION_BATCH):
        part = cells[start : start + _OCCLUSION_BATCH]
        x_BCHW = np.repeat(x_CHW[None], len(part), axis=0)
        for x, (i, j) in zip(x_BCHW, part, strict=True):
            x[:, rows[i] : rows[i + 1], columns[j] : columns[j + 1]] = mean_C11
        loss[start : start + len(part)] = whole - runtime.forward(x_BCHW) @ direction_K
        report(start + len(part), len(cells))
    return loss.reshape(len(rows) - 1, len(columns) - 1)


def input_gradient(runtime: Runtime, x_CHW: Array, direction_K: Array, _report: Report) -> Array:
    """Gradient times the difference from the film's mean: occlusion's loss to first order."""
    gradient_CHW = runtime.input_gradient(x_CHW[None], direction_K)[0]
    contribution_HW = (gradient_CHW * (x_CHW - x_CHW.mean(axis=(1, 2), keepdims=True))).sum(axis=0)
    rows, columns = (
        np.linspace(0, length, max(1, length // _GRADIENT_CELL_PX), endpoint=False).astype(int)
        for length in contribution_HW.shape
    )
    by_rows = np.add.reduceat(contribution_HW, rows, axis=0)
    return np.asarray(np.add.reduceat(by_rows, columns, axis=1))


ATTRIBUTIONS: dict[str, Attribution] = {
    "grad-cam": grad_cam,
    "occlusion": occlusion,
    "input-gradient": input_gradient,
}
"""By the ids of `HEAT_MAP_METHODS`."""


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


def _attribute(
    runtime: Runtime,
    card: ModelCard,
    model_input: ModelInput,
    index: int,
    method: str,
    report: Report,
) -> Array:
    x_CHW = model_input.x_CHW
    outputs = runtime.forward(x_CHW[None]).shape[1]
    direction_K = explained_direction(card, index, outputs)
    attribute = ATTRIBUTIONS[method]
    if not card.flip_average:
        return attribute(runtime, x_CHW, direction_K, report)
    mirrored = np.ascontiguousarray(x_CHW[..., ::-1])
    evidence_hw = attribute(
        runtime, x_CHW, direction_K, lambda done, total: report(done, 2 * total)
    )
    mirrored_evidence_hw = attribute(
        runtime, mirrored, direction_K, lambda done, total: report(total + done, 2 * total)
    )[:, ::-1]
    return np.asarray((evidence_hw + mirrored_evidence_hw) / 2, np.float32)


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


def _edges(length: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, length, min(length, _OCCLUSION_CELLS) + 1).round().astype(np.int64)
