"""Splits by patient: official ones kept, validation cut by a hash that new rows do not move."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable

from training.config import DataConfig
from training.data.manifest import FilmRow

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def assign(rows: Iterable[FilmRow], config: DataConfig) -> tuple[FilmRow, ...]:
    """Give each film its split: test films as the source says, training patients by hash.

    Films of official splits that the config does not name stay unused (split empty).
    """
    return tuple(dataclasses.replace(row, split=_split(row, config)) for row in rows)


def _split(row: FilmRow, config: DataConfig) -> str:
    if row.official_split in config.test_splits:
        return TEST
    if row.official_split not in config.train_splits:
        return ""
    held_out = position(row.patient, config.split_salt) < config.validation_fraction
    return VALIDATION if held_out else TRAIN


def position(patient: str, salt: str) -> float:
    """A patient's fixed place in 0..1: the same in every data set, order and version."""
    digest = hashlib.sha256(f"{salt}\0{patient}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
