"""Montgomery and Shenzhen: the label is the last digit of the name, readings are texts.

Jaeger et al., Quant Imaging Med Surg 4(6):475-477, 2014.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath

from training.config import DataConfig
from training.data.layouts.folder import FilmFolder, stem_of
from training.data.layouts.model import Found, LabelledFilm, Mask, Reading, State
from training.data.not_films import is_mask
from xrayview.errors import NothingUsable

FINDING = "Tuberculosis"
_NAME = re.compile(r"(mcucxr|chncxr)_(\d+)_([01])")
_SETS = {"mcucxr": "montgomery", "chncxr": "shenzhen"}
_SEX = re.compile(r"\b(?:(f)emale|(m)ale|sex:?\s*([mf]))\b", re.IGNORECASE)
_AGE = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*-?\s*(y|yr|yrs|years?|m|mo|mos|months?|w|weeks?|d|days?)\b", re.IGNORECASE
)


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether most films have names of the two sets."""
    return not data.table and folder.is_mostly_named(_NAME)


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films by their names, with sex and age of the readings beside them.

    Raises:
        NothingUsable: no film has a name of these sets.
    """
    del data
    find = folder.finder(stem for p in folder.films if _NAME.fullmatch(stem := stem_of(p)))
    texts = {
        stem: path for path in folder.paths
        if path.casefold().endswith(".txt") and _NAME.fullmatch(stem := _stem(path))
    }  # fmt: skip
    masks = _masks(folder)
    films = [
        _film(folder, path, texts.get(stem_of(path), ""), masks.get(stem_of(path), ()))
        for path in folder.films
        if find(stem_of(path)) == path
    ]
    if not films:
        raise NothingUsable(
            f"There are no films of Montgomery or Shenzhen in {folder.root}",
            hint="They are named MCUCXR_0001_0.png or CHNCXR_0001_0.png.",
        )
    sets = {_SETS[stem_of(film.path)[:6]] for film in films}
    return Found(tuple(films), " and ".join(sorted(sets)), tuple(find.omissions()))


def _stem(path: str) -> str:
    return PurePosixPath(path).stem.casefold()


def _film(folder: FilmFolder, path: str, text: str, masks: tuple[Mask, ...]) -> LabelledFilm:
    stem = stem_of(path)
    ill = stem.endswith("1")
    sex, age = _sex_and_age(folder.text(text)) if text else ("", "")
    state = State.PRESENT if ill else State.ABSENT
    return LabelledFilm(
        path=path,
        patient=stem.rpartition("_")[0].upper(),
        readings=(Reading("file name", {FINDING: state}, (FINDING if ill else "Normal",)),),
        view="PA",
        sex=sex,
        age=age,
        masks=masks,
    )


def _sex_and_age(text: str) -> tuple[str, str]:
    sex, age = _SEX.search(text), _AGE.search(text)
    letter = next(filter(None, sex.groups()), "") if sex else ""
    if not age:
        return letter.upper(), ""
    number, unit = age[1].lstrip("0") or "0", age[2][0].upper()
    return letter.upper(), number if unit == "Y" else f"{number}{unit}"


def _masks(folder: FilmFolder) -> dict[str, tuple[Mask, ...]]:
    """Return the masks of the lungs by the film's stem."""
    masks: dict[str, list[Mask]] = defaultdict(list)
    for path in folder.paths:
        stem = re.sub(r"_mask$", "", stem_of(path))
        if is_mask(path) and _NAME.fullmatch(stem):
            side = next((s for s in ("left", "right") if s in path.casefold()), "")
            masks[stem].append(Mask(f"{side} lung".strip(), file=path))
    return {stem: tuple(found) for stem, found in masks.items()}
