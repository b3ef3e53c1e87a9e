"""JSRT: 247 films of 2048 x 2048 without a header, with or without a nodule.

Shiraishi et al., AJR 174:71-74, 2000. The films' names say whether there is a nodule, the texts in
`Clinical_Information` where it is and whether it is malignant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from training.config import DataConfig
from training.data.layouts.folder import FilmFolder, stem_of
from training.data.layouts.model import Box, Found, LabelledFilm, Reading, State
from xrayview.errors import NothingUsable

_NAME = re.compile(r"jpc([ln])n\d{3}")
_GRID = (2048, 2048)
_SPACING_MM = 0.175
_SEX = {"male": "M", "female": "F"}
_NODULE = re.compile(
    r"(JPCLN\d{3})(?:\.IMG)?\s+(\d)\s+([\d.]+)\s+(\S+)\s+(male|female)\s+(\d+)\s+(\d+)\s+"
    r"(malignant|benign)",
    re.IGNORECASE,
)
"""Name, subtlety, size in mm, age, sex, x, y and kind; lines may run together."""
_NONE = re.compile(r"(JPCNN\d{3})(?:\.IMG)?\s+(male|female)\s+(\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class _Patient:
    sex: str = ""
    age: str = ""
    malignant: bool | None = None
    box: Box | None = None


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether most films have names of JSRT."""
    return not data.table and folder.is_mostly_named(_NAME)


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films by their names.

    Raises:
        NothingUsable: no film has a name of JSRT.
    """
    del data
    patients = _patients(folder)
    find = folder.finder(stem for p in folder.films if _NAME.fullmatch(stem := stem_of(p)))
    films = [
        _film(path, patients.get(stem_of(path), _Patient()))
        for path in folder.films
        if find(stem_of(path)) == path
    ]
    if not films:
        raise NothingUsable(
            f"There are no films of JSRT in {folder.root}", hint="They are named JPCLN001.IMG."
        )
    return Found(tuple(films), "jsrt", tuple(find.omissions()))


def _film(path: str, patient: _Patient) -> LabelledFilm:
    has_nodule = stem_of(path).startswith("jpcln")
    malignant = State.NOT_MENTIONED
    if patient.malignant is not None:
        malignant = State.PRESENT if patient.malignant else State.ABSENT
    known = {"Nodule": State.PRESENT if has_nodule else State.ABSENT, "Malignant": malignant}
    return LabelledFilm(
        path=path,
        patient=stem_of(path).upper(),
        readings=(Reading("CT", known, _words(has_nodule, patient.malignant)),),
        view="PA",
        sex=patient.sex,
        age=patient.age,
        boxes=(patient.box,) if patient.box else (),
    )


def _words(has_nodule: bool, malignant: bool | None) -> tuple[str, ...]:
    if not has_nodule:
        return ("no nodule",)
    if malignant is None:
        return ("nodule",)
    return ("malignant nodule" if malignant else "benign nodule",)


def _patients(folder: FilmFolder) -> dict[str, _Patient]:
    texts = [folder.text(path) for path in folder.texts]
    patients: dict[str, _Patient] = {}
    for text in texts:
        for name, sex, age in _NONE.findall(text):
            patients[name.lower()] = _Patient(_SEX[sex.lower()], _age(age))
        for name, _, size, age, sex, x, y, kind in _NODULE.findall(text):
            patients[name.lower()] = _Patient(
                _SEX[sex.lower()], _age(age), kind.lower() == "malignant",
                _box(float(x), float(y), float(size)),
            )  # fmt: skip
    return patients


def _age(text: str) -> str:
    return text if text.isdigit() else ""


def _box(x: float, y: float, size_mm: float) -> Box:
    """Return the square of the nodule's size around its centre."""
    half = round(size_mm / 2 / _SPACING_MM)
    return Box("Nodule", x - half, y - half, 2 * half, 2 * half, "radiologist", _GRID)
