"""The columns that a tag table can have: the attributes of the DICOM dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pydicom.datadict import get_entry, keyword_dict

from xrayview.io.tags.columns import DEFAULT_COLUMNS, column_of

_RETIRED = "Retired"
_BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


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
    entries = {}
    for keyword, tag in keyword_dict.items():
        vr, _vm, name, retired, _keyword = get_entry(tag)
        if keyword and retired != _RETIRED and vr not in _BINARY_VRS:
            is_identifying = column_of((tag,), keyword).is_identifying
            entries[keyword] = KnownColumn(keyword, name, is_identifying)
    defaults = [entries.pop(keyword) for keyword in DEFAULT_COLUMNS if keyword in entries]
    return (*defaults, *(entries[keyword] for keyword in sorted(entries)))
