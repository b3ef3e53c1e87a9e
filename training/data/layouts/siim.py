"""SIIM-ACR Pneumothorax 2019: masks as run-length codes, several rows for a film.

The films are NIH's: the two sets must not be on both sides of a split.
"""

from __future__ import annotations

from collections import defaultdict

from training.config import DataConfig
from training.data.layouts.folder import FilmFolder, split_in, stem_of
from training.data.layouts.model import Found, LabelledFilm, Mask, Reading, State
from training.data.layouts.reading import allowed, chosen, records, unlabelled

FINDING, NONE = "Pneumothorax", "No pneumothorax"
_WHO = "radiologists"
_GRID = (1024, 1024)
"""Rows and columns of the published films, to which the codes refer."""
_EMPTY = {"", "-1", "-1.0", "nan"}


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether the folder has the table of codes."""
    return allowed(_tables(folder), data)


def _tables(folder: FilmFolder) -> list[str]:
    found = folder.tables_with("ImageId", "EncodedPixels")
    return [path for path in found if "submission" not in path.casefold()]


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of the table with their masks, and those without labels in a test part.

    Raises:
        UsageError: there is no table.
    """
    table = folder.table(chosen(folder, data, _tables(folder), "train-rle.csv"))
    codes: dict[str, list[str]] = defaultdict(list)
    for row in records(table, data):
        codes[row.get("ImageId")].append(row.get("EncodedPixels"))
    find = folder.finder(codes)
    films = []
    for name, own in codes.items():
        if path := find(name):
            runs = [code for code in own if code not in _EMPTY]
            state = State.PRESENT if runs else State.ABSENT
            word = FINDING if runs else NONE
            films.append(
                LabelledFilm(
                    path=path,
                    patient="",
                    readings=(Reading(_WHO, {FINDING: state}, (word,)),),
                    split="test" if split_in(path.rpartition("/")[0]) == "test" else "train",
                    masks=tuple(Mask(FINDING, runs=code, grid=_GRID, who=_WHO) for code in runs),
                )
            )
    films += unlabelled(folder, {film.path for film in films}, stem_of, patient_is_film=True)
    note = "The films are NIH's: with films of NIH ChestX-ray14, patients leak between splits."
    return Found(
        tuple(films), "siim-acr", tuple(find.omissions()), (note, *find.notes()), table=table.path
    )
