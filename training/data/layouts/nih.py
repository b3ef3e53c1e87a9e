"""NIH ChestX-ray14: `Data_Entry_2017*.csv`, folders of images, official lists, boxes.

Wang et al., ChestX-ray8, CVPR 2017.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath

from training.config import DataConfig
from training.data.cells import split_labels
from training.data.layouts import names
from training.data.layouts.folder import FilmFolder, stem_of
from training.data.layouts.model import Box, Found, LabelledFilm, Reading, states
from training.data.layouts.reading import chosen, records
from training.data.table_file import Record, Table, as_number, canonical
from xrayview.errors import NothingUsable, UsageError

TABLES = "*Data_Entry*.csv"
LISTS = {"train_val_list.txt": "train", "test_list.txt": "test"}
"""Official list -> split. Train and validation share a list; validation is split by patient."""
_NEEDED = ("Image Index", "Finding Labels", "Patient ID")
_GRID = (1024, 1024)
"""Rows and columns of the published images, to which the boxes refer."""
_SHOWN = 3


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether the folder has NIH's table."""
    found = _tables(folder)
    return bool(found) and (not data.table or data.table in found)


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of the table whose image is anywhere below the folder.

    A column `split` in the table takes precedence over the official lists.

    Raises:
        UsageError: the table is missing or lacks a column.
        NothingUsable: the folder has no image of the table.
    """
    table = folder.table(chosen(folder, data, _tables(folder), TABLES))
    missing = [name for name in _NEEDED if not table.has(name)]
    if missing:
        raise UsageError(f"{table.path.name} lacks columns", path=table.path,
                         why=", ".join(missing), hint="Add them to the table.")  # fmt: skip
    rows = list(records(table, data))
    find = folder.finder(row.get("Image Index") for row in rows)
    if not rows:
        raise NothingUsable(
            f"{table.path.name} has no row", path=table.path, hint="Check the table and data.rows."
        )
    if not any(find(row.get("Image Index")) for row in rows) and not find.ambiguous:
        raise NothingUsable(
            "The folder has no image of the table",
            path=table.path,
            why=f"{', '.join(find.missing[:_SHOWN])} ... are missing",
            hint="Point --data at the folder with the table and the images.",
        )
    splits, boxes = _official(folder), _boxes(folder)
    films, contradicting = [], 0
    for row in rows:
        if path := find(row.get("Image Index")):
            film, refused = _film(row, path, splits, boxes)
            films.append(film)
            contradicting += refused
    notes = find.notes()
    if contradicting:
        notes += (f"{contradicting} boxes are of findings that the labels deny; not used.",)
    return Found(
        tuple(films),
        "nih",
        tuple(find.omissions()),
        notes,
        patient_prefix="nih:",
        table=table.path,
    )


def _tables(folder: FilmFolder) -> list[str]:
    return folder.tables_with("Image Index", "Finding Labels")


def _film(
    row: Record, path: str, splits: Mapping[str, str], boxes: Mapping[str, list[Box]]
) -> tuple[LabelledFilm, int]:
    """Return a film, and the number of its boxes that contradict its labels."""
    labels = split_labels(row.get("Finding Labels"))
    spelled = {canonical(name): name for name in names.NIH}
    present = {spelled.get(canonical(label), label) for label in labels}
    known = states(names.NIH, present)
    own = boxes.get(stem_of(row.get("Image Index")), [])
    agreed = tuple(dict.fromkeys(box for box in own if box.finding in present))
    film = LabelledFilm(
        path=path,
        patient=row.get("Patient ID"),
        readings=(Reading("text mining of the report", known, labels),) if labels else (),
        split=row.get("split") or splits.get(stem_of(row.get("Image Index")), ""),
        view=row.get("View Position"),
        sex=row.get("Patient Gender", "Patient Sex"),
        age=row.get("Patient Age"),
        boxes=agreed,
    )
    return film, sum(box.finding not in present for box in own)


def _official(folder: FilmFolder) -> dict[str, str]:
    return {
        stem_of(name): split
        for file, split in LISTS.items()
        for path in folder.named(file)[:1]
        for name in folder.text(path).split()
    }


def _boxes(folder: FilmFolder) -> dict[str, list[Box]]:
    """Return the boxes of `BBox_List_2017.csv` by the film's stem."""
    boxes: dict[str, list[Box]] = defaultdict(list)
    spelled = {canonical(name): name for name in names.NIH}
    for path in folder.tables_with("Image Index", "Finding Label"):
        if "entry" in PurePosixPath(path).name.casefold():
            continue
        table = folder.table(path)
        first = _first_number(table)
        if first is None:
            continue
        for row in table.records():
            label = canonical(row.get("Finding Label"))
            finding = spelled.get(canonical(names.SPELLINGS.get(label, label)), label)
            numbers = [as_number(cell) for cell in row.cells[first : first + 4]]
            x, y, width, height = (number if number is not None else -1.0 for number in numbers)
            if min(x, y, width, height) >= 0:
                boxes[stem_of(row.get("Image Index"))].append(
                    Box(finding, x, y, width, height, "radiologist", _GRID)
                )
    return boxes


def _first_number(table: Table) -> int | None:
    """Return the index of x: `Bbox [x,y,w,h]` is four columns, whose names lost their commas."""
    found = (i for i, name in enumerate(table.header) if canonical(name).startswith("bbox"))
    return next(found, table.index("x"))
