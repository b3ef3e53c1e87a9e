"""The app's `predictions.csv`, with the column `label` filled in by a person."""

from __future__ import annotations

from pathlib import Path

from training.config import DataConfig
from training.data.manifest import SEPARATOR, FilmRow, Listing, Omission
from training.data.patients import patient_id, patient_notes
from training.data.tables import find_table
from xrayview.errors import NothingUsable
from xrayview.io.tables.cells import name_of_file
from xrayview.io.tables.predictions import read_predictions

PREDICTIONS = "predictions.csv"


def read_labelled_predictions(folder: Path, data: DataConfig) -> Listing:
    """List the films that have a label; the others are omitted.

    The table's paths are relative to the classified folder, which `folder` must be.

    Raises:
        UsageError: the file is missing or is not a predictions CSV.
        NothingUsable: no film has a label.
    """
    path = find_table(folder, data, PREDICTIONS)
    rows, omitted = [], []
    for record in read_predictions(path).rows:
        labels = tuple(filter(None, map(str.strip, record["label"].split(SEPARATOR))))
        if not labels:
            omitted.append(Omission(record["path"], "NO_LABEL", "its label is empty"))
        elif record["frame"] not in {"", "0"}:
            omitted.append(Omission(record["path"], "FRAME", "only a file's first frame is used"))
        else:
            rows.append(_row(record, labels, folder, data))
    if not rows:
        raise NothingUsable(
            "No film has a label", path=path, hint="Fill in the column `label`, then try again."
        )
    return Listing(tuple(rows), tuple(omitted), patient_notes(rows), labels_are_optional=True)


def _row(
    record: dict[str, str], labels: tuple[str, ...], folder: Path, data: DataConfig
) -> FilmRow:
    path = name_of_file(record["path"])
    return FilmRow(
        path=path,
        source=folder.resolve().name,
        patient=patient_id(path, record["PatientID"], data),
        labels=labels,
        official_split="",
        sex=record["PatientSex"],
        age=record["PatientAge"],
        view=record["ViewPosition"],
    )
