"""Which ids name a patient: those of headers, or a part of a file's path."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(
    r"anon[a-z]*|de-?identified|unknown|unbekannt|inconnu|none|null|nan|no ?id|n/?a|#n/a|removed"
    r"|redacted|patient|test|x+|0+|-+|\?+|\.+",
    re.IGNORECASE,
)
"""IDs that de-identification or a spreadsheet leaves in every film; they name no patient. Numbered
ones, such as `anon001`, are pseudonyms."""


def stated_patient(patient_id: str) -> str:
    """The PatientID of a header; empty for one that names no patient."""
    patient_id = patient_id.strip()
    return "" if PLACEHOLDER.fullmatch(patient_id) else patient_id


def patient_in_path(path: str, pattern: re.Pattern[str]) -> str:
    """The id that a pattern finds in a path, or else in the file's name; empty if none.

    The first group that takes part is the id, without groups the whole match.
    """
    for text in (path, path.rpartition("/")[2]):
        if match := pattern.search(text):
            groups = filter(None, match.groups())
            return next(groups, "") if pattern.groups else match[0]
    return ""
