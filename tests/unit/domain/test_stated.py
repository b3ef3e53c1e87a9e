"""What a user states of all films of a folder."""

from __future__ import annotations

import pytest

from xrayview.domain.stated import NOTHING_STATED, StatedFilms, stated_films
from xrayview.errors import UsageError


@pytest.mark.parametrize(
    ("age", "years", "text"),
    [
        ("1-5", (1, 5), "1 to 5 years"),
        (" 1 to 5 years ", (1, 5), "1 to 5 years"),
        ("1 – 5", (1, 5), "1 to 5 years"),
        ("4", (4, 4), "4 years"),
        ("18+", (18, 120), "18 years or older"),
    ],
)
def test_that_a_range_of_ages_is_parsed(age: str, years: tuple[int, int], text: str) -> None:
    stated = stated_films(age)
    assert stated.age_years == years
    assert stated.text == text


@pytest.mark.parametrize("age", ["5-1", "children", "1-5-9", "-3", "200", "18-"])
def test_that_another_age_is_refused_with_a_hint(age: str) -> None:
    with pytest.raises(UsageError, match=r"is not a range of years.*1-5"):
        stated_films(age)


def test_that_terms_are_those_of_headers() -> None:
    stated = stated_films(view_position=" ap ", body_part="chest")
    assert stated == StatedFilms((), "AP", "CHEST")
    assert stated.text == "AP, CHEST"
    with pytest.raises(UsageError, match="view"):
        stated_films(view_position="AP;rm")


def test_that_only_what_is_stated_is_plain_data() -> None:
    assert NOTHING_STATED.to_json() == {}
    assert NOTHING_STATED.text == ""
    assert stated_films("1-5", "AP").to_json() == {"age_years": [1, 5], "view_position": "AP"}
