"""TBX11K: COCO files with boxes of tuberculosis, folders of healthy and otherwise ill patients.

Liu et al., Rethinking computer-aided tuberculosis diagnosis, CVPR 2020. A film of `sick` without a
box is ill, but not with tuberculosis. `extra` has films of Montgomery and Shenzhen.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from training.config import DataConfig
from training.data.layouts.folder import FilmFolder, split_in
from training.data.layouts.model import Box, Found, LabelledFilm, Reading, State
from training.data.layouts.reading import unlabelled
from xrayview.errors import UsageError

_MOST_FILES = 40
_KINDS = {"active": "Active", "obsolete": "Latent", "latent": "Latent"}
"""What a category's name contains -> the finding."""
_WHO = "radiologists"


@dataclass
class _Film:
    name: str
    split: str
    grid: tuple[int, int] | None
    boxes: list[Box] = field(default_factory=list)


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether the folder has COCO files with categories of tuberculosis."""
    return not data.table and bool(_files(folder))


def _files(folder: FilmFolder) -> dict[str, dict[str, Any]]:
    """Return the COCO files; one of train and validation together only if there is no other."""
    paths = [path for path in folder.paths if path.casefold().endswith(".json")]
    found = {}
    for path in paths if len(paths) <= _MOST_FILES else ():
        try:
            content = json.loads(folder.text(path))
        except (ValueError, UsageError):
            continue
        if _is_coco(content):
            found[path] = content
    single = {path: c for path, c in found.items() if "trainval" not in path.casefold()}
    return single or found


def _is_coco(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and {"images", "annotations", "categories"} <= set(content)
        and any("tubercul" in str(each.get("name")).casefold() for each in content["categories"])
    )


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of the COCO files, and those of the test part without labels.

    Raises:
        UsageError: there is no COCO file.
    """
    del data
    files = _files(folder)
    if not files:
        raise UsageError(
            f"There are no COCO files of TBX11K in {folder.root}",
            hint="They are annotations/json/TBX11K_train.json and TBX11K_val.json.",
        )
    known: dict[str, _Film] = {}
    for path, content in files.items():
        split = split_in(PurePosixPath(path).name.replace("trainval", ""))
        for film in _films(content, split):
            known.setdefault(film.name, film)
    find = folder.finder(known)
    films = [_labelled(f, where) for f in known.values() if (where := find(f.name))]
    used = {film.path for film in films}
    films += unlabelled(
        folder, used, _short, lambda parent: parent.rpartition("/")[2].casefold() == "test",
        patient_is_film=True,
    )  # fmt: skip
    extra = sum("/extra/" in f"/{path.casefold()}" for path in folder.films if path not in used)
    notes = find.notes()
    if extra:
        notes += (f"{extra} films of extra/ are Montgomery's and Shenzhen's and are not used.",)
    return Found(tuple(films), "tbx11k", tuple(find.omissions()), notes)


def _films(content: dict[str, Any], split: str) -> Iterator[_Film]:
    names = {each["id"]: str(each["name"]) for each in content["categories"]}
    drawn: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for annotation in content["annotations"]:
        drawn[annotation["image_id"]].append(annotation)
    for image in content["images"]:
        sizes = image.get("height"), image.get("width")
        grid = (int(sizes[0]), int(sizes[1])) if all(sizes) else None
        film = _Film(str(image["file_name"]), split, grid)
        for annotation in drawn[image["id"]]:
            x, y, width, height = map(float, annotation["bbox"])
            name = names.get(annotation["category_id"], "Tuberculosis")
            film.boxes.append(Box(name, x, y, width, height, _WHO, grid))
        yield film


def _labelled(film: _Film, path: str) -> LabelledFilm:
    parents = [*PurePosixPath(path).parts[:-1], *PurePosixPath(film.name).parts[:-1]]
    folders = {part.casefold() for part in parents}
    kinds = {
        finding for box in film.boxes for word, finding in _KINDS.items()
        if word in box.finding.casefold()
    }  # fmt: skip
    ill = bool(film.boxes) or "tb" in folders
    healthy = "health" in folders and not ill
    present = {"Tuberculosis": ill, "Active": "Active" in kinds, "Latent": "Latent" in kinds,
               "Healthy": healthy}  # fmt: skip
    word = "healthy" if healthy else "sick, not tuberculosis"
    if ill:
        word = " ".join([*(" and ".join(sorted(kinds)).lower().split()), "tuberculosis"])
    known = {name: State.PRESENT if there else State.ABSENT for name, there in present.items()}
    return LabelledFilm(
        path=path,
        patient=film.name,
        readings=(Reading(_WHO, known, (word,)),),
        split=film.split,
        boxes=tuple(dict.fromkeys(film.boxes)),
        patient_is_film=True,
    )


def _short(path: str) -> str:
    return "/".join(PurePosixPath(path).parts[-2:])
