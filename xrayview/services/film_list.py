"""The films of a list in the order of navigation."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property

from xrayview.domain.film import FilmRef


class FilmList:
    """Films in the order of navigation; all frames of a file are one entry."""

    def __init__(self, films: Iterable[FilmRef] = ()) -> None:
        self.films = tuple(films)

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {film.row_id: i for i, film in enumerate(self.films)}

    def __len__(self) -> int:
        return len(self.films)

    def position(self, film: FilmRef | None) -> int:
        """The position of a film, counted from 1; 0 if it is not listed."""
        return self._indices.get(film.row_id, -1) + 1 if film is not None else 0

    def neighbour(self, film: FilmRef | None, step: int) -> FilmRef | None:
        """The film `step` positions away, limited to the ends; the first one if not listed."""
        if not self.films:
            return None
        index = self.position(film) - 1
        return self.films[min(max(index + step, 0), len(self) - 1) if index >= 0 else 0]

    def nearest(self, film: FilmRef, step: int, every: FilmList) -> FilmRef | None:
        """The film `step` positions away from one that is not listed, limited to the ends.

        `every` has all films in the same order, which says where it would be listed.
        """
        if not self.films:
            return None
        here = every.position(film)
        before = bisect_left(self.films, here, key=every.position)
        index = before + step - (step > 0)
        return self.films[min(max(index, 0), len(self) - 1)]

    def series_starts(self) -> FilmList:
        """The first film of each series, or of each folder for films without a series."""
        keys = [_series(film) for film in self.films]
        return FilmList(f for i, f in enumerate(self.films) if i == 0 or keys[i - 1] != keys[i])

    def series_start(self, film: FilmRef | None) -> FilmRef | None:
        """The first film of a film's series."""
        if film is None:
            return None
        return next((f for f in self.films if _series(f) == _series(film)), None)


def _series(film: FilmRef) -> tuple[str, str]:
    folder = "" if film.has_tags else film.relative_path.rpartition("/")[0]
    return film.series_uid, folder
