"""Prefetching: which neighbour of the film on screen to decode next."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from xrayview.domain.film import FilmRef
from xrayview.services.film_list import FilmList

_STEPS = (1, 2, -1, 3, 4)
"""In the direction of reading; one back comes before three ahead."""
_BYTES_PER_PIXEL = 2 * 4 / 3
"""16 bits, and the smaller resolutions."""
_UNKNOWN_PIXELS = 3000 * 3000


class Prefetcher:
    """Plans decodes within a memory budget; each neighbour is tried once per film on screen.

    Args:
        budget_bytes: memory for all decoded films together.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._current_id = ""
        self._position = 0
        self._direction = 1
        self._tried: set[str] = set()

    def next_film(
        self,
        listed: FilmList,
        current: FilmRef | None,
        is_cached: Callable[[FilmRef], bool],
        bytes_of: Callable[[FilmRef], int] | None = None,
        others_on_screen: Iterable[FilmRef] = (),
    ) -> FilmRef | None:
        """The next film to decode; None when all neighbours that fit are cached or were tried.

        Args:
            listed: the films in the order of navigation.
            current: the film on screen.
            is_cached: True for a film that is decoded already.
            bytes_of: the memory of a film, decoded or not; by default an estimate by its header.
            others_on_screen: further films on screen, which stay in memory.
        """
        bytes_of = bytes_of or film_bytes
        if current is None:
            return None
        self._follow(listed, current)
        used = bytes_of(current) + sum(map(bytes_of, others_on_screen))
        for step in _STEPS:
            film = _at(listed, self._position + step * self._direction)
            if film is None:
                continue
            used += bytes_of(film)
            if used > self._budget_bytes:
                return None
            if film.film_id not in self._tried and not is_cached(film):
                self._tried.add(film.film_id)
                return film
        return None

    def _follow(self, listed: FilmList, current: FilmRef) -> None:
        position = listed.position(current)
        if current.film_id != self._current_id:
            if position and self._position and position != self._position:
                self._direction = 1 if position > self._position else -1
            self._current_id = current.film_id
            self._tried.clear()
        self._position = position


def film_bytes(film: FilmRef) -> int:
    """The memory of a decoded film, estimated by its header."""
    return round((film.rows * film.columns or _UNKNOWN_PIXELS) * _BYTES_PER_PIXEL)


def _at(listed: FilmList, position: int) -> FilmRef | None:
    return listed.films[position - 1] if 1 <= position <= len(listed) else None
