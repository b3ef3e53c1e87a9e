"""Statistics of a bundle's training films, by which the app recognises films unlike them.

The values that describe a film, the number of axes and the limits were chosen with films of other
kinds; docs/training-history.md has the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.covariance import LedoitWolf

from training.data.cache import open_film
from training.data.films import Say
from training.data.manifest import FilmRow
from training.data.splits import TRAIN, VALIDATION
from xrayview.domain.model import ModelCard
from xrayview.errors import NothingUsable, UnreadableFilm
from xrayview.inference.gate_file import GATE_NAME, to_npz
from xrayview.inference.ood_score import TrainingStatistics, feature_vectors
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

Vectors = npt.NDArray[np.float64]

GRID, THUMBNAIL = 2, 8
"""Cells of the feature map, whose position reveals rotated films; side of the thumbnail, which
reveals narrow fields."""
_MAX_VALUES = 4200
"""A network with more features is averaged over the whole film, so that its covariance fits."""
_MAX_AXES = 128
_MAX_NUMBERS = 200_000
"""Limit of all axes together, which keeps the file below 1 MB."""
CAUTION_PERCENTILE = 96.0
"""Of the validation films' distances; a film beyond it gets a caution. Of 95 to 97.5 in steps of
0.5, the only one at which the films that choose meet every aim by a percentage point with both
shipped bundles (`python -m tests.bench.gate_table --choose`)."""
REFUSAL_PERCENTILE, FAR_TIMES = 99.0, 1.5
"""A film beyond this multiple of this percentile is out of scope, by convention."""
_LEVELS = np.append(np.arange(100.0), [99.5, 100.0])
_MIN_FILMS = 8
_CHUNK_FILMS = 32


def gate_statistics(
    runtime: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path, say: Say
) -> TrainingStatistics:
    """Fit mean and shrunk covariance on the training films, and limits on the validation films.

    Test films are not used; files that cannot be read are ignored.

    Raises:
        NothingUsable: too few films for training or for validation.
        ModelError: the network failed.
    """
    vectors, grid = {}, _grid(runtime, card)
    for split in (TRAIN, VALIDATION):
        chosen = [row for row in rows if row.split == split]
        say(f"features of {len(chosen)} {split} films")
        vectors[split] = _vectors(runtime, card, chosen, folder, grid)
        if len(vectors[split]) < _MIN_FILMS:
            raise NothingUsable(
                f"Too few {split} films",
                why=f"{len(vectors[split])}; the statistics need {_MIN_FILMS}",
                hint="Check --data.",
            )
    return set_limits(fit_statistics(vectors[TRAIN], grid), vectors[VALIDATION])


def with_gate(
    runtime: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path, say: Say
) -> tuple[ModelCard, dict[str, bytes]]:
    """Return the card that describes the statistics, and their file for the bundle.

    With too few films there are no statistics; the app then shows that films are not checked.
    """
    try:
        statistics = gate_statistics(runtime, card, rows, folder, say)
    except NothingUsable as error:
        say(f"no statistics for the gate: {error}")
        return card, {}
    return describe_gate(card, statistics), {GATE_NAME: to_npz(statistics)}


def describe_gate(card: ModelCard, statistics: TrainingStatistics) -> ModelCard:
    """Return the card with a description of its gate."""
    axes, values = statistics.axes_RV.shape
    side, small = statistics.grid, statistics.thumbnail
    return replace(
        card,
        gate={
            "method": "Mahalanobis distance (Ledoit-Wolf covariance) of the training films' "
            f"features on {side} x {side} cells and of a {small} x {small} thumbnail",
            "threshold": statistics.near,
            "threshold_chosen_by": f"percentile {CAUTION_PERCENTILE:g} of the distances of the "
            f"validation films: about {100 - CAUTION_PERCENTILE:g} % of films like the training "
            "films get a caution",
            "refusal_threshold": statistics.far,
            "refusal_threshold_chosen_by": f"{FAR_TIMES:g} x percentile {REFUSAL_PERCENTILE:g} of "
            "the distances of the validation films, by convention",
            "values": values,
            "axes": axes,
            "training_films": statistics.training_films,
            "validation_films": statistics.validation_films,
        },
    )


def fit_statistics(
    vectors_NV: Vectors, grid: int, thumbnail: int = THUMBNAIL
) -> TrainingStatistics:
    """Fit statistics without limits: every film would pass."""
    mean_V, scale_V = vectors_NV.mean(axis=0), vectors_NV.std(axis=0)
    # A constant feature would give any film in which it differs an infinite distance.
    scale_V += 1e-3 * scale_V.mean() + 1e-9
    films, values = vectors_NV.shape
    shrunk = LedoitWolf(assume_centered=True, store_precision=False)
    shrunk.fit((vectors_NV - mean_V) / scale_V)
    # All axes: LAPACK's search for only the largest fails where many variances are equal.
    variances_V, axes_VV = np.linalg.eigh(shrunk.covariance_)
    axes = min(_MAX_AXES, _MAX_NUMBERS // values, values)
    rest_V = variances_V[: values - axes]
    return TrainingStatistics(
        grid=grid,
        thumbnail=thumbnail,
        mean_V=mean_V.astype(np.float32),
        scale_V=scale_V.astype(np.float32),
        axes_RV=axes_VV[:, values - axes :].T[::-1].astype(np.float32),
        variances_R=variances_V[values - axes :][::-1].astype(np.float32),
        rest_variance=float(rest_V.mean()) if rest_V.size else 1.0,
        levels_Q=np.array([0.0, 100.0], np.float32),
        distances_Q=np.zeros(2, np.float32),
        near=float("inf"),
        far=float("inf"),
        training_films=films,
        validation_films=0,
    )


def set_limits(statistics: TrainingStatistics, validation_NV: Vectors) -> TrainingStatistics:
    """Set limits and percentiles from the validation films' distances.

    Limits rest on percentiles, so that one odd validation film among hundreds does not move them.
    """
    distances_N = statistics.distances(validation_NV)
    measured = replace(
        statistics,
        levels_Q=_LEVELS.astype(np.float32),
        distances_Q=np.percentile(distances_N, _LEVELS).astype(np.float32),
        far=FAR_TIMES * float(np.percentile(distances_N, REFUSAL_PERCENTILE)),
        validation_films=len(distances_N),
    )
    return set_caution_limit(measured)


def set_caution_limit(statistics: TrainingStatistics) -> TrainingStatistics:
    """Set the caution limit from the stored percentiles; everything else stays."""
    return replace(statistics, near=statistics.distance_at(CAUTION_PERCENTILE))


def distances_of(
    runtime: Runtime,
    card: ModelCard,
    statistics: TrainingStatistics,
    rows: Sequence[FilmRow],
    folder: Path,
) -> Vectors:
    """Compute the distance of each readable film from the training films, (N,), 0 and up.

    Raises:
        ModelError: the network failed.
    """
    vectors_NV = _vectors(runtime, card, rows, folder, statistics.grid, statistics.thumbnail)
    return statistics.distances(vectors_NV) if len(vectors_NV) else np.zeros(0)


def _grid(runtime: Runtime, card: ModelCard) -> int:
    spec = card.preprocessing
    x_BCHW = np.zeros((1, spec.channels, *spec.size), np.float32)
    width = runtime.features(x_BCHW).shape[1]
    return GRID if width * GRID**2 + THUMBNAIL**2 <= _MAX_VALUES else 1


def _vectors(
    runtime: Runtime,
    card: ModelCard,
    rows: Sequence[FilmRow],
    folder: Path,
    grid: int,
    thumbnail: int = THUMBNAIL,
) -> Vectors:
    preprocessor = Preprocessor(card.preprocessing)
    parts: list[Vectors] = []
    for start in range(0, len(rows), _CHUNK_FILMS):
        inputs = []
        for row in rows[start : start + _CHUNK_FILMS]:
            try:
                inputs.append(preprocessor(open_film(folder / row.path, folder)).x_CHW)
            except UnreadableFilm:
                continue
        if inputs:
            x_BCHW = np.stack(inputs)
            parts.append(feature_vectors(x_BCHW, runtime.features(x_BCHW), grid, thumbnail))
    return np.concatenate(parts) if parts else np.zeros((0, 0))
