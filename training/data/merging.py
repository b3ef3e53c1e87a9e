"""Several rows of one film become one, by a stated vote; contradictions are listed."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.config import DataConfig, TargetConfig
from training.data.manifest import Conflict, FilmRow
from training.data.negatives import is_finding, is_negative
from training.data.patients import is_unknown
from training.data.targets import targets_NK
from xrayview.domain.finding_names import normalise


@dataclass(frozen=True)
class Merged:
    """The films with one row each, and the contradictions among their rows."""

    rows: tuple[FilmRow, ...]
    conflicts: tuple[Conflict, ...]
    repeated: int
    """Rows that say what another row of the same film says."""
    voted: int
    """Films whose labels are the result of a vote."""


def merge_rows(rows: Sequence[FilmRow], data: DataConfig, target: TargetConfig) -> Merged:
    """Return one row per film, in the order of first mention.

    Rows of one film must agree on patient and split. Different labels are merged by `data.votes`,
    or else are a conflict.
    """
    groups: dict[str, list[FilmRow]] = defaultdict(list)
    for row in rows:
        groups[row.path].append(row)
    merged: list[FilmRow] = []
    conflicts: list[Conflict] = []
    repeated = voted = 0
    for group in groups.values():
        different = list({_meaning(row): row for row in reversed(group)}.values())[::-1]
        if kind := _contradiction(group):
            conflicts.append(Conflict(kind, tuple(group)))
        elif len(different) == 1:
            merged.append(_described(group[0], group))
            repeated += len(group) - 1
        elif data.votes == "none":
            conflicts.append(Conflict("different labels for one film", tuple(different)))
        else:
            merged.append(_described(_voted(group, data, target), group))
            voted += 1
    return Merged(tuple(merged), tuple(conflicts), repeated, voted)


def _meaning(row: FilmRow) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(map(normalise, row.labels)), frozenset(map(normalise, row.unknown_labels))


_UNIQUE: dict[str, Callable[[FilmRow], str]] = {
    "different splits for one film": lambda row: normalise(row.official_split),
    "different patients for one film": lambda row: "" if is_unknown(row.patient) else row.patient,
}


def _contradiction(group: Sequence[FilmRow]) -> str:
    """Return on what rows of one film contradict each other besides their labels."""
    for kind, value in _UNIQUE.items():
        if len({value(row) for row in group} - {""}) > 1:
            return kind
    return ""


def _described(row: FilmRow, group: Sequence[FilmRow]) -> FilmRow:
    """Return the row with the first value that any row of the film has for each other field."""
    values: dict[str, Any] = {
        name: next((value for film in group if (value := getattr(film, name))), "")
        for name in ("official_split", "sex", "age", "view", "manufacturer")
    }
    known = (film.patient for film in group if not is_unknown(film.patient))
    return dataclasses.replace(row, patient=next(known, row.patient), **values)


def _voted(group: Sequence[FilmRow], data: DataConfig, target: TargetConfig) -> FilmRow:
    """Return the film with the labels that its rows vote for."""
    negative = target.negative_labels
    spelled = {
        normalise(label): label
        for row in reversed(group)
        for label in (*row.labels, *row.unknown_labels)
    }
    votes = {
        name: _vote([_state(row, name) for row in group], data.votes)
        for name, label in spelled.items()
        if not is_negative(label, negative)
    }
    present = tuple(spelled[name] for name, vote in votes.items() if vote)
    unknown = tuple(spelled[name] for name, vote in votes.items() if vote is None)
    if not any(is_finding(label, negative) for label in (*present, *unknown)):
        says_none = [label for label in spelled.values() if is_negative(label, negative)]
        present += tuple(says_none[:1])
    return dataclasses.replace(group[0], labels=present, unknown_labels=unknown)


def _state(row: FilmRow, name: str) -> bool | None:
    labels, unknown = _meaning(row)
    return True if name in labels else (None if name in unknown else False)


def _vote(states: Sequence[bool | None], rule: str) -> bool | None:
    """Return whether a finding is present by a rule; None if that stays open."""
    yes, no = states.count(True), states.count(False)
    if rule == "majority":
        return None if yes == no else yes > no
    decisive = rule == "any"
    if decisive in states:
        return decisive
    return None if None in states else not decisive


def contradictory_labels(rows: Sequence[FilmRow], target: TargetConfig) -> tuple[Conflict, ...]:
    """Return the films that are said to have no finding and a finding of the target."""
    negative = target.negative_labels
    findings = {
        normalise(label) for rule in target.findings if rule.abnormal for label in rule.labels
    }
    return tuple(
        Conflict("no finding, and a finding", (row,))
        for row in rows
        if any(is_negative(label, negative) for label in row.labels)
        and any(
            normalise(label) in findings and is_finding(label, negative) for label in row.labels
        )
    )


def pixel_conflicts(rows: Sequence[FilmRow], target: TargetConfig) -> tuple[Conflict, ...]:
    """Return the groups of films with the same pixels that contradict each other on a finding."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row.pixels_sha256:
            groups[row.pixels_sha256].append(i)
    targets = targets_NK(rows, target)
    return tuple(
        Conflict("same pixels, different labels", tuple(rows[i] for i in group))
        for group in groups.values()
        if len(group) > 1 and _contradict(targets[group])
    )


def _contradict(targets_NK: npt.NDArray[np.float32]) -> bool:
    """Tell whether a finding is present for one film and absent for another."""
    return bool(((targets_NK == 1).any(axis=0) & (targets_NK == 0).any(axis=0)).any())
