"""The films of a folder grouped by patient, study and series, extended while it is scanned."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from xrayview.domain.film import FilmRef


class Level(StrEnum):
    """Kinds of groups."""

    FOLDER = "Folder"
    PATIENT = "Patient"
    STUDY = "Study"
    SERIES = "Series"


@dataclass(eq=False)
class Group:
    """One patient, study or series, or a folder of films without DICOM identifiers.

    Groups are in the order in which they were found. Only series and folders contain films,
    ordered by instance number, then path, then frame.
    """

    key: str
    level: Level
    first: FilmRef = field(repr=False)
    """The first film that was found."""
    groups: list[Group] = field(default_factory=list, repr=False)
    films: list[FilmRef] = field(default_factory=list, repr=False)
    count: int = 0
    """Number of films in the group and its subgroups."""

    @property
    def is_top(self) -> bool:
        """True for a group that is in no other group."""
        return self.level in (Level.PATIENT, Level.FOLDER)

    def all_films(self) -> list[FilmRef]:
        """The films of the group and its subgroups, in order."""
        if not self.groups:
            return self.films
        films = [*self.films]
        for group in self.groups:
            films += group.all_films()
        return films


class FolderTree:
    """The groups of a folder; adding a film takes the same time in folders of any size."""

    def __init__(self, films: Iterable[FilmRef] = ()) -> None:
        self.groups: list[Group] = []
        """Patients, and folders of films without DICOM identifiers."""
        self.count = 0
        self._by_key: dict[str, Group] = {}
        self.add(films)

    def add(self, films: Iterable[FilmRef]) -> None:
        """Add films to their groups."""
        for film in films:
            groups = self._make_groups_of(film)
            siblings = groups[-1].films
            if siblings and _order(siblings[-1]) > _order(film):
                insort(siblings, film, key=_order)
            else:
                siblings.append(film)
            for group in groups:
                group.count += 1
            self.count += 1

    def groups_of(self, film: FilmRef) -> list[Group]:
        """The groups of a film from the top, as far as they exist."""
        return [self._by_key[key] for _, key in _path(film) if key in self._by_key]

    def all_films(self) -> list[FilmRef]:
        """All films in order."""
        films: list[FilmRef] = []
        for group in self.groups:
            films += group.all_films()
        return films

    def _make_groups_of(self, film: FilmRef) -> list[Group]:
        groups: list[Group] = []
        siblings = self.groups
        for level, key in _path(film):
            group = self._by_key.get(key)
            if group is None:
                group = self._by_key[key] = Group(key, level, film)
                siblings.append(group)
            groups.append(group)
            siblings = group.groups
        return groups


def _path(film: FilmRef) -> tuple[tuple[Level, str], ...]:
    """Level and key of each group of a film from the top; a key includes those above it."""
    folder = film.relative_path.rpartition("/")[0]
    if not film.has_tags:
        return ((Level.FOLDER, f"folder:{folder}"),)
    study = film.study_uid or f"folder:{folder}"
    # Without a PatientID only the study safely ties films together.
    patient = f"id:{film.patient_id}" if film.patient_id else f"study:{study}"
    series = film.series_uid or f"folder:{folder}"
    return (
        (Level.PATIENT, patient),
        (Level.STUDY, f"{patient}\n{study}"),
        (Level.SERIES, f"{patient}\n{study}\n{series}"),
    )


def _order(film: FilmRef) -> tuple[int, str, int]:
    return film.instance_number, film.relative_path, film.frame
