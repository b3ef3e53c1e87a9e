"""Films whose label is a part of their path, such as `CHNCXR_0327_1.png`."""

from __future__ import annotations

from training.config import DataConfig
from training.data.layouts.folder import FilmFolder
from training.data.manifest import FilmRow, Listing, Omission
from training.data.patients import patient_id, patient_notes
from training.data.tables import label_in_path
from xrayview.errors import NothingUsable


def read_by_pattern(folder: FilmFolder, data: DataConfig) -> Listing:
    """List the films in whose path `data.label_pattern` finds a label.

    Raises:
        NothingUsable: it matches no film.
    """
    rows, omitted = [], list(folder.rejected)
    for path in folder.films:
        labels = label_in_path(path, data)
        if not labels:
            omitted.append(Omission(path, "NO_LABEL", "data.label_pattern does not match its path"))
            continue
        patient = patient_id(path, "", data)
        rows.append(FilmRow(path, folder.root.resolve().name, patient, labels, ""))
    if not rows:
        raise NothingUsable(
            f"data.label_pattern {data.label_pattern!r} matches no film",
            path=folder.root,
            why=f"the first is {folder.films[0]}" if folder.films else "there is none",
            hint="It is searched in the path relative to the data folder.",
        )
    return Listing(tuple(rows), tuple(omitted), patient_notes(rows))
