"""What DICOM headers say of patient and film, where the table does not."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from training.data.manifest import FilmRow
from training.data.patients import PLACEHOLDER, is_unknown
from xrayview.domain.film import FilmRef
from xrayview.errors import UnreadableFilm
from xrayview.io.readers import read_header


def fill_from_headers(rows: Sequence[FilmRow], folder: Path) -> tuple[FilmRow, ...]:
    """Return the rows with patient, sex, age, view and manufacturer of their DICOM headers.

    Values of the table stay, and so does a patient id that was found in the path. Other formats
    have no such header; files that cannot be read are left to the decoder.
    """
    return tuple(_filled(row, folder) for row in rows)


def _filled(row: FilmRow, folder: Path) -> FilmRow:
    try:
        ref = read_header(folder / row.path, folder)
    except UnreadableFilm:
        return row
    if not ref.has_tags:
        return row
    patient = ref.patient_id.strip() if is_unknown(row.patient) else ""
    if PLACEHOLDER.fullmatch(patient):
        patient = ""
    return dataclasses.replace(
        row,
        patient=patient or row.patient,
        sex=row.sex or ref.patient_sex,
        age=row.age or ref.patient_age,
        view=row.view or _view(ref),
        manufacturer=row.manufacturer or ref.manufacturer,
    )


def _view(ref: FilmRef) -> str:
    """Return the view position, or LATERAL if only the series description says so."""
    words = set(re.findall(r"[A-Z]+", ref.series_description.upper()))
    lateral = words & {"LAT", "LATERAL"} and not words & {"PA", "AP", "FRONTAL"}
    return ref.view_position or ("LATERAL" if lateral else "")
