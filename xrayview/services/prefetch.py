"""Which film to decode before it is asked for: the neighbours, ahead of where the reader goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from xrayview.domain.film import FilmRef
from xrayview.services.film_list import FilmList

_STEPS = (1, 2, -1, 3, 4)
"""In the reader's direction: one back is nearer than three ahead."""
_BYTES_PER_PIXEL = 2 * 4 / 3
"""16 bits, and the smaller resolutions beside them."""
_UNKNOWN_PIXELS = 3000 * 3000


class Prefetcher:
    """Plans within a memory budget; each neighbour is tried once for each film on screen.

    Args:
        budget_bytes: what all decoded films may take together.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._here = ""
        self._number = 0
        self._direction = 1
        self._tried: set[str] = set()

    def next_film(
        self,
        listed: FilmList,
        current: FilmRef | None,
        is_at_hand: Callable[[FilmRef], bool],
        bytes_of: Callable[[FilmRef], int] | None = None,
        beside: Iterable[FilmRef] = (),
    ) -> FilmRef | None:
        """The next film to decode; None when the neighbours that fit are at hand or were tried.

        `bytes_of` says what a film takes that is decoded already, and what one will that is not;
        by default what their headers say. `beside` are the other films on screen, which stay.
        """
        bytes_of = bytes_of or film_bytes
        if current is None:
            return None
        self._follow(listed, current)
        used = bytes_of(current) + sum(map(bytes_of, beside))
        for step in _STEPS:
            film = _at(listed, self._number + step * self._direction)
            if film is None:
                continue
            used += bytes_of(film)
            if used > self._budget_bytes:
                return None
            if film.film_id not in self._tried and not is_at_hand(film):
                self._tried.add(film.film_id)
                return film
        return None

    def _follow(self, listed: FilmList, current: FilmRef) -> None:
        number = listed.number(current)
        if current.film_id != self._here:
            if number and self._number and number != self._number:
                self._direction = 1 if number > self._number else -1
            self._here = current.film_id
            self._tried.clear()
        self._number = number


def film_bytes(film: FilmRef) -> int:
    """What a film takes once it is decoded, as far as its header says."""
    return round((film.rows * film.columns or _UNKNOWN_PIXELS) * _BYTES_PER_PIXEL)


def _at(listed: FilmList, number: int) -> FilmRef | None:
    return listed.films[number - 1] if 1 <= number <= len(listed) else None
