"""Class folders: `train/CLASS/...`, `val/CLASS/...`, `test/CLASS/...`, or just `CLASS/...`."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from training.config import DataConfig
from training.data.manifest import FilmRow, Listing, Omission
from training.data.patients import patient_id, patient_notes
from xrayview.domain.film import RejectedFile
from xrayview.errors import NothingUsable
from xrayview.io.scan import relative_path, walk

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""Folder name in lower case -> the official split's name."""


def has_classes(folder: Path) -> bool:
    """Tell whether the folder contains folders."""
    return folder.is_dir() and any(path.is_dir() for path in folder.iterdir())


def read_class_folders(folder: Path, data: DataConfig) -> Listing:
    """List every file below a class folder; the folder's name is its label.

    Raises:
        NothingUsable: no file is in a class folder.
    """
    rows, omitted = [], []
    for found in walk(folder):
        if isinstance(found, RejectedFile):
            omitted.append(Omission(found.relative_path, str(found.code), found.why))
            continue
        path = relative_path(found, folder)
        parents = PurePosixPath(path).parts[:-1]
        split = SPLITS.get(parents[0].casefold(), "") if parents else ""
        classes = parents[1:] if split else parents
        if not classes:
            omitted.append(Omission(path, "NO_CLASS", "it is not in a class folder"))
            continue
        rows.append(
            FilmRow(
                path=path,
                source=folder.resolve().name,
                patient=patient_id(path, "", data),
                labels=(classes[0],),
                official_split=split,
            )
        )
    if not rows:
        raise NothingUsable(
            f"No file in {folder} is in a class folder",
            hint="Arrange films as train/CLASS/FILM or CLASS/FILM, or add a labels.csv.",
        )
    return Listing(tuple(rows), tuple(omitted), patient_notes(rows))
