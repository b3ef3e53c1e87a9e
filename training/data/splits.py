"""Splits by patient: official ones are kept, others follow a hash that new rows do not change."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable

from training.config import DataConfig
from training.data.manifest import FilmRow

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def assign(rows: Iterable[FilmRow], config: DataConfig) -> tuple[FilmRow, ...]:
    """Give each film its split: the official one, or else one chosen by a hash of the patient.

    Each source is split on its own. Films of official splits that the config does not name are
    not used (empty split).
    """
    rows = tuple(rows)
    parts = Counter((row.source, _part(row, config)) for row in rows)

    def split(row: FilmRow) -> str:
        part = _part(row, config)
        enough = parts[row.source, VALIDATION] >= config.fewest_validation
        if part in {TEST, ""} or (part == VALIDATION and enough):
            return part
        if not parts[row.source, TEST] and _held_out(row, "/test", config.test_fraction, config):
            return TEST
        cut = not enough and _held_out(row, "", config.validation_fraction, config)
        return VALIDATION if cut else TRAIN

    return tuple(dataclasses.replace(row, split=split(row)) for row in rows)


def _part(row: FilmRow, config: DataConfig) -> str:
    """Return the meaning of the official split in this config; a film without one is training."""
    if row.official_split in config.test_splits:
        return TEST
    if row.official_split in config.validation_splits:
        return VALIDATION
    return TRAIN if not row.official_split or row.official_split in config.train_splits else ""


def _held_out(row: FilmRow, purpose: str, share: float, config: DataConfig) -> bool:
    return position(row.patient, config.split_salt + purpose) < share


def position(patient: str, salt: str) -> float:
    """Return a patient's fixed position in 0..1, the same in every data set, order and version."""
    digest = hashlib.sha256(f"{salt}\0{patient}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
