"""Values of a data set as text and numbers; an unreadable value counts as absent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

_PLAIN_TEXT = frozenset({"AE", "AS", "CS", "DA", "DS", "IS", "LO", "PN", "SH", "TM", "UI"})
"""Text VRs that may have several values, separated by a backslash (PS3.5, table 6.2-1)."""
_ESCAPE = b"\x1b"


def text(dataset: Dataset, keyword: str) -> str:
    """The value as text, several joined by a backslash; empty when absent or broken."""
    return "\\".join(texts(dataset, keyword))


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Each value as text without padding."""
    return tuple(str(value).strip("\0 ") for value in _values(dataset, keyword))


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Each value as a number; NaN for one that is not a number, so that positions are kept."""
    return tuple(_number(value) for value in _values(dataset, keyword))


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a finite number, or None."""
    value = next(iter(numbers(dataset, keyword)), math.nan)
    return value if math.isfinite(value) else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value as an integer, or None."""
    value = number(dataset, keyword)
    return None if value is None else int(value)


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence."""
    return tuple(value for value in _values(dataset, keyword) if isinstance(value, Dataset))


def raw_element(dataset: Dataset, tag: int) -> object:
    """The element as pydicom has it, converted or not; None when absent or unreadable."""
    try:
        return dataset.get_item(tag) if tag in dataset else None
    except Exception:  # pydicom converts an empty value, whose VR may be unknown
        return None


def _number(value: object) -> float:
    try:
        return float(str(value).strip("\0 "))
    except ValueError:
        return math.nan


@cache
def _tag(keyword: str) -> tuple[BaseTag, str]:
    tag = BaseTag(tag_for_keyword(keyword) or 0)
    return tag, dictionary_VR(tag)


def _values(dataset: Dataset, keyword: str) -> Iterable[object]:
    tag, known_vr = _tag(keyword)
    raw = raw_element(dataset, tag)
    if raw is None:
        return ()
    if isinstance(raw, RawDataElement):
        data = raw.value
        if not data:
            return ()
        # pydicom rejects all values of a decimal string if one is bad, and is slow on text.
        vr = raw.VR if raw.VR and raw.VR != "UN" else known_vr
        if vr in _PLAIN_TEXT and data.isascii() and _ESCAPE not in data:
            return data.decode("ascii").split("\\")
    try:
        value = dataset[tag].value
    except Exception:  # pydicom converts on access, and a broken value raises anything
        return ()
    if value is None or value == "":
        return ()
    return value if isinstance(value, MultiValue | Sequence | list | tuple) else (value,)
