"""RSNA Pneumonia Detection Challenge 2018: a row for each box, the films' classes beside it.

Shih et al., Augmenting the NIH chest radiograph dataset, Radiology: Artificial Intelligence 2019.
The films are NIH's: the two sets must not be on both sides of a split.
"""

from __future__ import annotations

from collections import defaultdict

from training.config import DataConfig
from training.data.layouts.folder import FilmFolder, split_in, stem_of
from training.data.layouts.model import Box, Found, LabelledFilm, Reading, State
from training.data.layouts.reading import allowed, chosen, records, unlabelled
from training.data.table_file import Record, canonical
from xrayview.errors import UsageError

FINDING, NORMAL, NEITHER = "Lung Opacity", "Normal", "No Lung Opacity / Not Normal"
_NO_CLASS = "No Lung Opacity"
"""The label of a film without a box where the table of classes is missing."""
_WHO = "radiologists"


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether the folder has the table of boxes."""
    return allowed(_tables(folder), data)


def _tables(folder: FilmFolder) -> list[str]:
    return folder.tables_with("patientId", "Target")


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of the table with their boxes, and those without labels in a test part.

    Raises:
        UsageError: there is no table, or rows of one film contradict each other.
    """
    table = folder.table(chosen(folder, data, _tables(folder), "stage_2_train_labels.csv"))
    rows: dict[str, list[Record]] = defaultdict(list)
    for row in records(table, data):
        rows[row.get("patientId")].append(row)
    classes = _classes(folder)
    find = folder.finder(rows)
    films = []
    for name, own in rows.items():
        targets = {row.number("Target") for row in own}
        if len(targets) > 1 or not targets <= {0.0, 1.0}:
            raise UsageError(
                f"The column Target of {name} is {', '.join(sorted(map(str, targets)))}",
                path=table.path,
                hint="It must be 0 or 1, and the same in all rows of a film.",
            )
        if path := find(name):
            films.append(_film(name, path, own, 1.0 in targets, classes.get(name, "")))
    films += unlabelled(folder, {film.path for film in films}, stem_of)
    note = "The films are NIH's: with films of NIH ChestX-ray14, patients leak between splits."
    return Found(
        tuple(films), "rsna-pneumonia", tuple(find.omissions()), (note, *find.notes()),
        table=table.path,
    )  # fmt: skip


def _film(name: str, path: str, rows: list[Record], present: bool, label: str) -> LabelledFilm:
    known = {FINDING: State.PRESENT if present else State.ABSENT}
    if label:
        known[NORMAL] = State.PRESENT if canonical(label) == "normal" else State.ABSENT
    word = FINDING if present else label or _NO_CLASS
    return LabelledFilm(
        path=path,
        patient=name,
        readings=(Reading(_WHO, known, (word,)),),
        split="test" if split_in(path.rpartition("/")[0]) == "test" else "train",
        boxes=tuple(dict.fromkeys(box for row in rows if (box := _box(row)))),
    )


def _box(row: Record) -> Box | None:
    numbers = [row.number(name) for name in ("x", "y", "width", "height")]
    if None in numbers:
        return None
    x, y, width, height = (number or 0.0 for number in numbers)
    return Box(FINDING, x, y, width, height, _WHO)


def _classes(folder: FilmFolder) -> dict[str, str]:
    """Return the class of each film; the table repeats it for every box."""
    return {
        row.get("patientId"): row.get("class")
        for path in folder.tables_with("patientId", "class")[:1]
        for row in folder.table(path).records()
    }
