"""From labels to targets: which films a target knows, and what they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.config import TargetConfig
from training.data.manifest import FilmRow, Omission


def select(
    rows: Sequence[FilmRow], target: TargetConfig
) -> tuple[tuple[FilmRow, ...], tuple[Omission, ...]]:
    """Films whose labels the target knows, and the others with their reason."""
    known = {*target.negative_labels, *(x for rule in target.findings for x in rule.labels)}
    kept, omitted = [], []
    for row in rows:
        strange = [label for label in row.labels if label not in known]
        if strange or not row.labels:
            why = f"label not in the target: {', '.join(strange) or 'none given'}"
            omitted.append(Omission(row.path, "NO_TARGET", why))
        else:
            kept.append(row)
    return tuple(kept), tuple(omitted)


def targets_NK(rows: Sequence[FilmRow], target: TargetConfig) -> npt.NDArray[np.float32]:
    """1 where a film carries a finding, else 0: float32 of films x findings."""
    return np.array(
        [[float(not set(rule.labels).isdisjoint(row.labels)) for rule in target.findings]
         for row in rows],
        dtype=np.float32,
    ).reshape(len(rows), len(target.findings))  # fmt: skip
