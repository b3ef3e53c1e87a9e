"""The files that a DICOMDIR refers to (PS3.10, 8; PS3.3, F)."""

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
    """Yield the files of a DICOMDIR in the order of its records, each once.

    `pydicom.fileset.FileSet` drops missing files, and stages a new file-set when files are not
    named as it would name them; here the records are only read.

    Raises:
        UnreadableFilm: the DICOMDIR is broken, or does not refer to any file.
    """
    with film_errors(path):
        if regular_file_info(path).st_size > MAX_INFLATED_BYTES:
            raise too_large("the DICOMDIR is larger than any real one")
        records = dcmread(path).get("DirectoryRecordSequence") or ()
        names = dict.fromkeys(filter(None, map(_file_id, records)))
    if not names:
        raise UnreadableFilm(
            "The DICOMDIR does not refer to any file",
            code=StatusCode.NO_PIXELS,
            path=path,
            why="none of its records has a Referenced File ID",
            hint="Open the folder that contains it.",
        )
    root = Path(os.path.realpath(path.parent))
    yield from (_resolved(path.parent, root, name) for name in names)


def _file_id(record: Dataset) -> tuple[str, ...]:
    """The components of a Referenced File ID (0004,1500); empty when the record has none."""
    value = record.get("ReferencedFileID")
    parts = value if isinstance(value, MultiValue) else [value] if value else []
    return tuple(str(part) for part in parts)


def _resolved(folder: Path, root: Path, parts: tuple[str, ...]) -> Path | RejectedFile:
    path, relative = folder.joinpath(*parts), "/".join(parts)
    unsafe = any(part in {"", ".", ".."} or set(part) & set("/\\:\0") for part in parts)
    # CVE-2026-32711: a file ID may lead out of the folder, by its components or through a link.
    if unsafe or not Path(os.path.realpath(path)).is_relative_to(root):
        why, hint = "the DICOMDIR refers to a file outside its folder", "It is not followed."
        return RejectedFile(folder / "DICOMDIR", relative, StatusCode.NOT_AN_IMAGE, why, hint)
    if path.is_file():
        return path
    lower = folder.joinpath(*(part.lower() for part in parts))
    if lower.is_file():  # discs with upper-case names are often mounted in lower case
        return lower
    why, hint = "the DICOMDIR refers to a missing file", "Copy it from the source again."
    return RejectedFile(path, relative, StatusCode.NOT_AN_IMAGE, why, hint)
