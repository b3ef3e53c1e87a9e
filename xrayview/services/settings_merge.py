"""Merge the settings of two windows: each writes what its user changed, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ABSENT = object()


def merged(
    base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> dict[str, Any]:
    """The settings to write.

    Args:
        base: as this window read or wrote them last.
        mine: as they are in this window.
        theirs: as they are in the file.

    A value that is unchanged here is theirs. Of one that was changed here, tables and lists are
    merged by item; anything else is mine.
    """
    result = dict(theirs)
    for key in base.keys() | mine.keys():
        value = _merged_value(*(of.get(key, _ABSENT) for of in (base, mine, theirs)))
        if value is _ABSENT:
            result.pop(key, None)
        else:
            result[key] = value
    return result


def _merged_value(base: Any, mine: Any, theirs: Any) -> Any:
    if mine == base:
        return theirs
    # An absent table is an empty one.
    known = [value for value in (base, mine, theirs) if value is not _ABSENT]
    for kind, merge in ((dict, _merged_table), (list, _merged_list)):
        if all(isinstance(value, kind) for value in known):
            return merge(*(kind() if of is _ABSENT else of for of in (base, mine, theirs)))
    return mine


def _merged_table(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> dict[str, Any]:
    kept = {key: value for key, value in theirs.items() if mine.get(key) == base.get(key)}
    changed = {key: value for key, value in mine.items() if value != base.get(key)}
    return kept | changed


def _merged_list(base: list[str], mine: list[str], theirs: list[str]) -> list[str]:
    """Mine first, in my order, without what they removed, then what they added."""
    kept = [item for item in mine if item in theirs or item not in base]
    added = [item for item in theirs if item not in mine and item not in base]
    return kept + added
