"""Metrics by sex, age band, view and source: does a model perform alike in all groups?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.data.manifest import FilmRow
from training.evaluation.metrics import Scores, Truth, estimate_as_json
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap
from xrayview.evaluation.metrics import auc
from xrayview.evaluation.subgroups import NOT_STATED, Subgroup, age_band, subgroups

MAX_DRAWS = 500
"""Limit of bootstrap draws: there are many groups, and their intervals are wide anyway."""


def metrics_by_group(
    rows: Sequence[FilmRow], truth_N: Truth, scores_N: Scores, threshold: float, draws: int
) -> tuple[Subgroup, ...]:
    """Compute a finding's metrics in each group; small groups have no values."""
    patients = [row.patient for row in rows]
    return subgroups(
        _attributes(rows), truth_N, scores_N, threshold, patients, draws=min(draws, MAX_DRAWS)
    )


def auc_differences(
    rows: Sequence[FilmRow],
    truth_N: Truth,
    scores_N: Scores,
    groups: Sequence[Subgroup],
    draws: int,
) -> dict[tuple[str, str], Estimate]:
    """Estimate by how much a group's AUC exceeds that of all other films.

    The keys are attribute and group. A group that has no AUC has no difference.
    """
    attributes, patients = _attributes(rows), [row.patient for row in rows]
    differences = {}
    for group in groups:
        if group.auc is None:
            continue
        inside_N = np.array([(v or NOT_STATED) == group.group for v in attributes[group.attribute]])

        def difference(drawn: Indices, inside_N: Truth = inside_N) -> float:
            truth, scores, inside = truth_N[drawn], scores_N[drawn], inside_N[drawn]
            return auc(truth[inside], scores[inside]) - auc(truth[~inside], scores[~inside])

        estimate = clustered_bootstrap(difference, patients, draws=min(draws, MAX_DRAWS))
        differences[group.attribute, group.group] = estimate
    return differences


def _attributes(rows: Sequence[FilmRow]) -> dict[str, list[str]]:
    return {
        "sex": [row.sex for row in rows],
        "age band": [age_band(row.age) for row in rows],
        "view": [row.view for row in rows],
        "source": [row.source for row in rows],
    }


def group_table(groups: Sequence[Subgroup]) -> str:
    """Format the groups as a table."""
    header = f"{'by':10s}{'group':14s}{'films':>6s}{'with it':>8s}"
    header += "".join(f"  {name:21s}" for name in ("AUC", "sensitivity", "specificity"))
    return "\n".join([header.rstrip(), *map(_line, groups)])


def _line(group: Subgroup) -> str:
    name = f"{group.attribute:10s}{group.group:14s}"
    if group.suppressed:
        return f"{name}  {group.suppressed}"
    shown = "".join(
        f"  {_format(estimate):21s}"
        for estimate in (group.auc, group.sensitivity, group.specificity)
    )
    return f"{name}{group.n:6d}{group.positives:8d}{shown}".rstrip()


def _format(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"


def groups_as_json(groups: Sequence[Subgroup]) -> list[dict[str, Any]]:
    """Convert the groups to plain data; a suppressed group has only its reason."""
    return [_as_json(group) for group in groups]


def _as_json(group: Subgroup) -> dict[str, Any]:
    named: dict[str, Any] = {"by": group.attribute, "group": group.group}
    if group.suppressed:
        return named | {"suppressed": group.suppressed}
    metrics = {
        "auc": group.auc, "sensitivity": group.sensitivity, "specificity": group.specificity
    }  # fmt: skip
    return named | {
        "films": group.n,
        "positives": group.positives,
        **{name: estimate_as_json(estimate) for name, estimate in metrics.items() if estimate},
    }
