"""Values of a data set as plain text and numbers; what cannot be read is absent, not an error."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag


def text(dataset: Dataset, keyword: str) -> str:
    """The value as text, several joined by a backslash; empty when absent or broken."""
    return "\\".join(texts(dataset, keyword))


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Each value as text without padding."""
    return tuple(str(value).strip("\0 ") for value in _values(dataset, keyword))


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Each value as a number; NaN stands where one is not a number, so that places are kept."""
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


def _number(value: object) -> float:
    try:
        return float(str(value).strip("\0 "))
    except ValueError:
        return math.nan


def _values(dataset: Dataset, keyword: str) -> Iterable[object]:
    tag = Tag(keyword)
    if tag not in dataset:
        return ()
    raw = dataset.get_item(tag)
    # One bad part of a decimal string makes pydicom refuse them all.
    if isinstance(raw, RawDataElement) and (raw.VR or dictionary_VR(tag)) in {"DS", "IS"}:
        return raw.value.decode("latin-1").split("\\") if raw.value else ()
    try:
        value = dataset[tag].value
    except Exception:  # pydicom converts on access, and a broken value raises anything
        return ()
    if value is None or value == "":
        return ()
    if isinstance(value, MultiValue | list | tuple) or hasattr(value, "is_undefined_length"):
        return list(value)
    return (value,)
