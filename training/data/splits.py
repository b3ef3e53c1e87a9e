"""Splits by patient: official ones are kept, others follow a hash that new rows do not change."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from training.config import DataConfig
from training.data.manifest import SEPARATOR, FilmRow, Omission

TRAIN, VALIDATION, TEST = "train", "validation", "test"
ALL = "all"
"""The split of every film where a model is evaluated on all films of a folder."""


NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validate": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""Name of a split in lower case -> its usual name."""


def assign(rows: Iterable[FilmRow], config: DataConfig) -> tuple[FilmRow, ...]:
    """Give each film its split: the official one, or else one chosen by a hash of the patient.

    Each source is split on its own. Films of official splits that the config does not name are
    not used (empty split).
    """
    rows = tuple(rows)
    parts = Counter((row.source, _part(row, config)) for row in rows)

    def split(row: FilmRow) -> str:
        part, enough = _part(row, config), _is_enough(row.source, parts, config)
        if part in {TEST, ""} or (part == VALIDATION and enough):
            return part
        if not parts[row.source, TEST] and _held_out(row, "/test", config.test_fraction, config):
            return TEST
        cut = not enough and _held_out(row, "", config.validation_fraction, config)
        return VALIDATION if cut else TRAIN

    return tuple(dataclasses.replace(row, split=split(row)) for row in rows)


def keep_together(
    rows: Iterable[FilmRow], config: DataConfig
) -> tuple[tuple[FilmRow, ...], tuple[FilmRow, ...]]:
    """Move films with the same pixels to one split, with all films of their patients.

    Only films move whose split was chosen by a hash; official splits stay, and are a leak if they
    share a picture. Returns all rows, and those that moved, with their new split.
    """
    rows = tuple(rows)
    parts = Counter((row.source, _part(row, config)) for row in rows)
    moved: dict[int, str] = {}
    for group in _groups(rows):
        splits = {rows[i].split for i in group}
        common = set.intersection(*(_possible(rows[i], parts, config) for i in group))
        if len(splits) > 1 and common:
            split = next(name for name in (TRAIN, VALIDATION, TEST) if name in common)
            moved |= {i: split for i in group if rows[i].split != split}
    changed = {i: dataclasses.replace(rows[i], split=split) for i, split in moved.items()}
    return tuple(changed.get(i, row) for i, row in enumerate(rows)), tuple(changed.values())


def _groups(rows: Sequence[FilmRow]) -> Iterable[list[int]]:
    """Return the used films that share a patient or a picture, directly or by way of others."""
    first: dict[tuple[str, str], int] = {}
    parents = list(range(len(rows)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    for i, row in enumerate(rows):
        for key in (("patient", row.patient), ("pixels", row.pixels_sha256)):
            if row.split and key[1]:
                parents[root(i)] = root(first.setdefault(key, i))
    groups: dict[int, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row.split:
            groups[root(i)].append(i)
    return groups.values()


def _possible(row: FilmRow, parts: Counter[tuple[str, str]], config: DataConfig) -> set[str]:
    """Return the splits that a film may have without contradicting its official one."""
    part, enough = _part(row, config), _is_enough(row.source, parts, config)
    if part == TEST or (part == VALIDATION and enough):
        return {part}
    return {
        TRAIN,
        *(() if enough else (VALIDATION,)),
        *(() if parts[row.source, TEST] else (TEST,)),
    }


def _is_enough(source: str, parts: Counter[tuple[str, str]], config: DataConfig) -> bool:
    """Tell whether a source has as many official validation films as are needed."""
    validation, train = parts[source, VALIDATION], parts[source, TRAIN]
    would_be_cut = config.validation_fraction * (train + validation)
    return validation >= config.fewest_validation or 0 < would_be_cut <= validation


def few_validation_notes(rows: Iterable[FilmRow], config: DataConfig) -> tuple[str, ...]:
    """Return a note on each source whose official validation films became training films."""
    parts = Counter((row.source, _part(row, config)) for row in rows)
    return tuple(
        f"The {count} official validation films of {source} are too few "
        f"(data.fewest_validation is {config.fewest_validation}): they are used for training, and "
        f"{config.validation_fraction:.0%} of the patients are validation patients."
        for (source, part), count in sorted(parts.items())
        if part == VALIDATION and not _is_enough(source, parts, config)
    )


def _part(row: FilmRow, config: DataConfig) -> str:
    """Return the meaning of the official split in this config; a film without one is training.

    Empty for a split that the config does not use or does not know.
    """
    official = row.official_split.strip()
    if not official:
        return TRAIN
    named = {
        TEST: config.test_splits, VALIDATION: config.validation_splits, TRAIN: config.train_splits
    }  # fmt: skip
    folded = official.casefold()
    usual = NAMES.get(folded, folded)
    for spelling in (
        lambda name: name == official,
        lambda name: name.casefold() == folded,
        lambda name: NAMES.get(name.casefold(), name.casefold()) == usual,
    ):
        parts = [part for part, names in named.items() if any(map(spelling, names))]
        if parts:
            return parts[0] if len(parts) == 1 else ""
    own = row.source not in config.dataset.split(SEPARATOR)
    return VALIDATION if own and usual == "val" else ""


def is_official_test(row: FilmRow, config: DataConfig) -> bool:
    """Tell whether the data names the film as a test film."""
    return _part(row, config) == TEST


def known_names(config: DataConfig) -> list[str]:
    """Return the splits that the config uses."""
    return [*config.train_splits, *config.validation_splits, *config.test_splits]


def why_unused(row: FilmRow) -> Omission:
    """Say why a film of an official split has no split here."""
    known = row.official_split.strip().casefold() in NAMES
    code, why = ("UNUSED_SPLIT", "official split") if known else ("UNKNOWN_SPLIT", "unknown split")
    return Omission(row.path, code, f"{why} {row.official_split}")


def _held_out(row: FilmRow, purpose: str, share: float, config: DataConfig) -> bool:
    return position(row.patient, config.split_salt + purpose) < share


def position(patient: str, salt: str) -> float:
    """Return a patient's fixed position in 0..1, the same in every data set, order and version."""
    digest = hashlib.sha256(f"{salt}\0{patient}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
