"""Figures by sex, age band, view and source: does a model judge all alike?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.data.manifest import FilmRow
from training.evaluation.metrics import Scores, Truth, plain
from xrayview.evaluation.intervals import Estimate
from xrayview.evaluation.subgroups import Subgroup, age_band, subgroups

MOST_DRAWS = 500
"""Of the bootstrap: many groups, and their intervals are wide."""


def by_group(
    rows: Sequence[FilmRow], truth_N: Truth, scores_N: Scores, threshold: float, draws: int
) -> tuple[Subgroup, ...]:
    """A finding's figures in each group; small groups are named without numbers."""
    attributes = {
        "sex": [row.sex for row in rows],
        "age band": [age_band(row.age) for row in rows],
        "view": [row.view for row in rows],
        "source": [row.source for row in rows],
    }
    patients = [row.patient for row in rows]
    return subgroups(
        attributes, truth_N, scores_N, threshold, patients, draws=min(draws, MOST_DRAWS)
    )


def group_table(groups: Sequence[Subgroup]) -> str:
    """The groups as readable lines."""
    header = f"{'by':10s}{'group':14s}{'films':>6s}{'with it':>8s}"
    figures = "".join(f"  {name:21s}" for name in ("AUC", "sensitivity", "specificity"))
    return "\n".join([(header + figures).rstrip(), *map(_line, groups)])


def _line(group: Subgroup) -> str:
    name = f"{group.attribute:10s}{group.group:14s}"
    if group.suppressed:
        return f"{name}  {group.suppressed}"
    shown = "".join(
        f"  {_words(estimate):21s}"
        for estimate in (group.auc, group.sensitivity, group.specificity)
    )
    return f"{name}{group.n:6d}{group.positives:8d}{shown}".rstrip()


def _words(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"


def groups_as_json(groups: Sequence[Subgroup]) -> list[dict[str, Any]]:
    """The groups as plain data; of a suppressed one the reason alone."""
    return [_plain(group) for group in groups]


def _plain(group: Subgroup) -> dict[str, Any]:
    named: dict[str, Any] = {"by": group.attribute, "group": group.group}
    if group.suppressed:
        return named | {"suppressed": group.suppressed}
    figures = {
        "auc": group.auc, "sensitivity": group.sensitivity, "specificity": group.specificity
    }  # fmt: skip
    return named | {
        "films": group.n,
        "positives": group.positives,
        **{name: plain(estimate) for name, estimate in figures.items() if estimate},
    }
