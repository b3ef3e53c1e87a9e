"""Whose film it is: the data's id, an id in the file's name, or a patient of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from training.config import DataConfig
from training.data.manifest import FilmRow

_ALONE = "film:"


def patient_of(path: str, given: str, data: DataConfig) -> str:
    """The patient's id; without one the film counts as its own patient.

    `path` is the film's, below the data folder. Where `data.patient_pattern` has a group, the
    first group is the id, else all that it matches.
    """
    if given:
        return given
    if data.patient_pattern:
        found = re.search(data.patient_pattern, PurePosixPath(path).name)
        if found:
            return found[1] if found.re.groups else found[0]
    return f"{_ALONE}{path}"


def notes_on(rows: Sequence[FilmRow]) -> tuple[str, ...]:
    """What the card says where patients are not known."""
    alone = sum(row.patient.startswith(_ALONE) for row in rows)
    if not alone:
        return ()
    note = (
        f"The data gives no patient id for {alone} of {len(rows)} films: each counts as its own "
        "patient, so films of one patient may lie in different splits."
    )
    return (note,)
