"""Prefetching plans neighbours in the direction of reading, within the budget, once each."""

from __future__ import annotations

from pathlib import Path

from xrayview.domain.film import FilmRef
from xrayview.services.film_list import FilmList
from xrayview.services.prefetch import Prefetcher, film_bytes

FILMS = [FilmRef(Path(name), name, rows=100, columns=100) for name in "abcdefghij"]
LISTED = FilmList(FILMS)
ONE = film_bytes(FILMS[0])


def planned(ahead: Prefetcher, current: FilmRef, decoded: str = "") -> str:
    names = []
    while film := ahead.next_film(LISTED, current, lambda film: film.relative_path in decoded):
        names.append(film.relative_path)
    return "".join(names)


def test_that_the_next_films_come_before_the_one_behind() -> None:
    assert planned(Prefetcher(20 * ONE), FILMS[4]) == "fgdhi"


def test_that_the_plan_follows_the_direction_of_reading() -> None:
    ahead = Prefetcher(20 * ONE)
    planned(ahead, FILMS[4])
    assert planned(ahead, FILMS[3]) == "cbea"
    assert planned(ahead, FILMS[4]) == "fgdhi"


def test_that_the_plan_stops_at_the_ends_of_the_list() -> None:
    assert planned(Prefetcher(20 * ONE), FILMS[-1]) == "i"
    assert planned(Prefetcher(20 * ONE), FilmRef(Path("x"), "x", rows=100, columns=100)) == "abcd"


def test_that_the_budget_includes_the_film_on_screen() -> None:
    assert planned(Prefetcher(3 * ONE), FILMS[4]) == "fg"
    assert planned(Prefetcher(2 * ONE - 1), FILMS[4]) == ""


def test_that_the_budget_includes_other_views_and_actual_sizes() -> None:
    ahead = Prefetcher(4 * ONE)
    there = (LISTED, FILMS[4], lambda _film: False)
    assert ahead.next_film(*there, others_on_screen=FILMS[7:10]) is None
    assert ahead.next_film(*there, bytes_of=lambda _film: 3 * ONE) is None
    assert ahead.next_film(*there) == FILMS[5]


def test_that_a_film_of_unknown_size_counts_as_a_large_one() -> None:
    unknown = FilmList([FILMS[0], FilmRef(Path("x"), "x"), FILMS[1]])
    assert Prefetcher(5 * ONE).next_film(unknown, FILMS[0], lambda _film: False) is None


def test_that_a_film_that_is_cached_or_was_tried_is_not_decoded_again() -> None:
    ahead = Prefetcher(20 * ONE)
    assert planned(ahead, FILMS[4], decoded="fd") == "ghi"
    assert planned(ahead, FILMS[4], decoded="f") == "d"  # let go meanwhile, and never tried
    assert planned(ahead, FILMS[4]) == "f"
    assert planned(ahead, FILMS[4]) == ""


def test_that_nothing_is_planned_without_a_film() -> None:
    assert Prefetcher(20 * ONE).next_film(LISTED, None, lambda _film: False) is None
