"""The files that a DICOMDIR refers to (PS3.10, 8; PS3.3, F)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from xrayview.domain.film import RejectedFile
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.dicom.dataset import read_whole
from xrayview.io.limits import MAX_INFLATED_BYTES, too_large
from xrayview.io.safe_open import film_errors, regular_file_info

_SUFFIXES = (".dcm", ".DCM", ".dicom", ".ima")


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
        records = read_whole(path).get("DirectoryRecordSequence") or ()
        names = dict.fromkeys(filter(None, map(_file_id, records)))
    if not names:
        raise UnreadableFilm(
            "The DICOMDIR does not refer to any file",
            code=StatusCode.NO_PIXELS,
            path=path,
            why="none of its records has a Referenced File ID",
            hint="Open the folder that contains it.",
        )
    files = _Files(path.parent)
    yield from (files.resolved(name) for name in names)


def _file_id(record: Dataset) -> tuple[str, ...]:
    """The components of a Referenced File ID (0004,1500); empty when the record has none."""
    value = record.get("ReferencedFileID")
    parts = value if isinstance(value, MultiValue) else [value] if value else []
    return tuple(str(part) for part in parts)


class _Files:
    """The files of a file-set, found by names that are not quite those of the references.

    Discs with upper-case names are mounted in lower case, with a version or a dot at the end
    (ISO 9660), and copies of them often have a suffix, which a File ID cannot have (PS3.10, 8.2).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = Path(os.path.realpath(folder))
        self._names: dict[Path, dict[str, str]] = {}

    def resolved(self, parts: tuple[str, ...]) -> Path | RejectedFile:
        relative = "/".join(parts)
        path = self._path(parts)
        # CVE-2026-32711: a file ID may lead out of the folder, by its components or through a link.
        if path is None or not Path(os.path.realpath(path)).is_relative_to(self._root):
            why, hint = "the DICOMDIR refers to a file outside its folder", "It is not followed."
            index = self._folder / "DICOMDIR"
            return RejectedFile(index, relative, StatusCode.NOT_AN_IMAGE, why, hint)
        if path.is_file():
            return path
        why, hint = "the DICOMDIR refers to a missing file", "Copy it from the source again."
        return RejectedFile(path, relative, StatusCode.NOT_AN_IMAGE, why, hint)

    def _path(self, parts: tuple[str, ...]) -> Path | None:
        """The path below the folder; None for one that leads, or may lead, out of it."""
        if parts[0].startswith("/"):
            return None
        # Some writers separate the components by slashes, or begin with a separator.
        names = [name for part in parts for name in part.replace("\\", "/").split("/") if name]
        if any(name in {".", ".."} or set(name) & set(":\0") for name in names):
            return None
        path = self._folder
        for name in names:
            path /= self._name_in(path, name)
        return path

    def _name_in(self, folder: Path, name: str) -> str:
        """The name of an entry in a folder, as it is spelled there."""
        plain = name.split(";")[0].rstrip(".")
        for candidate in (name, plain, *(plain + suffix for suffix in _SUFFIXES)):
            if (folder / candidate).exists():
                return candidate
        known = self._spelled(folder)
        for candidate in (name, plain, *(plain + suffix for suffix in _SUFFIXES)):
            if found := known.get(candidate.casefold()):
                return found
        return name

    def _spelled(self, folder: Path) -> dict[str, str]:
        """Names without case, version and final dot, to the names in a folder."""
        if folder not in self._names:
            entries = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
            self._names[folder] = {
                name.split(";")[0].rstrip(".").casefold(): name for name in entries
            }
        return self._names[folder]
