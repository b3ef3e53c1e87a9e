"""The prior of a film, by patient, view and date in the headers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from xrayview.domain.film import FilmRef
from xrayview.services.priors import NoPrior, Prior, earlier_text, film_date, find_prior


def film(name: str, day: str, view: str = "PA", patient: str = "P1", **fields: str) -> FilmRef:
    return FilmRef(
        Path(name), name, patient_id=patient, study_date=day, view_position=view, **fields
    )


CURRENT = film("now", "20240119", body_part="CHEST")


def prior(*others: FilmRef, of: FilmRef = CURRENT) -> str:
    found = find_prior(of, (of, *others))
    return found.film.relative_path if isinstance(found, Prior) else found.why


def test_that_the_nearest_earlier_study_is_the_prior() -> None:
    others = film("old", "20200101"), film("near", "20231201"), film("later", "20240301")
    assert prior(*others) == "near"
    found = find_prior(CURRENT, others)
    assert isinstance(found, Prior)
    assert found.days == 49


def test_that_ap_is_comparable_to_pa_but_the_same_view_is_preferred() -> None:
    assert prior(film("ap", "20231201", "AP")) == "ap"
    assert prior(film("ap", "20231201", "AP"), film("pa", "20231201")) == "pa"
    assert prior(film("pa", "20231201"), film("ap", "20231201", "AP")) == "pa"


@pytest.mark.parametrize(
    "other",
    [
        film("lateral", "20230101", "LL"),
        film("hand", "20230101", body_part="HAND"),
        film("no view", "20230101", ""),
    ],
    ids=lambda other: other.relative_path,
)
def test_that_a_film_of_another_view_is_not_a_prior(other: FilmRef) -> None:
    assert "same view" in prior(other)


def test_that_another_side_is_another_view_unless_it_is_not_stated() -> None:
    right = film("now", "20240119", laterality="R")
    assert "same view" in prior(film("left", "20230101", laterality="L"), of=right)
    assert prior(film("unstated", "20230101"), of=right) == "unstated"


def test_that_a_film_of_another_patient_is_not_a_prior() -> None:
    assert "no earlier study" in prior(film("other", "20230101", patient="P2"))


def test_that_films_without_a_patient_id_have_no_prior() -> None:
    nobody = film("now", "20240119", patient="")
    assert "PatientID" in prior(film("old", "20230101", patient=""), of=nobody)


def test_that_a_film_of_the_same_day_is_not_a_prior() -> None:
    assert "no earlier study" in prior(film("second", "20240119"))


@pytest.mark.parametrize("text", ["", "2024", "20241399", "20240230", "yesterday"])
def test_that_an_invalid_date_is_ignored(text: str) -> None:
    assert film_date(film("x", text)) is None
    assert isinstance(find_prior(film("x", text), [film("old", "20200101")]), NoPrior)


def test_that_the_acquisition_date_replaces_a_missing_study_date() -> None:
    assert film_date(film("x", "", acquisition_date="20230102")) == date(2023, 1, 2)
    assert film_date(film("x", "20240101", acquisition_date="20230102")) == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (1, "1 day earlier"),
        (60, "60 days earlier"),
        (91, "3 mo earlier (91 days)"),
        (365, "1 y earlier (365 days)"),
        (1279, "3 y 6 mo earlier (1,279 days)"),
    ],
)
def test_that_an_interval_is_given_in_a_readable_unit(days: int, text: str) -> None:
    assert earlier_text(days) == text
