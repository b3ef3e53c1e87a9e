"""Patient ids: the data's own, one in the file's name, or one per film."""

from __future__ import annotations

import re
from collections.abc import Sequence

from training.config import DataConfig
from training.data.manifest import FilmRow
from xrayview.domain.patient_ids import PLACEHOLDER, patient_in_path
from xrayview.errors import UsageError

_UNKNOWN = "film:"
"""Prefix of the id of a film whose patient is unknown."""


def patient_id(path: str, given: str, data: DataConfig) -> str:
    """Return the patient's id; without one the film counts as its own patient.

    `path` is the film's path relative to the data folder. If `data.patient_pattern` has a group,
    the first group that takes part is the id, otherwise the whole match.
    """
    given = given.strip()
    if PLACEHOLDER.fullmatch(given) and given.strip("0"):  # in a table 0 may be the first patient
        given = ""
    return given or _in_path(path, data) or f"{_UNKNOWN}{path}"


def is_unknown(patient: str) -> bool:
    """Tell whether a film counts as its own patient."""
    return patient.startswith(_UNKNOWN)


def _in_path(path: str, data: DataConfig) -> str:
    """Return the id that the pattern finds in the path, or else in the name, which may begin it."""
    return patient_in_path(path, re.compile(data.patient_pattern)) if data.patient_pattern else ""


def require_matches(rows: Sequence[FilmRow], data: DataConfig) -> None:
    """Check that the patient pattern finds an id where the data has none.

    Raises:
        UsageError: it matches no film at all.
    """
    if data.patient_pattern and rows and all(is_unknown(row.patient) for row in rows):
        raise UsageError(
            f"data.patient_pattern {data.patient_pattern} matches no film",
            why=f"the first is {rows[0].path}",
            hint="It is searched in the path relative to the data folder.",
        )


def patient_notes(rows: Sequence[FilmRow]) -> tuple[str, ...]:
    """Return the card's note on films whose patient is unknown."""
    unknown = sum(is_unknown(row.patient) for row in rows)
    if not unknown:
        return ()
    note = (
        f"The data has no patient id for {unknown} of {len(rows)} films: each counts as its own "
        "patient, so films of one patient may be in different splits."
    )
    return (note,)
