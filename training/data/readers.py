"""The table of readers: the ways in which a data folder can describe its films."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.config import DataConfig
from training.data import class_folders, labelled_predictions, nih, tables
from training.data.manifest import Listing
from xrayview.errors import UsageError


@dataclass(frozen=True)
class Reader:
    """A kind of data folder."""

    needs: str
    """What the folder must contain, for the error message."""
    fits: Callable[[Path, DataConfig], bool]
    """Tells whether the folder is of this kind."""
    read: Callable[[Path, DataConfig], Listing]
    """Lists the folder's films."""


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
        _has(labelled_predictions.PREDICTIONS),
        labelled_predictions.read_labelled_predictions,
    ),
    "table": Reader(
        "any CSV (data.table) with the columns that data.columns names",
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
    """List the films of a data folder with the configured reader, or the first that fits.

    Raises:
        UsageError: no reader fits, or the table is wrong.
        NothingUsable: there is no labelled film.
    """
    if data.reader != "auto":
        return READERS[data.reader].read(folder, data)
    for reader in READERS.values():
        if reader.fits(folder, data):
            return reader.read(folder, data)
    table = data.table or "labels.csv"
    raise UsageError(
        f"There is no {table} in {folder}, nor any other description of its films",
        hint=f"It needs one of: {'; '.join(reader.needs for reader in READERS.values())}.",
    )
