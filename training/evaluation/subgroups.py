"""Metrics by sex, age band, view and source: does a model perform alike in all groups?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.data.manifest import FilmRow
from training.evaluation.metrics import Scores, Truth, estimate_as_json
from xrayview.evaluation.intervals import Estimate
from xrayview.evaluation.subgroups import Subgroup, age_band, subgroups

MAX_DRAWS = 500
"""Limit of bootstrap draws: there are many groups, and their intervals are wide anyway."""


def metrics_by_group(
    rows: Sequence[FilmRow], truth_N: Truth, scores_N: Scores, threshold: float, draws: int
) -> tuple[Subgroup, ...]:
    """Compute a finding's metrics in each group; small groups have no values."""
    attributes = {
        "sex": [row.sex for row in rows],
        "age band": [age_band(row.age) for row in rows],
        "view": [row.view for row in rows],
        "source": [row.source for row in rows],
    }
    patients = [row.patient for row in rows]
    return subgroups(
        attributes, truth_N, scores_N, threshold, patients, draws=min(draws, MAX_DRAWS)
    )


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
