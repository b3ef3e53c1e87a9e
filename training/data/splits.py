"""Splits by patient: official ones kept, validation cut by a hash that new rows do not move."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable

from training.config import DataConfig
from training.data.manifest import FilmRow

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def assign(rows: Iterable[FilmRow], config: DataConfig) -> tuple[FilmRow, ...]:
    """Give each film its split: as the data says, and where it does not, patients by hash.

    Films of official splits that the config does not name stay unused (split empty).
    """
    rows = tuple(rows)
    official = {row.official_split for row in rows}
    cut_validation = official.isdisjoint(config.validation_splits)
    cut_test = official.isdisjoint(config.test_splits)

    def split(row: FilmRow) -> str:
        if row.official_split in config.test_splits:
            return TEST
        if row.official_split in config.validation_splits:
            return VALIDATION
        if row.official_split and row.official_split not in config.train_splits:
            return ""
        if cut_test and position(row.patient, f"{config.split_salt}/test") < config.test_fraction:
            return TEST
        held_out = position(row.patient, config.split_salt) < config.validation_fraction
        return VALIDATION if cut_validation and held_out else TRAIN

    return tuple(dataclasses.replace(row, split=split(row)) for row in rows)


def position(patient: str, salt: str) -> float:
    """A patient's fixed place in 0..1: the same in every data set, order and version."""
    digest = hashlib.sha256(f"{salt}\0{patient}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
