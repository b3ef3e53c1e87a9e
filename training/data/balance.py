"""Balancing of classes: films are chosen by a hash, so that other films do not change it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from training.config import DataConfig, TargetConfig
from training.data.manifest import FilmRow, Omission
from training.data.splits import TRAIN, VALIDATION, position
from training.data.targets import targets_NK


def balance(
    rows: Sequence[FilmRow], data: DataConfig, target: TargetConfig
) -> tuple[tuple[FilmRow, ...], tuple[Omission, ...]]:
    """Return the films to use, and the surplus training and validation films.

    All test films are used.
    """
    if data.balance == "none" and not data.films_per_class:
        return tuple(rows), ()
    dropped: set[str] = set()
    for split in (TRAIN, VALIDATION):
        classes: dict[bytes, list[FilmRow]] = defaultdict(list)
        of_split = [row for row in rows if row.split == split]
        for row, target_K in zip(of_split, targets_NK(of_split, target), strict=True):
            classes[target_K.tobytes()].append(row)
        limit = _limit(classes.values(), split, data)
        for films in classes.values():
            ordered = sorted(films, key=lambda row: position(row.path, data.split_salt))
            dropped |= {row.path for row in ordered[limit:]}
    return (
        tuple(row for row in rows if row.path not in dropped),
        tuple(
            Omission(row.path, "BALANCED", f"enough {row.split} films of its class")
            for row in rows
            if row.path in dropped
        ),
    )


def _limit(classes: Collection[list[FilmRow]], split: str, data: DataConfig) -> int:
    sizes = [len(films) for films in classes]
    limits = [max(sizes, default=0)]
    if data.balance == "fewest":
        limits.append(min(sizes, default=0))
    if data.films_per_class and split == TRAIN:
        limits.append(data.films_per_class)
    return min(limits)
