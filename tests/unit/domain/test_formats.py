"""The table of film formats, from which names, messages and readers are derived."""

from __future__ import annotations

from xrayview.domain.formats import FORMATS, READABLE


def test_that_ids_and_suffixes_are_unique() -> None:
    ids = [row.id for row in FORMATS]
    suffixes = [suffix for row in FORMATS for suffix in row.suffixes]
    assert len(set(ids)) == len(ids)
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix.islower() for suffix in suffixes)


def test_that_messages_list_every_common_format_in_order() -> None:
    common = [row.title for row in FORMATS if row.is_common]
    assert READABLE.replace(" or ", ", ").split(", ") == common
    assert "JSRT" not in common
