"""A patient's age as files state it, and from two dates."""

from __future__ import annotations

import pytest

from xrayview.domain.age import age_in_years, age_on, age_text, header_age_text


@pytest.mark.parametrize(
    ("text", "years"),
    [
        *(
            (text, 68)
            for text in ("068Y", "68Y", "68", " 068Y ", "68 Y", "68y", "68 years", "68yrs")
        ),
        ("6.5", 6.5),
        ("6,5 y", 6.5),
        ("018M", 1.5),
        ("18 months", 1.5),
        ("5Y6M", 5.5),
        ("5 y 6 mo", 5.5),
        ("026W", 26 * 7 / 365.25),
        ("010D", 10 / 365.25),
        ("000Y", 0),
    ],
)
def test_that_an_age_is_parsed_as_people_write_it(text: str, years: float) -> None:
    assert age_in_years(text) == pytest.approx(years)


@pytest.mark.parametrize("text", ["", "unknown", "Y", "-3", "411", "999Y", "6 5Y", "1e3", "Y68"])
def test_that_other_text_is_not_an_age(text: str) -> None:
    assert age_in_years(text) is None


@pytest.mark.parametrize(
    ("born", "studied", "completed"),
    [
        ("20200229", "20250228", 4),
        ("20200229", "20250301", 5),
        ("20180615", "20240614", 5),
        ("20180615", "20240615", 6),
        ("2018.06.15", "2024-06-15", 6),
        ("20240131", "20240131", 0),
    ],
)
def test_that_dates_give_completed_years(born: str, studied: str, completed: int) -> None:
    years = age_on(born, studied)
    assert years is not None
    assert int(years) == completed


@pytest.mark.parametrize(
    ("born", "studied"),
    [
        ("", "20240101"),
        ("20200101", ""),
        ("20240102", "20240101"),
        ("19000101", "19000101"),
        ("19000101", "20240101"),
        ("20201301", "20240101"),
        ("2020", "20240101"),
        ("19100101", "20240101"),
    ],
)
def test_that_missing_and_implausible_dates_give_no_age(born: str, studied: str) -> None:
    assert age_on(born, studied) is None


def test_that_an_age_is_shown_in_a_unit_that_fits() -> None:
    shown = [age_text(years) for years in (41.9, 2, 1.5, 1 / 12, 10 / 365.25)]
    assert shown == ["41 years", "2 years", "18 months", "1 month", "10 days"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("000Y", "0 years"), ("001Y", "1 year"), ("018M", "18 months"), ("41 y", "41 y"), ("", "")],
)
def test_that_the_age_of_a_header_is_shown_in_its_own_unit(text: str, shown: str) -> None:
    assert header_age_text(text) == shown
