"""Class folders with more to know than the folder's name: Kermany, COVID-19 Radiography."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from training.config import DataConfig
from training.data.class_folders import read_class_folders
from training.data.layouts.folder import FilmFolder, stem_of
from training.data.layouts.model import Found, LabelledFilm, Mask, Reading, State
from training.data.manifest import FilmRow
from training.data.negatives import is_negative
from training.data.not_films import is_mask
from training.data.patients import is_unknown
from xrayview.domain.finding_names import normalise

_KIND = re.compile(r"person\d+_(bacteria|virus)_\d+")
_PERSON = re.compile(r"person\d+|IM-\d+", re.IGNORECASE)
_KINDS = {"bacteria": "bacterial pneumonia", "virus": "viral pneumonia"}
_RADIOGRAPHY = ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")


def fits_kermany(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether films in class folders are named `personN_bacteria_M` or `personN_virus_M`."""
    named = (path for path in folder.films if _KIND.fullmatch(stem_of(path)))
    return not data.table and not data.label_pattern and "/" in next(named, "")


def read_kermany(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of the class folders with patient and kind of pneumonia from their names.

    Kermany, Zhang, Goldbaum, Mendeley Data, doi 10.17632/rscbjbr9sj. Ids are unique within a split
    only.

    Raises:
        NothingUsable: no film is in a class folder.
    """
    listing = read_class_folders(folder.root, data)
    films = tuple(_kermany_film(row) for row in listing.rows)
    return Found(films, folder.root.resolve().name, listing.omitted)


def _kermany_film(row: FilmRow) -> LabelledFilm:
    (label,) = row.labels
    kind = _KIND.fullmatch(stem_of(row.path))
    if kind and not is_negative(label):
        label = _KINDS[kind[1]]
    ill = not is_negative(label)
    known = {
        "Pneumonia": ill,
        "Bacterial": ill and "bacteria" in normalise(label),
        "Viral": ill and "vir" in normalise(label),
    }
    states = {name: State.PRESENT if there else State.ABSENT for name, there in known.items()}
    person = _PERSON.search(PurePosixPath(row.path).stem)
    name = person[0] if person else ""
    name = name.upper() if name[:2].casefold() == "im" else name.lower()
    patient = f"{row.official_split}:{name}".removeprefix(":") if name else ""
    return LabelledFilm(
        path=row.path,
        patient=patient if is_unknown(row.patient) else row.patient,
        readings=(Reading("class folder and file name", states, (label,)),),
        split=row.official_split,
    )


def fits_radiography(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether there are `CLASS/images` and `CLASS/masks` of COVID-19 Radiography."""
    parents = {PurePosixPath(path).parent for path in folder.films}
    classes = {normalise(parent.parent.name) for parent in parents if parent.name == "images"}
    return not data.table and len(classes & set(map(normalise, _RADIOGRAPHY))) > 1


def read_radiography(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of `CLASS/images` with the masks of their lungs.

    Chowdhury et al., IEEE Access 2020; Rahman et al., Computers in Biology and Medicine 2021.

    Raises:
        NothingUsable: no film is in a class folder.
    """
    listing = read_class_folders(folder.root, data)
    masks = {
        (PurePosixPath(path).parent.parent, stem_of(path)): path
        for path in folder.paths
        if is_mask(path)
    }
    spelled = {normalise(label): label for row in listing.rows for label in row.labels}
    classes = tuple({**{normalise(name): name for name in _RADIOGRAPHY}, **spelled}.values())
    return Found(
        tuple(
            _radiography_film(
                row, classes,
                masks.get((PurePosixPath(row.path).parent.parent, stem_of(row.path)), ""),
            )
            for row in listing.rows
        ),
        "covid-19-radiography",
        listing.omitted,
    )  # fmt: skip


def _radiography_film(row: FilmRow, classes: tuple[str, ...], mask: str) -> LabelledFilm:
    (label,) = row.labels
    states = {name: State.PRESENT if name == label else State.ABSENT for name in classes}
    return LabelledFilm(
        path=row.path,
        patient="" if is_unknown(row.patient) else row.patient,
        readings=(Reading("class folder", states, (label,)),),
        split=row.official_split,
        masks=(Mask("lungs", file=mask),) if mask else (),
        patient_is_film=is_unknown(row.patient),
    )
