"""From labels to training targets: which films can be used, and their target values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from training.config import FindingRule, TargetConfig
from training.data.manifest import FilmRow, Omission
from training.data.negatives import is_finding, is_negative
from xrayview.domain.finding_names import NEGATIVE, normalise

UNKNOWN = float("nan")


def known_labels(target: TargetConfig) -> list[str]:
    """Return the labels that the target understands, as the config spells them."""
    labels = [label for rule in target.findings for label in rule.labels]
    return list(dict.fromkeys([*target.negative_labels, *labels]))


def select(
    rows: Sequence[FilmRow], target: TargetConfig
) -> tuple[tuple[FilmRow, ...], tuple[Omission, ...]]:
    """Return the films whose labels the target knows, and the others with the reason."""
    known = {*map(normalise, known_labels(target))}
    if target.task != "multiclass":
        known |= {*NEGATIVE}
    usable, omitted = [], []
    for row in rows:
        why = "; ".join(_reasons_to_omit(row, target, known))
        if why:
            omitted.append(Omission(row.path, "NO_TARGET", why))
        else:
            usable.append(row)
    return tuple(usable), tuple(omitted)


def _reasons_to_omit(row: FilmRow, target: TargetConfig, known: set[str]) -> Iterator[str]:
    unknown = [label for label in row.labels if normalise(label) not in known]
    if target.other_labels == "ignore":
        unknown = []
    if unknown:
        yield f"label not in the target: {', '.join(unknown)}"
    elif all(np.isnan(_target(row, rule, target)) for rule in target.findings):
        yield "no finding of the target is known for this film"
    elif not row.labels and not row.unknown_labels:
        yield "label not in the target: none given"
    if target.task == "multiclass":
        present = [rule.name for rule in target.findings if _target(row, rule, target) == 1]
        if not unknown and len(present) != 1:
            yield f"exactly one class is needed, the film has {', '.join(present) or 'none'}"


def targets_NK(rows: Sequence[FilmRow], target: TargetConfig) -> npt.NDArray[np.float32]:
    """Return 1 for a film with the finding, 0 for one without, NaN where it is not known.

    Float32 of films x the network's outputs: a binary softmax has the complement second.
    """
    known_NK = np.array(
        [[_target(row, rule, target) for rule in target.findings] for row in rows], dtype=np.float32
    ).reshape(len(rows), len(target.findings))
    if target.outputs > len(target.findings):
        return np.concatenate([known_NK, 1 - known_NK], axis=1)
    return known_NK


def _target(row: FilmRow, rule: FindingRule, target: TargetConfig) -> float:
    labels = {normalise(label) for label in rule.labels}
    if not labels.isdisjoint(map(normalise, row.labels)):
        return 1.0
    open_labels = [label for label in row.unknown_labels if normalise(label) in labels]
    if any(is_negative(label, target.negative_labels) for label in row.labels):
        # A film without findings has none that its row leaves open.
        open_labels = [x for x in open_labels if not is_finding(x, target.negative_labels)]
    return UNKNOWN if open_labels else 0.0
