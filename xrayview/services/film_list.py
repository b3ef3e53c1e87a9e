"""The films that Up and Down walk through, and what follows what."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from xrayview.domain.film import FilmRef


class FilmList:
    """Films in the order in which they are walked through."""

    def __init__(self, films: Iterable[FilmRef] = ()) -> None:
        self.films = tuple(films)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {film.row_id: n for n, film in enumerate(self.films)}

    def __len__(self) -> int:
        return len(self.films)

    def number(self, film: FilmRef | None) -> int:
        """The film's place, counted from 1; 0 when it is not listed."""
        return self._place.get(film.row_id, -1) + 1 if film is not None else 0

    def neighbour(self, film: FilmRef | None, step: int) -> FilmRef | None:
        """The film `step` places on, held at the ends; the first one for a film not listed."""
        if not self.films:
            return None
        place = self.number(film) - 1
        return self.films[min(max(place + step, 0), len(self) - 1) if place >= 0 else 0]

    def series_starts(self) -> FilmList:
        """The first film of each series, or of each folder of films without one."""
        keys = [_series(film) for film in self.films]
        return FilmList(f for n, f in enumerate(self.films) if n == 0 or keys[n - 1] != keys[n])

    def series_start(self, film: FilmRef | None) -> FilmRef | None:
        """The first film of a film's series."""
        if film is None:
            return None
        return next((f for f in self.films if _series(f) == _series(film)), None)


def _series(film: FilmRef) -> tuple[str, str]:
    folder = "" if film.has_tags else film.relative_path.rpartition("/")[0]
    return film.series_uid, folder
