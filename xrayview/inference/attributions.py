"""The computations behind the heat-map methods, by the ids of `HEAT_MAP_METHODS`.

Each returns signed evidence for a quantity `logits @ direction`, on a grid that covers the input
evenly. Grad-CAM, HiResCAM, occlusion and the gradient methods are in logit units per cell;
Grad-CAM++, LayerCAM, Score-CAM and Eigen-CAM are only comparable within a film.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.inference.runtime import Runtime

Array = npt.NDArray[np.float32]
Report = Callable[[int, int], None]
"""Called with steps done and in total; may raise Cancelled."""

_OCCLUSION_CELLS = 10
_BATCH = 10
"""Inputs per pass of the methods with many passes: progress and cancelling stay quick."""
_GRADIENT_CELL_PX = 8
_SMOOTH_SAMPLES = 25
_SMOOTH_NOISE = 0.15
"""Standard deviation of SmoothGrad's noise, as a share of the film's range (10 % to 20 % there)."""
_PATH_STEPS = 32
"""Of integrated gradients; the paper has 20 to 300."""


def unreported(_done: int, _total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Explained:
    """One input of a network, and the quantity to explain."""

    runtime: Runtime
    x_CHW: Array
    direction_K: Array
    """Weights of the network's outputs."""
    features_1Dhw: Array | None = None
    """The last feature map, where it is known from the pass that scored the film."""
    report: Report = unreported

    @property
    def features(self) -> Array:
        """The last feature map, shape (1, D, h, w)."""
        if self.features_1Dhw is not None:
            return self.features_1Dhw
        return self.runtime.features(self.x_CHW[None])

    def value(self, x_BCHW: Array) -> Array:
        """The quantity for other inputs, shape (B,)."""
        return np.asarray(self.runtime.forward(x_BCHW) @ self.direction_K)

    @property
    def from_mean_CHW(self) -> Array:
        """The distance of each pixel from the film's mean."""
        return np.asarray(self.x_CHW - self.x_CHW.mean(axis=(1, 2), keepdims=True))


Attribution = Callable[[Explained], Array]


def grad_cam(film: Explained) -> Array:
    """Grad-CAM (Selvaraju et al., ICCV 2017): features weighted by the mean of their gradient."""
    features, gradient = _with_gradient(film)
    return np.asarray(np.tensordot(gradient.mean(axis=(1, 2)), features, axes=1))


def hires_cam(film: Explained) -> Array:
    """HiResCAM (Draelos and Carin, arXiv:2011.08891): features times gradient, cell by cell.

    Equal to Grad-CAM where the head begins with global average pooling.
    """
    features, gradient = _with_gradient(film)
    return np.asarray((features * gradient).sum(axis=0))


def grad_cam_plus_plus(film: Explained) -> Array:
    """Grad-CAM++ (Chattopadhay et al., WACV 2018), with the closed form for exp(logit)."""
    features, gradient = _with_gradient(film)
    square, cube = gradient**2, gradient**3
    total_D = features.sum(axis=(1, 2))
    below = 2 * square + total_D[:, None, None] * cube
    share = np.divide(square, below, out=np.zeros_like(below), where=np.abs(below) > _SMALLEST)
    weights_D = (np.maximum(gradient, 0) * share).sum(axis=(1, 2))
    return np.asarray(np.tensordot(weights_D, features, axes=1))


def layer_cam(film: Explained) -> Array:
    """LayerCAM (Jiang et al., IEEE TIP 2021): features weighted by their positive gradients."""
    features, gradient = _with_gradient(film)
    return np.asarray((features * np.maximum(gradient, 0)).sum(axis=0))


def eigen_cam(film: Explained) -> Array:
    """Eigen-CAM (Muhammad and Yeasin, IJCNN 2020): the features' first principal component.

    It does not depend on the finding. A component has no sign: it is turned so that it grows with
    the mean of the features.
    """
    features_Dhw = film.features[0]
    columns_ND = features_Dhw.reshape(len(features_Dhw), -1).T
    centred_ND = columns_ND - columns_ND.mean(axis=0)
    axes_DD = np.linalg.svd(centred_ND, full_matrices=False)[2]
    projection_N = centred_ND @ axes_DD[0]
    mean_N = centred_ND.mean(axis=1)
    turned_N = projection_N if projection_N @ mean_N >= 0 else -projection_N
    return np.asarray(turned_N.reshape(features_Dhw.shape[1:]))


def score_cam(film: Explained) -> Array:
    """Score-CAM (Wang et al., CVPR workshops 2020): features weighted by what they let through.

    One pass for each feature that varies over the film; no gradients.
    """
    features_Dhw = film.features[0]
    spans_D = np.ptp(features_Dhw, axis=(1, 2))
    chosen = np.flatnonzero(spans_D > _SMALLEST)
    if not chosen.size:
        return np.zeros(features_Dhw.shape[1:], np.float32)
    height, width = film.x_CHW.shape[1:]
    values = np.empty(chosen.size, np.float64)
    for start in range(0, chosen.size, _BATCH):
        part = chosen[start : start + _BATCH]
        masks = [
            cv2.resize(
                (features_Dhw[d] - features_Dhw[d].min()) / spans_D[d],
                (width, height),
                interpolation=cv2.INTER_LINEAR,
            )
            for d in part
        ]
        masked_BCHW = np.stack([film.x_CHW * mask for mask in masks])
        values[start : start + len(part)] = film.value(np.asarray(masked_BCHW, np.float32))
        film.report(start + len(part), chosen.size)
    weights = np.exp(values - values.max())
    weights /= weights.sum()
    return np.asarray(np.tensordot(weights.astype(np.float32), features_Dhw[chosen], axes=1))


def occlusion(film: Explained) -> Array:
    """Occlusion (Zeiler and Fergus, ECCV 2014): the loss when a cell is set to the film's mean."""
    x_CHW = film.x_CHW
    rows, columns = (_edges(length) for length in x_CHW.shape[1:])
    cells = [(i, j) for i in range(len(rows) - 1) for j in range(len(columns) - 1)]
    mean_C11 = x_CHW.mean(axis=(1, 2), keepdims=True)
    loss = np.empty(len(cells), np.float32)
    whole = float(film.value(x_CHW[None])[0])
    for start in range(0, len(cells), _BATCH):
        part = cells[start : start + _BATCH]
        x_BCHW = np.repeat(x_CHW[None], len(part), axis=0)
        for x, (i, j) in zip(x_BCHW, part, strict=True):
            x[:, rows[i] : rows[i + 1], columns[j] : columns[j + 1]] = mean_C11
        loss[start : start + len(part)] = whole - film.value(x_BCHW)
        film.report(start + len(part), len(cells))
    return loss.reshape(len(rows) - 1, len(columns) - 1)


def input_gradient(film: Explained) -> Array:
    """Gradient times the difference from the film's mean: occlusion's loss to first order."""
    gradient_CHW = film.runtime.input_gradient(film.x_CHW[None], film.direction_K)[0]
    return _in_cells(gradient_CHW * film.from_mean_CHW)


def smooth_grad(film: Explained) -> Array:
    """SmoothGrad (Smilkov et al., arXiv:1706.03825): the input gradient averaged over noise.

    The noise is the same for every film, so that a map can be made again.
    """
    rng = np.random.default_rng(0)
    spread = _SMOOTH_NOISE * float(np.ptp(film.x_CHW))
    total = np.zeros_like(film.x_CHW)
    for sample in range(_SMOOTH_SAMPLES):
        noise = rng.standard_normal(film.x_CHW.shape, np.float32) * np.float32(spread)
        total += film.runtime.input_gradient((film.x_CHW + noise)[None], film.direction_K)[0]
        film.report(sample + 1, _SMOOTH_SAMPLES)
    return _in_cells(total / np.float32(_SMOOTH_SAMPLES) * film.from_mean_CHW)


def integrated_gradients(film: Explained) -> Array:
    """Integrated gradients (Sundararajan et al., ICML 2017) from the film's mean to the film.

    The cells add up to the difference that the film's contents make, but for the steps' error.
    """
    step_CHW = film.from_mean_CHW
    start_CHW = film.x_CHW - step_CHW
    total = np.zeros_like(film.x_CHW)
    for step in range(_PATH_STEPS):
        x_CHW = start_CHW + np.float32((step + 0.5) / _PATH_STEPS) * step_CHW
        total += film.runtime.input_gradient(x_CHW[None], film.direction_K)[0]
        film.report(step + 1, _PATH_STEPS)
    return _in_cells(total / np.float32(_PATH_STEPS) * step_CHW)


ATTRIBUTIONS: dict[str, Attribution] = {
    "grad-cam": grad_cam,
    "hires-cam": hires_cam,
    "grad-cam++": grad_cam_plus_plus,
    "layer-cam": layer_cam,
    "eigen-cam": eigen_cam,
    "score-cam": score_cam,
    "occlusion": occlusion,
    "input-gradient": input_gradient,
    "smooth-grad": smooth_grad,
    "integrated-gradients": integrated_gradients,
}
"""By the ids of `HEAT_MAP_METHODS`."""

_SMALLEST = 1e-12


def _with_gradient(film: Explained) -> tuple[Array, Array]:
    """The features and their gradient, both of shape (D, h, w)."""
    features_1Dhw = film.features
    gradient_1Dhw = film.runtime.feature_gradient(features_1Dhw, film.direction_K)
    return features_1Dhw[0], gradient_1Dhw[0]


def _in_cells(contribution_CHW: Array) -> Array:
    """The sums over channels and cells of some pixels."""
    contribution_HW = contribution_CHW.sum(axis=0)
    rows, columns = (
        np.linspace(0, length, max(1, length // _GRADIENT_CELL_PX), endpoint=False).astype(int)
        for length in contribution_HW.shape
    )
    by_rows = np.add.reduceat(contribution_HW, rows, axis=0)
    return np.asarray(np.add.reduceat(by_rows, columns, axis=1), np.float32)


def _edges(length: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, length, min(length, _OCCLUSION_CELLS) + 1).round().astype(np.int64)
