"""Counts agree with their noun, and notes are joined as sentences or as parts of one."""

from __future__ import annotations

import pytest

from xrayview.domain.sentences import counted, joined


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 films"), (1, "1 film"), (2, "2 films"), (12345, "12,345 films")]
)
def test_that_a_count_agrees_with_its_noun(count: int, text: str) -> None:
    assert counted(count, "film") == text


def test_that_an_irregular_plural_is_used_for_all_but_one() -> None:
    assert [counted(n, "copy", "copies") for n in (1, 2)] == ["1 copy", "2 copies"]


def test_that_only_a_text_without_a_full_stop_is_followed_by_a_semicolon() -> None:
    assert joined(["It is a PA.", "Age: not in the file", "", "lossy"]) == (
        "It is a PA. Age: not in the file; lossy"
    )
    assert joined([]) == ""
