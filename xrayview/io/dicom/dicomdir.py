"""A DICOMDIR as the list of the files that it refers to (PS3.10, 8; PS3.3, F)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from xrayview.domain.film import RejectedFile
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.limits import MAX_INFLATED_BYTES, too_large
from xrayview.io.safe_open import film_errors, regular_file_info


def referenced_files(path: Path) -> Iterator[Path | RejectedFile]:
    """The files of a DICOMDIR in the order of its records, each once.

    `pydicom.fileset.FileSet` drops what is missing, and stages a new file-set for what is named
    otherwise than it would; here the records are only looked through.

    Raises:
        UnreadableFilm: the DICOMDIR is broken, or refers to nothing.
    """
    with film_errors(path):
        if regular_file_info(path).st_size > MAX_INFLATED_BYTES:
            raise too_large("the DICOMDIR is larger than any that names films")
        records = dcmread(path).get("DirectoryRecordSequence") or ()
        names = dict.fromkeys(filter(None, map(_file_id, records)))
    if not names:
        raise UnreadableFilm(
            "The DICOMDIR refers to no file",
            code=StatusCode.NO_PIXELS,
            path=path,
            why="none of its records has a Referenced File ID",
            hint="Open the folder that it lies in.",
        )
    root = Path(os.path.realpath(path.parent))
    yield from (_found(path.parent, root, name) for name in names)


def _file_id(record: Dataset) -> tuple[str, ...]:
    """The parts of a Referenced File ID (0004,1500); empty where the record has none."""
    value = record.get("ReferencedFileID")
    parts = value if isinstance(value, MultiValue) else [value] if value else []
    return tuple(str(part) for part in parts)


def _found(folder: Path, root: Path, parts: tuple[str, ...]) -> Path | RejectedFile:
    path, relative = folder.joinpath(*parts), "/".join(parts)
    odd = any(part in {"", ".", ".."} or set(part) & set("/\\:\0") for part in parts)
    # CVE-2026-32711: a file ID may lead out of the folder, by its parts or through a link.
    if odd or not Path(os.path.realpath(path)).is_relative_to(root):
        why, hint = "the DICOMDIR refers to a place outside its folder", "It is not followed."
        return RejectedFile(folder / "DICOMDIR", relative, StatusCode.NOT_AN_IMAGE, why, hint)
    if path.is_file():
        return path
    lower = folder.joinpath(*(part.lower() for part in parts))
    if lower.is_file():  # as a disc of upper-case names is often mounted
        return lower
    why, hint = "the DICOMDIR refers to it, and it is not there", "Copy it from the source again."
    return RejectedFile(path, relative, StatusCode.NOT_AN_IMAGE, why, hint)
