"""Breaking text into rows: where rows end, and that nothing is lost."""

from __future__ import annotations

import pytest

from xrayview.ui.viewer.text_rows import rows_of


@pytest.mark.parametrize(
    ("text", "room", "rows"),
    [
        ("", 10, ()),
        ("W 4096  L 2048  STANDARD", 24, ("W 4096  L 2048  STANDARD",)),
        ("W 4096  L 2048  STANDARD", 14, ("W 4096  L 2048", "STANDARD")),
        ("W 4096  L 2048  STANDARD", 10, ("W 4096", "L 2048", "STANDARD")),
        ("RESEARCH USE ONLY", 13, ("RESEARCH", "USE ONLY")),
        ("0.139 mm/px at detector", 14, ("0.139 mm/px", "at detector")),
        ("magnification-corrected (estimated)", 14, ("magnification-", "corrected", "(estimated)")),
        ("Universitätsklinikum", 8, ("Universitätsklinikum",)),
    ],
)
def test_that_rows_end_between_parts_then_words_then_after_hyphens(
    text: str, room: int, rows: tuple[str, ...]
) -> None:
    assert rows_of(text, "  ", len, room) == rows


def test_that_the_last_row_of_a_part_takes_the_rest() -> None:
    assert rows_of("one two three four", "  ", len, 5, most=2) == ("one", "two three four")
    assert rows_of("one two", "  ", len, 3, most=1) == ("one two",)
    assert rows_of("after-word more", "  ", len, 6, most=2) == ("after-", "word more")


def test_that_a_part_is_never_shortened_for_another_one() -> None:
    rows = rows_of("W 4096  L 2048  A LONG EXPLANATION", "  ", len, 8, most=1)
    assert rows == ("W 4096", "L 2048", "A LONG EXPLANATION")
