"""Labels that say that there is no finding, and what they say of other labels."""

from __future__ import annotations

from collections.abc import Collection

from xrayview.domain.finding_names import NEGATIVE, normalise

_NO_FINDINGS_THEMSELVES = {"support devices"}
"""Labels that can stand beside `No Finding`, as in CheXpert."""


def is_negative(label: str, declared: Collection[str] = ()) -> bool:
    """Tell whether a label says that there is no finding: `No Finding`, or a declared one."""
    text = normalise(label)
    return text in NEGATIVE or text in map(normalise, declared)


def is_finding(label: str, declared: Collection[str] = ()) -> bool:
    """Tell whether a label is absent where a negative one is present."""
    return not is_negative(label, declared) and normalise(label) not in _NO_FINDINGS_THEMSELVES
