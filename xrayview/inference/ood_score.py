"""Out-of-distribution score: a film's distance from the films a network was trained on.

Training films are modelled as a Gaussian of feature vectors: the last convolutional map averaged
over a coarse grid, and a thumbnail of the input. The distance is that of Mahalanobis (Lee et al.,
NeurIPS 2018), with a covariance of some principal axes and one variance for the rest (Tipping and
Bishop, 1999). The limits come from validation films.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import GateVerdict
from xrayview.errors import StatusCode

Array = npt.NDArray[np.float64]
Input = npt.NDArray[np.float32]

_FLAT = 1e-6
"""Standard deviation below which a thumbnail counts as constant."""


@dataclass(frozen=True, eq=False)
class TrainingStatistics:
    """Statistics of a model's training films: averages only, no film.

    V values describe a film (see `feature_vectors`), with R principal axes. Distances are square
    roots of the squared Mahalanobis distance over V, so about 1 whatever the network's size.
    """

    grid: int
    """Cells per side over which features are averaged."""
    thumbnail: int
    """Pixels per side of the input's thumbnail."""
    mean_V: Input
    scale_V: Input
    """Standard deviations; the axes refer to (values - mean) / scale."""
    axes_RV: Input
    variances_R: Input
    rest_variance: float
    levels_Q: Input
    """Percentiles in ascending order, 0..100."""
    distances_Q: Input
    """The validation films' distances at these percentiles."""
    near: float
    """A film beyond this distance is flagged."""
    far: float
    """A film beyond this distance is refused."""
    training_films: int
    validation_films: int

    def distances(self, vectors_BV: Array) -> Array:
        """The films' distances from the training films, (B,), 0 or greater."""
        z_BV = (vectors_BV - self.mean_V) / self.scale_V
        projected_BR = z_BV @ self.axes_RV.T.astype(np.float64)
        rest_B = np.maximum((z_BV**2).sum(axis=1) - (projected_BR**2).sum(axis=1), 0)
        squared_B = (projected_BR**2 / self.variances_R).sum(axis=1) + rest_B / self.rest_variance
        return np.asarray(np.sqrt(squared_B / z_BV.shape[1]))

    def percentile(self, distance: float) -> float:
        """The percentage of validation films that lie closer, 0..100."""
        return float(np.interp(distance, self.distances_Q, self.levels_Q))

    def distance_at(self, percentile: float) -> float:
        """The distance within which this percentage of the validation films lies."""
        return float(np.interp(percentile, self.levels_Q, self.distances_Q))

    def verdict(self, distance: float) -> GateVerdict:
        """The verdict for a film at this distance."""
        flags = (StatusCode.OUT_OF_DISTRIBUTION.value,) if distance > self.near else ()
        rank = self._rank(distance)
        limit = self.far if distance > self.far else self.near
        reason = f"{rank} (distance {distance:.2f}, limit {limit:.2f})."
        if not flags and self.near < self.distances_Q[-1]:
            rank += f" (caution beyond {self.percentile(self.near):.0f} %)"
        return GateVerdict(
            refused=distance > self.far,
            flags=flags,
            reasons=(reason,) if flags else (),
            ood_score=distance,
            ood_percentile=self.percentile(distance),
            ood_text=rank,
        )

    def _rank(self, distance: float) -> str:
        if distance >= self.distances_Q[-1]:
            return (
                f"Further from the training films than all {self.validation_films} validation films"
            )
        if distance <= self.distances_Q[0]:
            return f"Closer to the training films than all {self.validation_films} validation films"
        # Rounding must not turn nearly all films into all, or a few into none.
        share = min(max(self.percentile(distance), 0.1), 99.9)
        return f"Further from the training films than {share:.1f} % of the validation films"


def feature_vectors(x_BCHW: Input, features_BDhw: Input, grid: int, thumbnail: int) -> Array:
    """The V = D * grid * grid + thumbnail * thumbnail values that describe each film, (B, V).

    The thumbnail is scaled to mean 0 and standard deviation 1, so that brightness and contrast do
    not count.
    """
    films = len(x_BCHW)
    cells_BN = _cell_means(features_BDhw, grid).reshape(films, -1)
    small_BN = _cell_means(x_BCHW[:, :1], thumbnail).reshape(films, -1)
    small_BN = small_BN - small_BN.mean(axis=1, keepdims=True)
    small_BN /= np.maximum(small_BN.std(axis=1, keepdims=True), _FLAT)
    return np.concatenate([cells_BN, small_BN], axis=1)


def _cell_means(maps_BCHW: Input, side: int) -> Array:
    """Means over side x side cells that cover the maps; cells overlap where sizes do not divide."""
    for axis in (2, 3):
        size = maps_BCHW.shape[axis]
        edges = [(k * size // side, -(-(k + 1) * size // side)) for k in range(side)]
        means = [
            maps_BCHW.take(range(low, high), axis).mean(axis, np.float64) for low, high in edges
        ]
        maps_BCHW = np.stack(means, axis)
    return np.asarray(maps_BCHW, np.float64)
