"""The columns that a tag table can have: the attributes of the DICOM dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pydicom.datadict import DicomDictionary  # type: ignore[attr-defined]

from xrayview.io.tags.columns import DEFAULT_COLUMNS, column_of

_RETIRED = "Retired"


@dataclass(frozen=True)
class KnownColumn:
    """One attribute that can be a column."""

    keyword: str
    name: str
    is_identifying: bool
    """It may identify the patient."""


@cache
def known_columns() -> tuple[KnownColumn, ...]:
    """All attributes that are not retired, sorted by keyword; the default columns first."""
    entries = {
        keyword: KnownColumn(keyword, name, column_of((tag,), keyword).is_identifying)
        for tag, (vr, _vm, name, retired, keyword) in DicomDictionary.items()
        if keyword and retired != _RETIRED and vr not in {"OB", "OW", "OF", "OD", "OL", "OV", "UN"}
    }
    defaults = [entries.pop(keyword) for keyword in DEFAULT_COLUMNS if keyword in entries]
    return (*defaults, *(entries[keyword] for keyword in sorted(entries)))
