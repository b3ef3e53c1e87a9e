"""From labels to targets: which films a target knows, and what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from training.config import FindingRule, TargetConfig
from training.data.manifest import FilmRow, Omission

UNKNOWN = float("nan")


def select(
    rows: Sequence[FilmRow], target: TargetConfig
) -> tuple[tuple[FilmRow, ...], tuple[Omission, ...]]:
    """Films whose labels the target knows, and the others with their reason."""
    known = {*map(plain, target.negative_labels)}
    known |= {plain(label) for rule in target.findings for label in rule.labels}
    kept, omitted = [], []
    for row in rows:
        why = "; ".join(_objections(row, target, known))
        if why:
            omitted.append(Omission(row.path, "NO_TARGET", why))
        else:
            kept.append(row)
    return tuple(kept), tuple(omitted)


def _objections(row: FilmRow, target: TargetConfig, known: set[str]) -> Iterator[str]:
    strange = [label for label in row.labels if plain(label) not in known]
    if strange:
        yield f"label not in the target: {', '.join(strange)}"
    elif all(np.isnan(_target(row, rule)) for rule in target.findings):
        yield "the data says of no finding whether the film has it"
    elif not row.labels and not row.unknown_labels:
        yield "label not in the target: none given"
    if target.task == "multiclass":
        present = [rule.name for rule in target.findings if _target(row, rule) == 1]
        if not strange and len(present) != 1:
            yield f"one class is wanted, the film has {', '.join(present) or 'none'}"


def targets_NK(rows: Sequence[FilmRow], target: TargetConfig) -> npt.NDArray[np.float32]:
    """1 where a film carries a finding, 0 where not, NaN where the data does not say.

    Float32 of films x the network's outputs: a binary softmax has its complement second.
    """
    known_NK = np.array(
        [[_target(row, rule) for rule in target.findings] for row in rows], dtype=np.float32
    ).reshape(len(rows), len(target.findings))
    if target.outputs > len(target.findings):
        return np.concatenate([known_NK, 1 - known_NK], axis=1)
    return known_NK


def _target(row: FilmRow, rule: FindingRule) -> float:
    wanted = {plain(label) for label in rule.labels}
    if not wanted.isdisjoint(map(plain, row.labels)):
        return 1.0
    return UNKNOWN if not wanted.isdisjoint(map(plain, row.unknown_labels)) else 0.0


def plain(label: str) -> str:
    """Data sets spell one label in many ways: `Pleural_Thickening`, `pleural thickening`."""
    return label.casefold().replace("_", " ").strip()
