"""Which columns a table of tags may have: the attributes of the DICOM dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pydicom.datadict import DicomDictionary  # type: ignore[attr-defined]

from xrayview.io.tags.columns import DEFAULT_COLUMNS, column_of

_RETIRED = "Retired"


@dataclass(frozen=True)
class KnownColumn:
    """One attribute that a column can be made of."""

    keyword: str
    name: str
    is_identifying: bool
    """It may say who the patient is."""


@cache
def known_columns() -> tuple[KnownColumn, ...]:
    """All attributes that are not retired, by keyword; those of the usual table first."""
    entries = {
        keyword: KnownColumn(keyword, name, column_of((tag,), keyword).is_identifying)
        for tag, (vr, _vm, name, retired, keyword) in DicomDictionary.items()
        if keyword and retired != _RETIRED and vr not in {"OB", "OW", "OF", "OD", "OL", "OV", "UN"}
    }
    usual = [entries.pop(keyword) for keyword in DEFAULT_COLUMNS if keyword in entries]
    return (*usual, *(entries[keyword] for keyword in sorted(entries)))
