"""The table of readers: how a data folder says what its films are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.config import DataConfig
from training.data import class_folders, corrected, nih, tables
from training.data.manifest import Listing
from xrayview.errors import UsageError


@dataclass(frozen=True)
class Reader:
    """Whether a folder is of this kind, and its films."""

    needs: str
    fits: Callable[[Path, DataConfig], bool]
    read: Callable[[Path, DataConfig], Listing]


def _has(name: str) -> Callable[[Path, DataConfig], bool]:
    def fits(folder: Path, data: DataConfig) -> bool:
        return (folder / name).is_file() and Path(data.table).name in {"", name}

    return fits


READERS: dict[str, Reader] = {
    "labels": Reader("labels.csv", _has(tables.LABELS), tables.read_labels),
    "nih": Reader(
        "NIH's Data_Entry CSV and its images",
        lambda folder, data: (
            Path(data.table or nih.TABLES).match(nih.TABLES)
            and nih.find_table(folder, data) is not None
        ),
        nih.read_nih,
    ),
    "predictions": Reader(
        "a predictions.csv with labels filled in",
        _has(corrected.PREDICTIONS),
        corrected.read_corrected,
    ),
    "table": Reader(
        "any CSV, named by data.table, with the columns of data.columns",
        lambda folder, data: bool(data.table) and (folder / data.table).is_file(),
        tables.read_table,
    ),
    "folders": Reader(
        "class folders",
        lambda folder, data: not data.table and class_folders.has_classes(folder),
        class_folders.read_class_folders,
    ),
}


def list_films(folder: Path, data: DataConfig) -> Listing:
    """The films of a data folder, as the named reader or the first that fits finds them.

    Raises:
        UsageError: no reader fits, or the table is wrong.
        NothingUsable: there is no labelled film.
    """
    if data.reader != "auto":
        return READERS[data.reader].read(folder, data)
    for reader in READERS.values():
        if reader.fits(folder, data):
            return reader.read(folder, data)
    what = data.table or "labels.csv"
    raise UsageError(
        f"There is no {what} in {folder}, nor anything else that says what its films are",
        hint=f"It needs one of: {'; '.join(reader.needs for reader in READERS.values())}.",
    )
