"""What DICOM headers say of patient and film, where the table does not."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from training.data.manifest import FilmRow
from training.data.patients import is_unknown
from xrayview.domain.film import FilmRef
from xrayview.domain.patient_ids import stated_patient
from xrayview.errors import UnreadableFilm
from xrayview.io.readers import read_header


def fill_from_headers(
    rows: Sequence[FilmRow], folder: Path, placeholders: Collection[str] = ()
) -> tuple[FilmRow, ...]:
    """Return the rows with patient, sex, age, view and manufacturer of their DICOM headers.

    Values of the table stay, and so does a patient id that was found in the path. Other formats
    have no such header; files that cannot be read are left to the decoder. `placeholders` are
    values of sex and age that stand for unknown.
    """
    return tuple(_filled(row, folder, placeholders) for row in rows)


def header_of(path: Path, folder: Path) -> FilmRef | None:
    """Return a film's header; None if the file cannot be read."""
    try:
        return read_header(path, folder)
    except UnreadableFilm:
        return None


def _filled(row: FilmRow, folder: Path, placeholders: Collection[str]) -> FilmRow:
    ref = header_of(folder / row.path, folder)
    if ref is None or not ref.has_tags:
        return row
    return dataclasses.replace(
        row,
        patient=(patient_in(ref) if is_unknown(row.patient) else "") or row.patient,
        sex=row.sex or stated(ref.patient_sex, placeholders),
        age=row.age or stated(ref.patient_age, placeholders),
        view=row.view or view_in(ref),
        manufacturer=row.manufacturer or ref.manufacturer,
    )


def patient_in(ref: FilmRef) -> str:
    """Return the header's patient id, unless de-identification put the same in every film."""
    return stated_patient(ref.patient_id)


def stated(value: str, placeholders: Collection[str]) -> str:
    """Return a header's value, unless it stands for unknown."""
    return "" if value in placeholders else value


def view_in(ref: FilmRef) -> str:
    """Return the view position, or LATERAL if only the series description says so."""
    words = set(re.findall(r"[A-Z]+", ref.series_description.upper()))
    lateral = words & {"LAT", "LATERAL"} and not words & {"PA", "AP", "FRONTAL"}
    return ref.view_position or ("LATERAL" if lateral else "")
