"""Metrics of subgroups, such as sex, age band, view and source; small groups have none."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.domain.age import age_in_years
from xrayview.errors import UsageError
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap, wilson
from xrayview.evaluation.metrics import Floats, Truth, auc, validated

MIN_FILMS = 20
MIN_PER_CLASS = 5
NOT_STATED = "not stated"

_BANDS = ((1, "under 1"), (6, "1-5"), (18, "6-17"), (40, "18-39"), (60, "40-59"), (80, "60-79"))


@dataclass(frozen=True)
class Subgroup:
    """The metrics of a group of films; `suppressed` is the reason where they are left out."""

    attribute: str
    """The attribute that films are grouped by, such as `sex`."""
    group: str
    n: int | None
    positives: int | None
    auc: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    suppressed: str = ""


def age_band(age: str) -> str:
    """The band of an age, see `age_in_years`; `not stated` for anything else."""
    years = age_in_years(age)
    if years is None:
        return NOT_STATED
    return next((band for below, band in _BANDS if years < below), "80 and over")


def subgroups(
    attributes: Mapping[str, Sequence[str]],
    truth_N: npt.ArrayLike,
    scores_N: npt.ArrayLike,
    threshold: float,
    clusters_N: Sequence[Hashable],
    *,
    draws: int = 2000,
) -> tuple[Subgroup, ...]:
    """AUC, sensitivity and specificity of each group, with bootstrap intervals over clusters.

    Args:
        attributes: the group of every film, by attribute; an empty one is `not stated`.
        truth_N: whether each film has the finding.
        scores_N: their scores.
        threshold: the operating point; positive means score >= threshold.
        clusters_N: the patient of each film.
        draws: number of bootstrap samples.

    Groups are in the order of their names. Groups of fewer than 20 films, or with fewer than 5
    films with or without the finding, have no metrics: these would be chance, and might identify
    a person.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = validated(truth_N, scores_N)
    result = []
    for attribute, groups in attributes.items():
        if not len(groups) == truth.size == len(clusters_N):
            raise UsageError(
                f"{len(groups)} films have a {attribute}, {truth.size} a label, "
                f"{len(clusters_N)} a patient",
                hint="Pass one of each for every film.",
            )
        groups_N = np.array([group.strip() or NOT_STATED for group in groups], dtype=object)
        for group in sorted(set(groups_N)):
            indices = np.flatnonzero(groups_N == group)
            patients = [clusters_N[int(index)] for index in indices]
            films = truth[indices], scores[indices]
            result.append(_subgroup(attribute, group, *films, threshold, patients, draws))
    return tuple(result)


def _subgroup(
    attribute: str,
    group: str,
    truth: Truth,
    scores: Floats,
    threshold: float,
    patients: Sequence[Hashable],
    draws: int,
) -> Subgroup:
    reason = _too_small(truth)
    if reason:
        return Subgroup(attribute, group, None, None, None, None, None, reason)

    def auc_of(indices: Indices) -> float:
        return auc(truth[indices], scores[indices])

    positive = scores >= threshold
    return Subgroup(
        attribute,
        group,
        truth.size,
        int(truth.sum()),
        clustered_bootstrap(auc_of, patients, draws=draws),
        _share(positive, np.flatnonzero(truth), patients, draws),
        _share(~positive, np.flatnonzero(~truth), patients, draws),
    )


def _share(
    right: Truth, indices: npt.NDArray[np.intp], patients: Sequence[Hashable], draws: int
) -> Estimate:
    """The share of these films with a right prediction."""
    if right[indices].all() or not right[indices].any():
        # All draws would be equal; Wilson's interval still has a width.
        return wilson(int(right[indices].sum()), indices.size)

    def share(drawn: Indices) -> float:
        return float(right[indices[drawn]].mean())

    return clustered_bootstrap(share, [patients[int(index)] for index in indices], draws=draws)


def _too_small(truth: Truth) -> str:
    positives = int(truth.sum())
    if truth.size < MIN_FILMS:
        return f"fewer than {MIN_FILMS} films"
    if positives < MIN_PER_CLASS:
        return f"fewer than {MIN_PER_CLASS} films with the finding"
    if truth.size - positives < MIN_PER_CLASS:
        return f"fewer than {MIN_PER_CLASS} films without the finding"
    return ""
