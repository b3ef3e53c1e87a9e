"""Class folders: `train/CLASS/...`, `CLASS/train/...` and so on, or just `CLASS/...`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path, PurePosixPath

from training.config import DataConfig
from training.data.cache import file_sha256
from training.data.layouts.folder import is_other_file
from training.data.manifest import FilmRow, Listing, Omission, reasons
from training.data.not_films import is_leftover, is_mask, without_drawings
from training.data.patients import patient_id, patient_notes
from training.data.splits import NAMES
from xrayview.domain.film import RejectedFile
from xrayview.domain.finding_names import is_known
from xrayview.errors import NothingUsable, UsageError
from xrayview.io.scan import relative_path, walk

_CLASS_WORDS = {"class", "grade", "label", "stage", "category", "cat", "type", "kl", "score"}
"""Words before a number that make it the name of a class."""
_SHOWN = 4


def has_classes(folder: Path) -> bool:
    """Tell whether the folder contains folders."""
    return folder.is_dir() and any(path.is_dir() for path in folder.iterdir())


def read_class_folders(folder: Path, data: DataConfig) -> Listing:
    """List every film below a class folder; the folder's name is its label.

    The split folders may be deeper, as in an unpacked archive; a second copy of a film there is
    left out, and so are masks and what archives leave behind.

    Raises:
        NothingUsable: no file is in a class folder.
        UsageError: the folders are parts of a data set and no classes.
    """
    rows, omitted = [], []
    same_names: dict[tuple[str, ...], list[str]] = {}
    paths = []
    for found in walk(folder):
        if isinstance(found, RejectedFile):
            omitted.append(_rejected(found))
            continue
        path = relative_path(found, folder)
        if is_leftover(path):
            omitted.append(Omission(path, "LEFTOVER", "it is hidden or was left by an archive"))
        elif is_mask(path):
            omitted.append(Omission(path, "MASK", "its name says that it is a mask"))
        else:
            paths.append(path)
    wrapping = _wrapping_folders([path for path in paths if not is_other_file(path)])
    for path in paths:
        parents = PurePosixPath(path).parts[:-1]
        prefix, split, classes = _split_and_classes(parents)
        if not split and parents[:wrapping] and len(classes) > wrapping:
            classes = classes[wrapping:]
        if classes and is_other_file(path):
            omitted.append(Omission(path, "NOT_AN_IMAGE", "its suffix is not that of a film"))
        elif not classes:
            omitted.append(Omission(path, "NO_CLASS", "it is not in a class folder"))
        else:
            inside = PurePosixPath(path).parts[len(prefix) :]
            same_names.setdefault(inside if split else (path,), []).append(path)
            rows.append(
                FilmRow(
                    path=path,
                    source=folder.resolve().name,
                    patient=patient_id(path, "", data),
                    labels=(classes[0],),
                    official_split=split,
                )
            )
    _require_classes({row.labels[0] for row in rows}, folder)
    copies = _second_copies(same_names.values(), folder)
    omitted += [Omission(path, "COPY", f"a copy of {first}") for path, first in copies.items()]
    rows, drawings = without_drawings([row for row in rows if row.path not in copies])
    omitted += drawings
    if not rows:
        raise NothingUsable(
            f"No file in {folder} is in a class folder",
            why=reasons(omitted),
            hint="Arrange films as train/CLASS/FILM or CLASS/FILM, or add a labels.csv.",
        )
    return Listing(tuple(rows), tuple(omitted), patient_notes(rows))


def _require_classes(labels: Collection[str], folder: Path) -> None:
    """Check that the folders are not parts of a data set whose table is missing.

    Raises:
        UsageError: their names differ only in numbers or in the name of a split.
    """
    words = {label: re.findall(r"[a-z]+", label.casefold()) for label in labels}
    stems = {tuple(word for word in own if word not in NAMES) for own in words.values()}
    numbered = not any(set(own) & set(NAMES) for own in words.values())
    if len(labels) < 2 or len(stems) > 1 or (numbered and _are_grades(labels, min(stems))):
        return
    raise UsageError(
        f"The folders {', '.join(sorted(labels)[:_SHOWN])} look like parts of a data set, not like "
        "classes",
        path=folder,
        why="their names differ only in numbers or in the name of a split",
        hint="Put the table with the labels beside them, or name it: --set data.table=FILE.",
    )


def _are_grades(labels: Collection[str], words: Collection[str]) -> bool:
    """Tell whether numbered names are classes: `grade 1` and `grade 2`, or 0, 1 and 2."""
    numbers = sorted(int(label) for label in labels if label.isdecimal())
    in_order = numbers in (list(range(len(labels))), list(range(1, len(labels) + 1)))
    return bool(set(words) & _CLASS_WORDS) or in_order


def _rejected(found: RejectedFile) -> Omission:
    code = "LINK" if found.path.is_symlink() else str(found.code)
    return Omission(found.relative_path, code, found.why)


def _wrapping_folders(films: Sequence[str]) -> int:
    """Count the folders around the class folders that all films share: `archive/data/NORMAL`.

    The name of a known finding, or that there is no finding, is a class and no wrapping.
    """
    depth = 0
    parents = [PurePosixPath(path).parts[:-1] for path in films]
    while parents and all(len(each) > depth + 1 for each in parents):
        shared = {each[depth] for each in parents}
        if (
            len(shared) > 1
            or is_known(next(iter(shared)))
            or any(each[depth].casefold() in NAMES for each in parents)
        ):
            break
        depth += 1
    below = {each[depth] for each in parents} if parents else set()
    return depth if len(below) > 1 else 0


def _split_and_classes(
    parents: tuple[str, ...],
) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Return the folders above the split, the split's usual name, and the folders below it."""
    for i, name in enumerate(parents[:-1]):
        if name.casefold() in NAMES:
            return parents[:i], NAMES[name.casefold()], parents[i + 1 :]
    split = NAMES.get(parents[-1].casefold(), "") if parents else ""
    return (), split, parents[:-1] if split else parents


def _second_copies(same_names: Iterable[Sequence[str]], folder: Path) -> dict[str, str]:
    """Return the films that are there twice, in an outer and in an inner copy of the data.

    The key is the deeper one's path, the value that of the film which stays.
    """
    copies: dict[str, str] = {}
    for paths in same_names:
        first, *others = sorted(paths, key=lambda path: (path.count("/"), path))
        copies |= {p: first for p in others if _is_same_file(folder / p, folder / first)}
    return copies


def _is_same_file(one: Path, other: Path) -> bool:
    same_size = one.stat().st_size == other.stat().st_size
    return same_size and file_sha256(one) == file_sha256(other)
