"""All that a folder says of its films, before any policy: `python -m training films`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training.config import DataConfig
from training.data.headers import header_of, patient_in, stated, view_in
from training.data.layouts.folder import FilmFolder, stem_of
from training.data.layouts.model import Found, LabelledFilm, Reading, State
from training.data.layouts.rows import no_films
from training.data.manifest import FilmRow, Listing, Omission
from training.data.patients import is_unknown
from training.data.readers import READERS, reader_of
from xrayview.domain.age import age_in_years
from xrayview.domain.film import FilmRef


@dataclass(frozen=True)
class FilmList:
    """The films of a folder with the labels of every reader."""

    reader: str
    """Row of `READERS`."""
    title: str
    films: tuple[LabelledFilm, ...]
    sizes: dict[str, tuple[int, int]]
    """Path -> rows and columns, for films with boxes."""
    omitted: tuple[Omission, ...]
    notes: tuple[str, ...]


def read_film_list(path: Path, data: DataConfig, headers: bool = True) -> FilmList:
    """List the films of a folder; with `headers` complete them from their DICOM headers.

    Raises:
        UsageError: no reader fits, or a table is wrong.
        NothingUsable: there is no film.
    """
    folder = FilmFolder(path)
    name = reader_of(folder, data)
    reader = READERS[name]
    if reader.find is None:
        found = _of_rows(reader.read(folder, data))
    else:
        found = reader.find(folder, data)
    if not found.films:
        raise no_films(found)
    films, sizes = list(found.films), {}
    for i, film in enumerate(found.films):
        if headers or any(box.grid for box in film.boxes):
            ref = header_of(path / film.path, path)
            if ref is not None:
                films[i] = _completed(film, ref, found) if headers and ref.has_tags else film
                sizes[film.path] = (ref.rows, ref.columns)
    return FilmList(
        name, reader.title or reader.needs, tuple(films), sizes, found.omitted, found.notes
    )


def _completed(film: LabelledFilm, ref: FilmRef, found: Found) -> LabelledFilm:
    patient = "" if film.patient else patient_in(ref)
    return replace(
        film,
        patient=film.patient or patient,
        patient_is_film=film.patient_is_film and not patient,
        sex=film.sex or stated(ref.patient_sex, found.placeholders),
        age=film.age or stated(ref.patient_age, found.placeholders),
        view=film.view or view_in(ref),
    )


def _of_rows(listing: Listing) -> Found:
    """Return the films of a table or of class folders: what is not named is not known."""
    by_path: dict[str, list[FilmRow]] = {}
    for row in listing.rows:
        by_path.setdefault(row.path, []).append(row)
    films = []
    for path, rows in by_path.items():
        first = rows[0]
        readings = {
            (row.labels, row.unknown_labels): Reading(
                "table" if row.sex or row.patient else "folder",
                dict.fromkeys(row.labels, State.PRESENT)
                | dict.fromkeys(row.unknown_labels, State.NOT_MENTIONED),
                row.labels,
            )
            for row in rows
        }
        films.append(
            LabelledFilm(
                path=path,
                patient="" if is_unknown(first.patient) else first.patient,
                readings=tuple(readings.values()),
                split=first.official_split,
                view=first.view,
                sex=first.sex,
                age=first.age,
                patient_is_film=is_unknown(first.patient),
            )
        )
    sources = sorted({row.source for row in listing.rows})
    return Found(tuple(films), ", ".join(sources), listing.omitted, listing.notes)


def as_json(found: FilmList) -> dict[str, dict[str, Any]]:
    """Return every film by its path: patient, split, view, sex, age, labels, boxes and masks.

    A label is 1 (present), 0 (absent), -1 (uncertain) or null (not mentioned); with several readers
    it is the number of those who see the finding, and `readings` has each of them. Boxes are
    finding, x, y, width and height in pixels of the film. `age` is in completed years.
    """
    return {
        film.path: {
            "patient": film.patient or stem_of(film.path),
            "split": film.split,
            "view": film.view,
            "sex": film.sex,
            "age": completed_years(film.age),
            "labels": labels(film),
            "boxes": list(_boxes(film, found.sizes.get(film.path))),
            "masks": [
                {"finding": mask.finding, "who": mask.who}
                | ({"file": mask.file} if mask.file else {"runs": mask.runs, "grid": mask.grid})
                for mask in film.masks
            ],
            "readings": {
                reading.who: {name: state.value for name, state in reading.states.items()}
                for reading in film.readings
            },
            "words": sorted({word for r in film.readings for word in r.words or ()}),
            "excluded": film.excluded,
        }
        for film in found.films
    }


def labels(film: LabelledFilm) -> dict[str, int | None]:
    """Return the state of each finding, or the number of readers who see it."""
    if len(film.readings) == 1:
        return {name: state.value for name, state in film.readings[0].states.items()}
    if not film.readings:
        return dict.fromkeys(film.vocabulary)
    names = dict.fromkeys(name for reading in film.readings for name in reading.states)
    return {
        name: sum(reading.states.get(name) is State.PRESENT for reading in film.readings)
        for name in names
    }


def completed_years(text: str) -> int | None:
    """Return an age in completed years as the source says it, also an impossible one."""
    try:
        return int(float(text))
    except ValueError:
        years = age_in_years(text)
        return None if years is None else int(years)


def _boxes(film: LabelledFilm, size: tuple[int, int] | None) -> Iterator[list[Any]]:
    for box in film.boxes:
        rows, columns = size or box.grid or (0, 0)
        yield [box.finding, *map(_plain, box.scaled(rows, columns))]


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number
