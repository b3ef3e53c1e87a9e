"""NIH ChestX-ray14: `Data_Entry_2017.csv`, folders of images, the official lists.

Wang et al., ChestX-ray8, CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from training.config import DataConfig
from training.data.manifest import SEPARATOR, FilmRow, Listing, Omission
from training.data.not_films import is_leftover, is_mask
from training.data.patients import patient_id, patient_notes
from training.data.tables import read_records
from xrayview.errors import NothingUsable, UsageError
from xrayview.io.scan import relative_path, walk

TABLES = "*Data_Entry*.csv"
LISTS = {"train_val_list.txt": "train", "test_list.txt": "test"}
"""Official list -> split. Train and validation share a list; validation is split by patient."""
_NEEDED = {"Image Index", "Finding Labels", "Patient ID"}
_SHOWN = 3


def find_table(folder: Path, data: DataConfig) -> Path | None:
    """Return the path of the table, or None."""
    if data.table:
        path = folder / data.table
        return path if path.is_file() else None
    return min(folder.glob(TABLES), default=None)


def read_nih(folder: Path, data: DataConfig) -> Listing:
    """List the films of the table whose image is anywhere below the folder.

    Rows without an image are counted in a note: partial copies of the data are common. A column
    `split` in the table takes precedence over the official lists.

    Raises:
        UsageError: the table is missing or lacks a column.
        NothingUsable: the folder has no image of the table.
    """
    table = find_table(folder, data)
    if table is None:
        raise UsageError(
            f"There is no {TABLES} in {folder}",
            hint="Point --data at its folder, or use --set data.table=FILE.",
        )
    images, splits = _images(folder), _official(folder)
    rows, absent, omitted = [], [], []
    for record in read_records(table, _NEEDED):
        name = record["Image Index"]
        paths = images.get(name, [])
        if not paths:
            absent.append(name)
        elif len(paths) > 1:
            omitted.append(Omission(name, "TWO_FILES", f"both {paths[0]} and {paths[1]}"))
        else:
            rows.append(_row(record, paths[0], splits, data))
    if not rows:
        raise NothingUsable(
            "The folder has no image of the table",
            path=table,
            why=f"{', '.join(absent[:_SHOWN])} ... are missing",
            hint="Point --data at the folder with the table and the images.",
        )
    missing = f"{len(absent)} of the table's films have no image here and are left out."
    return Listing(
        tuple(rows), tuple(omitted), patient_notes(rows) + ((missing,) if absent else ())
    )


def _images(folder: Path) -> Mapping[str, list[str]]:
    """Return the relative paths of every file name below the folder."""
    paths: dict[str, list[str]] = {}
    for path in walk(folder):
        if isinstance(path, Path):
            relative = relative_path(path, folder)
            if not is_mask(relative) and not is_leftover(relative):
                paths.setdefault(path.name, []).append(relative)
    return paths


def _official(folder: Path) -> dict[str, str]:
    return {
        name: split
        for file, split in LISTS.items()
        if (folder / file).is_file()
        for name in (folder / file).read_text(encoding="utf-8").split()
    }


def _row(record: dict[str, str], path: str, splits: Mapping[str, str], data: DataConfig) -> FilmRow:
    patient = record["Patient ID"]
    return FilmRow(
        path=path,
        source="nih",
        patient=patient_id(path, f"nih:{patient}" if patient else "", data),
        labels=tuple(filter(None, record["Finding Labels"].split(SEPARATOR))),
        official_split=record.get("split") or splits.get(record["Image Index"], ""),
        sex=record.get("Patient Gender", ""),
        age=record.get("Patient Age", ""),
        view=record.get("View Position", ""),
    )
