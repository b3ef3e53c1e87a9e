"""A `predictions.csv` of the app in which a person has filled in the column `label`."""

from __future__ import annotations

from pathlib import Path

from training.config import DataConfig
from training.data.manifest import SEPARATOR, FilmRow, Listing, Omission
from training.data.patients import notes_on, patient_of
from training.data.tables import find
from xrayview.errors import NothingUsable
from xrayview.io.tables.predictions import read_predictions

PREDICTIONS = "predictions.csv"


def read_corrected(folder: Path, data: DataConfig) -> Listing:
    """The films that were given a label; the others are listed as left out.

    Paths are those of the table: below the folder that was classified, which `folder` must be.

    Raises:
        UsageError: the file is missing or no predictions CSV.
        NothingUsable: no film has a label.
    """
    path = find(folder, data, PREDICTIONS)
    rows, omitted = [], []
    for record in read_predictions(path).rows:
        labels = tuple(filter(None, map(str.strip, record["label"].split(SEPARATOR))))
        if not labels:
            omitted.append(Omission(record["path"], "NO_LABEL", "nobody gave it a label"))
        elif record["frame"] not in {"", "0"}:
            omitted.append(Omission(record["path"], "FRAME", "only a file's first frame is used"))
        else:
            rows.append(_row(record, labels, folder, data))
    if not rows:
        raise NothingUsable(
            "No film has a label", path=path, hint="Fill in the column `label` and come again."
        )
    return Listing(tuple(rows), tuple(omitted), notes_on(rows))


def _row(
    record: dict[str, str], labels: tuple[str, ...], folder: Path, data: DataConfig
) -> FilmRow:
    return FilmRow(
        path=record["path"],
        source=folder.resolve().name,
        patient=patient_of(record["path"], record["PatientID"], data),
        labels=labels,
        official_split="",
        sex=record["PatientSex"],
        age=record["PatientAge"],
        view=record["ViewPosition"],
    )
