"""The table of readers: the ways in which a data folder can describe its films."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.config import DataConfig
from training.data import by_pattern, class_folders, labelled_predictions, tables
from training.data.layouts import (
    chexpert,
    covidx,
    folders,
    jsrt,
    mimic,
    nih,
    nlm_tb,
    padchest,
    rsna,
    siim,
    tbx11k,
    vindr,
)
from training.data.layouts.folder import FilmFolder
from training.data.layouts.model import Found
from training.data.layouts.rows import to_listing
from training.data.manifest import Listing
from xrayview.domain.sentences import counted
from xrayview.errors import NothingUsable, UsageError


@dataclass(frozen=True)
class Reader:
    """A kind of data folder."""

    needs: str
    """What the folder must contain, for the error message."""
    fits: Callable[[FilmFolder, DataConfig], bool]
    """Tells whether the folder is of this kind."""
    read: Callable[[FilmFolder, DataConfig], Listing]
    """Lists the folder's films."""
    find: Callable[[FilmFolder, DataConfig], Found] | None = None
    """Lists the films of a public data set with all readers, boxes and masks."""
    title: str = ""
    """Name of the public data set."""


def _has(name: str) -> Callable[[FilmFolder, DataConfig], bool]:
    def fits(folder: FilmFolder, data: DataConfig) -> bool:
        return (folder.root / name).is_file() and Path(data.table).name in {"", name}

    return fits


def _by_path(read: Callable[[Path, DataConfig], Listing]) -> Callable[..., Listing]:
    return lambda folder, data: read(folder.root, data)


def _layout(
    title: str,
    needs: str,
    fits: Callable[[FilmFolder, DataConfig], bool],
    find: Callable[[FilmFolder, DataConfig], Found],
) -> Reader:
    def find_all(folder: FilmFolder, data: DataConfig) -> Found:
        found = find(folder, data)
        used = {film.path for film in found.films} | {omission.path for omission in found.omitted}
        others = sum(path not in used for path in folder.films)
        if not others:
            return found
        note = f"{counted(others, 'file')} of the folder not listed, and so not used."
        return dataclasses.replace(found, notes=(*found.notes, note))

    return Reader(
        needs, fits, lambda folder, data: to_listing(find_all(folder, data), data), find_all, title
    )


READERS: dict[str, Reader] = {
    "labels": Reader("labels.csv", _has(tables.LABELS), _by_path(tables.read_labels)),
    "predictions": Reader(
        "a predictions.csv with labels filled in",
        _has(labelled_predictions.PREDICTIONS),
        _by_path(labelled_predictions.read_labelled_predictions),
    ),
    "nih": _layout("NIH ChestX-ray14", "NIH's Data_Entry CSV and its images", nih.fits, nih.read),
    "chexpert": _layout(
        "CheXpert", "CheXpert's train.csv and valid.csv", chexpert.fits, chexpert.read
    ),
    "mimic": _layout(
        "MIMIC-CXR-JPG",
        "MIMIC-CXR's tables of metadata, splits and labels",
        mimic.fits,
        mimic.read,
    ),
    "padchest": _layout(
        "PadChest", "PadChest's table of labels", padchest.fits, padchest.read
    ),
    "vindr": _layout(
        "VinDr-CXR", "VinDr-CXR's annotations, or its train.csv of Kaggle", vindr.fits, vindr.read
    ),
    "rsna": _layout(
        "RSNA Pneumonia 2018", "RSNA's stage_2_train_labels.csv", rsna.fits, rsna.read
    ),
    "siim": _layout(
        "SIIM-ACR Pneumothorax 2019", "SIIM-ACR's train-rle.csv", siim.fits, siim.read
    ),
    "tbx11k": _layout("TBX11K", "TBX11K's COCO files", tbx11k.fits, tbx11k.read),
    "covidx": _layout(
        "COVIDx", "COVIDx's train.txt, val.txt and test.txt", covidx.fits, covidx.read
    ),
    "jsrt": _layout("JSRT", "JSRT's films JPCLN001.IMG ...", jsrt.fits, jsrt.read),
    "nlm-tb": _layout(
        "Montgomery and Shenzhen", "films MCUCXR_0001_0.png or CHNCXR_0001_0.png", nlm_tb.fits,
        nlm_tb.read,
    ),
    "table": Reader(
        "any CSV (data.table) with the columns that data.columns names",
        lambda folder, data: bool(data.table) and (folder.root / data.table).is_file(),
        _by_path(tables.read_labels),
    ),
    "pattern": Reader(
        "films with the label in their path (data.label_pattern)",
        lambda _folder, data: bool(data.label_pattern) and not data.table,
        by_pattern.read_by_pattern,
    ),
    "covid-radiography": _layout(
        "COVID-19 Radiography",
        "CLASS/images and CLASS/masks of COVID-19 Radiography",
        folders.fits_radiography,
        folders.read_radiography,
    ),
    "kermany": _layout(
        "Kermany (chest_xray)",
        "class folders with films person1_bacteria_1.jpeg ...",
        folders.fits_kermany,
        folders.read_kermany,
    ),
    "folders": Reader(
        "class folders",
        lambda folder, data: not data.table and class_folders.has_classes(folder.root),
        _by_path(class_folders.read_class_folders),
    ),
}  # fmt: skip
"""In the order in which `auto` tries them."""


def reader_of(folder: FilmFolder, data: DataConfig) -> str:
    """Return the name of the configured reader, or of the first that fits.

    Raises:
        UsageError: no reader fits.
    """
    if data.reader != "auto":
        return data.reader
    if not folder.root.is_dir():
        raise NothingUsable("There is no such folder", path=folder.root, hint="Check --data.")
    for name, reader in READERS.items():
        if reader.fits(folder, data):
            if name == "folders":
                folder.require_readable_tables()
            return name
    table = data.table or "labels.csv"
    raise UsageError(
        f"There is no {table} in {folder.root}, nor any other description of its films",
        hint=f"It needs one of: {'; '.join(reader.needs for reader in READERS.values())}.",
    )


def list_films(folder: Path, data: DataConfig) -> Listing:
    """List the films of a data folder with the configured reader, or the first that fits.

    Raises:
        UsageError: no reader fits, or the table is wrong.
        NothingUsable: there is no labelled film.
    """
    index = FilmFolder(folder)
    return READERS[reader_of(index, data)].read(index, data)
