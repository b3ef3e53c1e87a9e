"""The gate in a report: how far the evaluated films are from the bundle's training films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.bundle.gate_statistics import distances_of
from training.data.manifest import FilmRow
from training.data.splits import TEST
from xrayview.domain.model import ModelCard
from xrayview.inference.gate_file import read_statistics, require_matching_features
from xrayview.inference.ood_score import TrainingStatistics
from xrayview.inference.runtime import Runtime

Shares = tuple[float, float, float]
"""Shares of films that are in scope, get a caution, or are out of scope."""


@dataclass(frozen=True, eq=False)
class Gate:
    """The statistics of a bundle, and the evaluated films' distances from its training films."""

    statistics: TrainingStatistics
    evaluated_N: npt.NDArray[np.float64]
    split: str = TEST
    """The split of the evaluated films."""

    def validation_share_within(
        self, distances: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return the share of validation films within each distance."""
        levels_Q = self.statistics.levels_Q / 100
        return np.interp(distances, self.statistics.distances_Q, levels_Q, left=0.0)

    def shares(self) -> list[tuple[str, int, Shares]]:
        """Return split, number of films and shares of the validation and the evaluated films."""
        statistics, evaluated_N = self.statistics, self.evaluated_N
        near, far = (
            statistics.percentile(limit) / 100 for limit in (statistics.near, statistics.far)
        )
        rows = [("validation", statistics.validation_films, (near, far - near, 1 - far))]
        if evaluated_N.size:
            near, far = (
                float((evaluated_N <= limit).mean()) for limit in (statistics.near, statistics.far)
            )
            rows.append((self.split, evaluated_N.size, (near, far - near, 1 - far)))
        return rows


def measure_gate(
    bundle: Path, loaded: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path
) -> Gate | None:
    """Measure the distances of these films; None if the bundle has no statistics.

    Raises:
        ModelError: the statistics are damaged or of another network, or the network failed.
    """
    statistics = read_statistics(bundle)
    if statistics is None:
        return None
    require_matching_features(statistics, loaded, card, bundle)
    distances_N = distances_of(loaded, card, statistics, rows, folder)
    return Gate(statistics, distances_N, rows[0].split if rows else TEST)
