"""The statistics of a bundle's training films, by which the app tells films unlike them.

Which values describe a film, how many axes are kept and where the limits lie was chosen on
films of other kinds than the training's: README.md has the table.
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
"""Where on the film features lie tells turned films; the thumbnail tells narrow fields."""
_MOST_VALUES = 4200
"""A network with more features is averaged over the whole film: its covariance must fit."""
_MOST_AXES = 128
_MOST_NUMBERS = 200_000
"""In all axes together; keeps the file below 1 MB."""
LIMIT_PERCENTILE = 99.0
NEAR_TIMES, FAR_TIMES = 1.2, 1.5
"""By convention, times that percentile: README.md's table has what they doubt and refuse."""
_LEVELS = np.append(np.arange(100.0), [99.5, 100.0])
_LEAST_FILMS = 8
_CHUNK_FILMS = 32


def gate_statistics(
    runtime: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path, say: Say
) -> TrainingStatistics:
    """Mean and shrunk covariance of the training films, limits from the validation films.

    Test films are not looked at; a file that cannot be read counts nowhere.

    Raises:
        NothingUsable: too few films for training or for validation.
        ModelError: the network failed.
    """
    vectors, grid = {}, _grid(runtime, card)
    for split in (TRAIN, VALIDATION):
        chosen = [row for row in rows if row.split == split]
        say(f"features of {len(chosen)} films for {split}")
        vectors[split] = _vectors(runtime, card, chosen, folder, grid)
        if len(vectors[split]) < _LEAST_FILMS:
            raise NothingUsable(
                f"Too few films for {split}",
                why=f"{len(vectors[split])}, statistics need {_LEAST_FILMS}",
                hint="Look at --data.",
            )
    return with_limits(fitted(vectors[TRAIN], grid), vectors[VALIDATION])


def gated(
    runtime: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path, say: Say
) -> tuple[ModelCard, dict[str, bytes]]:
    """The card that tells of the statistics, and the file that a bundle carries them in.

    With too few films the bundle has none: the app says then that films are not checked.
    """
    try:
        statistics = gate_statistics(runtime, card, rows, folder, say)
    except NothingUsable as error:
        say(f"no statistics for the gate: {error}")
        return card, {}
    return described(card, statistics), {GATE_NAME: to_npz(statistics)}


def described(card: ModelCard, statistics: TrainingStatistics) -> ModelCard:
    """The card with what its gate does, in words and figures."""
    axes, values = statistics.axes_RV.shape
    side, small = statistics.grid, statistics.thumbnail
    return replace(
        card,
        gate={
            "method": "Mahalanobis distance (Ledoit-Wolf covariance) of the training films' "
            f"features on {side} x {side} cells and of a {small} x {small} thumbnail",
            "threshold": statistics.near,
            "threshold_chosen_by": _chosen_by(NEAR_TIMES),
            "refusal_threshold": statistics.far,
            "refusal_threshold_chosen_by": _chosen_by(FAR_TIMES),
            "values": values,
            "axes": axes,
            "training_films": statistics.training_films,
            "validation_films": statistics.validation_films,
        },
    )


def _chosen_by(times: float) -> str:
    return f"{times:g} x percentile {LIMIT_PERCENTILE:g} of the validation films, by convention"


def fitted(vectors_NV: Vectors, grid: int, thumbnail: int = THUMBNAIL) -> TrainingStatistics:
    """Statistics without limits yet: every film would be near."""
    mean_V, scale_V = vectors_NV.mean(axis=0), vectors_NV.std(axis=0)
    # A feature that never varies would put every film that has it infinitely far away.
    scale_V += 1e-3 * scale_V.mean() + 1e-9
    films, values = vectors_NV.shape
    shrunk = LedoitWolf(assume_centered=True, store_precision=False)
    shrunk.fit((vectors_NV - mean_V) / scale_V)
    # All axes: LAPACK's search for the largest alone fails where many variances are equal.
    variances_V, axes_VV = np.linalg.eigh(shrunk.covariance_)
    axes = min(_MOST_AXES, _MOST_NUMBERS // values, values)
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


def with_limits(statistics: TrainingStatistics, validation_NV: Vectors) -> TrainingStatistics:
    """The limits and percentiles of the validation films' distances.

    The limits rest on a percentile: one odd validation film among hundreds moves no limit. They
    lie above it: within it a fixed share of good films would be false alarms by construction.
    """
    distances_N = statistics.distances(validation_NV)
    limit = float(np.percentile(distances_N, LIMIT_PERCENTILE))
    return replace(
        statistics,
        levels_Q=_LEVELS.astype(np.float32),
        distances_Q=np.percentile(distances_N, _LEVELS).astype(np.float32),
        near=NEAR_TIMES * limit,
        far=FAR_TIMES * limit,
        validation_films=len(distances_N),
    )


def distances_of(
    runtime: Runtime,
    card: ModelCard,
    statistics: TrainingStatistics,
    rows: Sequence[FilmRow],
    folder: Path,
) -> Vectors:
    """How far each film that can be read lies from the training films, (N,), 0 and up.

    Raises:
        ModelError: the network failed.
    """
    vectors_NV = _vectors(runtime, card, rows, folder, statistics.grid, statistics.thumbnail)
    return statistics.distances(vectors_NV) if len(vectors_NV) else np.zeros(0)


def _grid(runtime: Runtime, card: ModelCard) -> int:
    spec = card.preprocessing
    x_BCHW = np.zeros((1, spec.channels, *spec.size), np.float32)
    width = runtime.features(x_BCHW).shape[1]
    return GRID if width * GRID**2 + THUMBNAIL**2 <= _MOST_VALUES else 1


def _vectors(
    runtime: Runtime,
    card: ModelCard,
    rows: Sequence[FilmRow],
    folder: Path,
    grid: int,
    thumbnail: int = THUMBNAIL,
) -> Vectors:
    preprocessor = Preprocessor(card.preprocessing)
    found: list[Vectors] = []
    for start in range(0, len(rows), _CHUNK_FILMS):
        inputs = []
        for row in rows[start : start + _CHUNK_FILMS]:
            try:
                inputs.append(preprocessor(open_film(folder / row.path, folder)).x_CHW)
            except UnreadableFilm:
                continue
        if inputs:
            x_BCHW = np.stack(inputs)
            found.append(feature_vectors(x_BCHW, runtime.features(x_BCHW), grid, thumbnail))
    return np.concatenate(found) if found else np.zeros((0, 0))
