"""Readers of label tables: from a data folder to film rows, without opening a film."""

from __future__ import annotations

import csv
from pathlib import Path

from training.data.manifest import SEPARATOR, FilmRow
from xrayview.errors import NothingUsable, UsageError

TABLE = "labels.csv"
_REQUIRED = ("path", "dataset", "split", "label", "patient_id")


def read_labels(folder: Path, dataset: str) -> tuple[FilmRow, ...]:
    """The films of one data set in `labels.csv`, in the table's order.

    A film without a patient id counts as its own patient.

    Raises:
        UsageError: the table is missing or lacks a column.
        NothingUsable: no row is of this data set.
    """
    path = folder / TABLE
    if not path.is_file():
        raise UsageError(
            f"There is no {TABLE} in {folder}", hint="Point --data at the folder that holds it."
        )
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in _REQUIRED if name not in (reader.fieldnames or ())]
        if missing:
            raise UsageError(
                f"{TABLE} lacks columns",
                path=path,
                why=", ".join(missing),
                hint=f"It needs: {', '.join(_REQUIRED)}.",
            )
        rows = tuple(_row(record) for record in reader if record["dataset"] == dataset)
    if not rows:
        raise NothingUsable(
            f"{TABLE} has no film of the data set {dataset}",
            path=path,
            hint="Look at its column `dataset`, then use --set data.dataset=NAME.",
        )
    return rows


def _row(record: dict[str, str]) -> FilmRow:
    return FilmRow(
        path=record["path"],
        source=record["dataset"],
        patient=record["patient_id"] or f"film:{record['path']}",
        labels=tuple(label for label in record["label"].split(SEPARATOR) if label),
        official_split=record["split"],
        sex=record.get("sex") or "",
        age=record.get("age") or "",
        view=record.get("view") or "",
    )
