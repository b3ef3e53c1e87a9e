"""Patient ids: the data's own, one in the file's name, or one per film."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from training.config import DataConfig
from training.data.manifest import FilmRow

_UNKNOWN = "film:"
"""Prefix of the id of a film whose patient is unknown."""


def patient_id(path: str, given: str, data: DataConfig) -> str:
    """Return the patient's id; without one the film counts as its own patient.

    `path` is the film's path relative to the data folder. If `data.patient_pattern` has a group,
    its first group is the id, otherwise the whole match.
    """
    if given:
        return given
    if data.patient_pattern:
        match = re.search(data.patient_pattern, PurePosixPath(path).name)
        if match:
            return match[1] if match.re.groups else match[0]
    return f"{_UNKNOWN}{path}"


def patient_notes(rows: Sequence[FilmRow]) -> tuple[str, ...]:
    """Return the card's note on films whose patient is unknown."""
    unknown = sum(row.patient.startswith(_UNKNOWN) for row in rows)
    if not unknown:
        return ()
    note = (
        f"The data has no patient id for {unknown} of {len(rows)} films: each counts as its own "
        "patient, so films of one patient may be in different splits."
    )
    return (note,)
