"""A reader study as a whole: accuracy of each reader, differences of conditions, agreement."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from xrayview.errors import UsageError
from xrayview.evaluation.intervals import Estimate, delong
from xrayview.evaluation.metrics import Floats, Truth
from xrayview.evaluation.multi_reader import MultiReader, multi_reader
from xrayview.evaluation.reader_agreement import (
    Weights,
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlation,
)

MOST_CATEGORIES = 10
"""Ratings with more values are a continuous scale: kappa is not given for them."""


@dataclass(frozen=True)
class CrossedStudy:
    """The films that every reader rated in every condition."""

    readers: tuple[str, ...]
    conditions: tuple[str, ...]
    films: tuple[str, ...]
    truth_N: Truth
    ratings_TRN: Floats
    left_out: tuple[str, ...]
    """Films that lack a rating."""


@dataclass(frozen=True)
class ReaderAuc:
    """The AUC of one reader in one condition; its interval takes the reader as given."""

    condition: str
    reader: str
    auc: Estimate


@dataclass(frozen=True)
class Agreement:
    """One measure of agreement; `second` is empty where it is of all readers."""

    condition: str
    first: str
    second: str
    measure: str
    estimate: Estimate


@dataclass(frozen=True)
class ReaderStudy:
    """What `analyse` found."""

    study: CrossedStudy
    analysis: MultiReader
    readers: tuple[ReaderAuc, ...]
    agreement: tuple[Agreement, ...]


def crossed(rows: Iterable[tuple[str, str, str, bool, float]]) -> CrossedStudy:
    """Arrange readings by condition, reader and film; all in alphabetical order.

    Args:
        rows: reader, condition, film, truth, rating; once for each reader, condition and film.

    Raises:
        UsageError: no film has the ratings of all readers in all conditions.
    """
    ratings: dict[str, dict[tuple[str, str], float]] = {}
    truths: dict[str, bool] = {}
    for reader, condition, film, truth, rating in rows:
        ratings.setdefault(film, {})[condition, reader] = rating
        truths[film] = truth
    pairs = {pair for rated in ratings.values() for pair in rated}
    conditions = sorted({condition for condition, _ in pairs})
    readers = sorted({reader for _, reader in pairs})
    needed = len(conditions) * len(readers)
    films = sorted(film for film, rated in ratings.items() if len(rated) == needed)
    if not films:
        raise UsageError(
            "No film was rated by every reader in every condition",
            hint="The analysis needs a fully crossed study: leave out the reader or condition that "
            "is incomplete.",
        )
    values = [[[ratings[f][c, r] for f in films] for r in readers] for c in conditions]
    return CrossedStudy(
        tuple(readers),
        tuple(conditions),
        tuple(films),
        np.array([truths[film] for film in films], dtype=np.bool_),
        np.array(values, dtype=np.float64),
        tuple(sorted(set(ratings) - set(films))),
    )


def analyse(study: CrossedStudy) -> ReaderStudy:
    """Compute AUCs, the multi-reader analysis and the agreement of readers.

    Raises:
        UsageError: fewer than two readers, or fewer than two films in a class.
    """
    analysis = multi_reader(study.truth_N, study.ratings_TRN)
    cells = [
        (condition, reader, study.ratings_TRN[i, j])
        for i, condition in enumerate(study.conditions)
        for j, reader in enumerate(study.readers)
    ]
    aucs = tuple(ReaderAuc(c, r, delong(study.truth_N, ratings)) for c, r, ratings in cells)
    scale = np.unique(study.ratings_TRN)
    agreement = tuple(
        found
        for condition, ratings_RN in zip(study.conditions, study.ratings_TRN, strict=True)
        for found in _agreement(condition, study.readers, ratings_RN, scale.tolist(), study.films)
    )
    return ReaderStudy(study, analysis, aucs, agreement)


def _agreement(
    condition: str,
    readers: Sequence[str],
    ratings_RN: Floats,
    scale: Sequence[float],
    films: Sequence[Hashable],
) -> Iterable[Agreement]:
    yield Agreement(
        condition, "", "", "ICC(2,1)", intraclass_correlation(ratings_RN, clusters_N=films)
    )
    if len(scale) > MOST_CATEGORIES:
        return
    yield Agreement(condition, "", "", "Fleiss kappa", fleiss_kappa(ratings_RN, clusters_N=films))
    weights: Weights = "none" if len(scale) < 3 else "quadratic"
    name = "kappa" if weights == "none" else "weighted kappa"
    for first, second in combinations(range(len(readers)), 2):
        kappa = cohen_kappa(
            ratings_RN[first], ratings_RN[second],
            categories=scale, weights=weights, clusters_N=films,
        )  # fmt: skip
        yield Agreement(condition, readers[first], readers[second], name, kappa)
