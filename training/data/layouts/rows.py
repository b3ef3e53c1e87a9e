"""From labelled films to the rows of a manifest: a row for each reading."""

from __future__ import annotations

from collections.abc import Iterator

from training.config import DataConfig
from training.data.layouts.model import Found, LabelledFilm, Reading
from training.data.manifest import FilmRow, Listing, Omission
from training.data.patients import patient_id, patient_notes
from training.data.policies import labels_of
from xrayview.errors import NothingUsable


def to_listing(found: Found, data: DataConfig) -> Listing:
    """Apply the policies for uncertain and missing labels; several readings are several rows.

    Raises:
        NothingUsable: no film has a label.
    """
    rows: list[FilmRow] = []
    omitted = list(found.omitted)
    for film in found.films:
        if film.excluded:
            omitted.append(Omission(film.path, "EXCLUDED", film.excluded))
        elif not film.readings:
            omitted.append(Omission(film.path, "NO_LABEL", "the data has no label for it"))
        else:
            rows.extend(_rows(film, found, data))
    if not rows:
        raise no_films(found)
    return Listing(
        tuple(rows),
        tuple(omitted),
        patient_notes(rows) + found.notes,
        labels_are_optional=True,
        placeholders=found.placeholders,
    )


def no_films(found: Found) -> NothingUsable:
    """Return the error for a folder without labelled films."""
    return NothingUsable(
        f"The folder has no labelled film of {found.source}",
        path=found.table,
        why=" ".join(found.notes)
        or ("no film has a label" if found.films else "no row has a film"),
        hint="Point --data at the folder with the tables and the films.",
    )


def _rows(film: LabelledFilm, found: Found, data: DataConfig) -> Iterator[FilmRow]:
    own = "" if film.patient_is_film or not film.patient else found.patient_prefix + film.patient
    for reading in film.readings:
        labels, unknown = labels_in(reading, data)
        yield FilmRow(
            path=film.path,
            source=found.source,
            patient=patient_id(film.path, own, data),
            labels=labels,
            official_split=film.split,
            sex="" if film.sex in found.placeholders else film.sex,
            age="" if film.age in found.placeholders else film.age,
            view=film.view,
            unknown_labels=unknown,
        )


def labels_in(reading: Reading, data: DataConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels of a reading, and those that it leaves open."""
    if reading.words is not None:
        return reading.words, ()
    return labels_of(reading.states, data)
