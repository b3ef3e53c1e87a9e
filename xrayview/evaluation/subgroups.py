"""Does a model judge all alike? Figures by sex, age band, view, source; none of small groups."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.errors import UsageError
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap, wilson
from xrayview.evaluation.metrics import Floats, Truth, auc, checked

MIN_FILMS = 20
MIN_PER_CLASS = 5
NOT_STATED = "not stated"

_BANDS = ((1, "under 1"), (6, "1-5"), (18, "6-17"), (40, "18-39"), (60, "40-59"), (80, "60-79"))
_OLDEST = 120
_AGE = re.compile(r"(\d{1,3})([DWMY]?)")
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0, "": 1.0}


@dataclass(frozen=True)
class Subgroup:
    """One group of films. Where it is too small, `suppressed` says why and nothing is a number."""

    attribute: str
    """What the films were grouped by, such as `sex`."""
    group: str
    n: int | None
    positives: int | None
    auc: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    suppressed: str = ""


def age_band(age: str) -> str:
    """The band of an age: years as a number, or a DICOM age (PS3.5 6.2, AS: `057Y`, `018M`).

    Anything else, and an age past 120 years, is `not stated`.
    """
    match = _AGE.fullmatch(age.strip().upper())
    if match is None:
        return NOT_STATED
    years = int(match[1]) * _YEARS[match[2]]
    if years > _OLDEST:
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
        attributes: for each attribute the group of every film; an empty one is `not stated`.
        truth_N: which films carry the finding.
        scores_N: their scores.
        threshold: the operating point; called is score >= threshold.
        clusters_N: the patient of every film.
        draws: of the bootstrap.

    Groups come in the order of their names. Of fewer than 20 films, or fewer than 5 with or
    without the finding, no number is given: it would be chance, and may point at a person.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = checked(truth_N, scores_N)
    found = []
    for attribute, groups in attributes.items():
        if not len(groups) == truth.size == len(clusters_N):
            raise UsageError(
                f"{len(groups)} films have a {attribute}, {truth.size} a label, "
                f"{len(clusters_N)} a patient",
                hint="Pass one of each for every film.",
            )
        named = np.array([group.strip() or NOT_STATED for group in groups], dtype=object)
        for group in sorted(set(named)):
            places = np.flatnonzero(named == group)
            patients = [clusters_N[int(place)] for place in places]
            found.append(
                _judge(attribute, group, truth[places], scores[places], threshold, patients, draws)
            )
    return tuple(found)


def _judge(
    attribute: str,
    group: str,
    truth: Truth,
    scores: Floats,
    threshold: float,
    patients: Sequence[Hashable],
    draws: int,
) -> Subgroup:
    why = _too_small(truth)
    if why:
        return Subgroup(attribute, group, None, None, None, None, None, why)

    def of_auc(places: Indices) -> float:
        return auc(truth[places], scores[places])

    called = scores >= threshold
    return Subgroup(
        attribute,
        group,
        truth.size,
        int(truth.sum()),
        clustered_bootstrap(of_auc, patients, draws=draws),
        _share(called, np.flatnonzero(truth), patients, draws),
        _share(~called, np.flatnonzero(~truth), patients, draws),
    )


def _share(
    right: Truth, places: npt.NDArray[np.intp], patients: Sequence[Hashable], draws: int
) -> Estimate:
    """How many of these films are called right."""
    if right[places].all() or not right[places].any():
        # No draw can show a miss where there is none; Wilson's interval still has a width.
        return wilson(int(right[places].sum()), places.size)

    def share(drawn: Indices) -> float:
        return float(right[places[drawn]].mean())

    return clustered_bootstrap(share, [patients[int(place)] for place in places], draws=draws)


def _too_small(truth: Truth) -> str:
    positives = int(truth.sum())
    if truth.size < MIN_FILMS:
        return f"fewer than {MIN_FILMS} films"
    if positives < MIN_PER_CLASS:
        return f"fewer than {MIN_PER_CLASS} films with the finding"
    if truth.size - positives < MIN_PER_CLASS:
        return f"fewer than {MIN_PER_CLASS} films without the finding"
    return ""
