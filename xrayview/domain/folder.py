"""The films of a folder as patients, studies and series; it grows as they are found."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from xrayview.domain.film import FilmRef


class Level(StrEnum):
    """What a group of films is."""

    FOLDER = "Folder"
    PATIENT = "Patient"
    STUDY = "Study"
    SERIES = "Series"


@dataclass(eq=False)
class Group:
    """One patient, study or series, or a folder of films that say nothing of these.

    Groups stand in the order in which they were found. Only series and folders hold films: by
    instance number, then path, then frame.
    """

    key: str
    level: Level
    first: FilmRef = field(repr=False)
    """The film that was found first."""
    groups: list[Group] = field(default_factory=list, repr=False)
    films: list[FilmRef] = field(default_factory=list, repr=False)
    count: int = 0
    """Films here and below."""

    @property
    def is_top(self) -> bool:
        """True for what stands in no other group."""
        return self.level in (Level.PATIENT, Level.FOLDER)

    def all_films(self) -> list[FilmRef]:
        """The films here and below, in order."""
        if not self.groups:
            return self.films
        films = [*self.films]
        for group in self.groups:
            films += group.all_films()
        return films


class FolderTree:
    """Groups by their keys; adding a film costs no more in a large folder than in a small one."""

    def __init__(self, films: Iterable[FilmRef] = ()) -> None:
        self.groups: list[Group] = []
        """Patients, and folders of films without DICOM identifiers."""
        self.count = 0
        self._by_key: dict[str, Group] = {}
        self.add(films)

    def add(self, films: Iterable[FilmRef]) -> None:
        """Take more films in."""
        for film in films:
            groups = self._made_groups_of(film)
            films_there = groups[-1].films
            if films_there and _order(films_there[-1]) > _order(film):
                insort(films_there, film, key=_order)
            else:
                films_there.append(film)
            for group in groups:
                group.count += 1
            self.count += 1

    def groups_of(self, film: FilmRef) -> list[Group]:
        """The groups that a film stands in, from the top; as far as they are there."""
        return [self._by_key[key] for _, key in _path(film) if key in self._by_key]

    def all_films(self) -> list[FilmRef]:
        """All films in order."""
        films: list[FilmRef] = []
        for group in self.groups:
            films += group.all_films()
        return films

    def _made_groups_of(self, film: FilmRef) -> list[Group]:
        groups: list[Group] = []
        beside = self.groups
        for level, key in _path(film):
            group = self._by_key.get(key)
            if group is None:
                group = self._by_key[key] = Group(key, level, film)
                beside.append(group)
            groups.append(group)
            beside = group.groups
        return groups


def _path(film: FilmRef) -> tuple[tuple[Level, str], ...]:
    """The groups of a film from the top; a key holds those above it."""
    folder = film.relative_path.rpartition("/")[0]
    if not film.has_tags:
        return ((Level.FOLDER, f"folder:{folder}"),)
    study = film.study_uid or f"folder:{folder}"
    # Without a PatientID the study is the only tie between films that is safe to show.
    patient = f"id:{film.patient_id}" if film.patient_id else f"study:{study}"
    series = film.series_uid or f"folder:{folder}"
    return (
        (Level.PATIENT, patient),
        (Level.STUDY, f"{patient}\n{study}"),
        (Level.SERIES, f"{patient}\n{study}\n{series}"),
    )


def _order(film: FilmRef) -> tuple[int, str, int]:
    return film.instance_number, film.relative_path, film.frame
