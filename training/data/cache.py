"""Cache of decoded films: memory-mapped grey at working size, so that no epoch decodes files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.data.manifest import FilmRow, Omission, reasons
from training.disk import require_room, writing_partial
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import NothingUsable, StatusCode, UnreadableFilm
from xrayview.io.readers import read_film, read_header
from xrayview.preprocessing.pipeline import Preprocessor

Progress = Callable[[int, int], None]

_ABANDONED_S = 3600.0
"""Age from which a partial file is abandoned; a running process writes to it within minutes."""

_TIME_STEP_NS = 2_000_000_000
"""Coarsest step of a file's times, that of FAT: two changes within it can have the same time."""


@dataclass(frozen=True, eq=False)
class GreyFilms:
    """Film rows with hashes, and their greys: float32 in 0..1, films x height x width."""

    rows: tuple[FilmRow, ...]
    greys_NHW: npt.NDArray[np.float32]
    omitted: tuple[Omission, ...]


def load_greys(
    rows: Sequence[FilmRow],
    folder: Path,
    preprocessor: Preprocessor,
    cache: Path,
    progress: Progress = lambda _done, _total: None,
) -> GreyFilms:
    """Return the films' greys from the cache, filling it first if needed.

    The cache is keyed by the preprocessing and by every file's path and content, so that a
    replaced file is decoded again whatever its size and times. Films that cannot be read are left
    out, with the reason in `omitted`.

    Raises:
        NothingUsable: no film could be read.
    """
    stem = cache / f"{_names_key(row.path for row in rows)}-{preprocessor.preprocessing_id}"
    earlier = _newest_index(stem)
    if earlier is None:
        cache.mkdir(parents=True, exist_ok=True)
        return _open(rows, _fill(rows, folder, preprocessor, stem, progress))
    files = _files(rows, folder, _known_contents(stem))
    complete = _with_contents(stem, [file.sha256 for file in files])
    if _index_of(complete).is_file():
        _update_statuses(_index_of(complete), files)
    else:
        complete = _fill(rows, folder, preprocessor, stem, progress, earlier, files)
    return _open(rows, complete)


def open_film(path: Path, folder: Path) -> Radiograph:
    """Read a film as the app does, but refuse a mask, which may lie beside it.

    Raises:
        UnreadableFilm: the file cannot be read, or has only two grey values.
    """
    radiograph = read_film(read_header(path, folder))
    pixels_HW = radiograph.pixels_HW
    if ((pixels_HW == pixels_HW.min()) | (pixels_HW == pixels_HW.max())).all():
        raise UnreadableFilm(
            "Not a film",
            path=path,
            code=StatusCode.NOT_A_RADIOGRAPH,
            why="it has only one or two grey values, as a mask has",
        )
    return radiograph


def pixels_sha256(radiograph: Radiograph) -> str:
    """Return the SHA-256 of the stored pixels with their shape and dtype."""
    pixels = np.ascontiguousarray(radiograph.pixels_HW)
    digest = hashlib.sha256(f"{pixels.shape}{pixels.dtype.str}".encode())
    digest.update(pixels.tobytes())
    return digest.hexdigest()


def files_key(files: Iterable[tuple[str, Path]]) -> str:
    """Return a short hash of the files' names and contents, or their absence."""
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(json.dumps([name, file_sha256(path)]).encode())
    return digest.hexdigest()[:16]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file; empty if there is none or it cannot be read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _names_key(names: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(names)).encode()).hexdigest()[:16]


def _with_contents(stem: Path, contents: Sequence[str]) -> Path:
    """Return the stem of the complete files of films with these contents."""
    return stem.with_name(f"{stem.name}-{_names_key(contents)}")


def _index_of(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.json")


def _greys_of(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.npy")


def _newest_index(stem: Path) -> Path | None:
    """Return the newest index of the same names and preprocessing, whatever the contents."""
    found = [path for path in stem.parent.glob(f"{stem.name}-*.json") if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)


@dataclass(frozen=True)
class _File:
    """A film's file: its status, then its content."""

    status: tuple[int, ...]
    sha256: str


_Known = Mapping[tuple[str, tuple[int, ...]], str]
"""(path, status at the time of hashing) -> SHA-256 of the file."""


def _known_contents(stem: Path) -> _Known:
    """Return what the indexes of the same names know, whatever their preprocessing."""
    names = stem.name.partition("-")[0]
    known = {}
    for path in stem.parent.glob(f"{names}-*.json"):
        for entry in json.loads(path.read_text(encoding="utf-8")):
            if entry.get("status"):
                known[entry["path"], tuple(entry["status"])] = entry["file_sha256"]
    return known


def _files(rows: Sequence[FilmRow], folder: Path, known: _Known) -> list[_File]:
    """Return each film's file; one whose status is known is not read."""
    files = []
    for row in rows:
        path = folder / row.path
        status = _status(path)
        content = known.get((row.path, status))
        files.append(_File(status, file_sha256(path) if content is None else content))
    return files


def _update_statuses(path: Path, files: Sequence[_File]) -> None:
    """Store the files' present statuses, so that they need not be read the next time."""
    index = json.loads(path.read_text(encoding="utf-8"))
    updated = [
        {**entry, "status": list(file.status)} for entry, file in zip(index, files, strict=True)
    ]
    if updated != index:
        _write_index(updated, path)


def _write_index(index: Sequence[Mapping[str, Any]], path: Path) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with writing_partial(partial):
        partial.write_text(json.dumps(index), encoding="utf-8")
    partial.replace(path)


def _status(path: Path) -> tuple[int, ...]:
    """Return inode, size and times of a file, by which an unchanged file is recognised.

    The time of the last status change cannot be set back, as that of the last modification can.
    Empty where it proves nothing: on Windows, where it is the time of creation, and for a file
    that changed so recently that another change could have the same time.
    """
    try:
        info = path.stat()
    except OSError:
        return ()
    recent = time.time_ns() - max(info.st_ctime_ns, info.st_mtime_ns) < _TIME_STEP_NS
    if recent or not info.st_ino or os.name == "nt":
        return ()
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def _fill(
    rows: Sequence[FilmRow],
    folder: Path,
    preprocessor: Preprocessor,
    stem: Path,
    progress: Progress,
    earlier: Path | None = None,
    files: Sequence[_File] = (),
) -> Path:
    """Write the greys, then the index: if the index exists, the greys are complete.

    Films that are unchanged since the `earlier` index are copied instead of decoded. Returns the
    stem of the complete files.
    """
    partial = own_partial(stem)
    require_room(stem.parent, 4 * len(rows) * math.prod(preprocessor.spec.size))
    greys_NHW = np.lib.format.open_memmap(
        partial, mode="w+", dtype=np.float32, shape=(len(rows), *preprocessor.spec.size)
    )
    old_index = json.loads(earlier.read_text(encoding="utf-8")) if earlier else []
    old_greys_NHW = np.load(earlier.with_suffix(".npy"), mmap_mode="r") if earlier else None
    index: list[dict[str, Any]] = []
    for i, row in enumerate(rows):
        if old_greys_NHW is not None and files[i].sha256 == old_index[i]["file_sha256"]:
            greys_NHW[i] = old_greys_NHW[i]
            index.append({**old_index[i], "status": files[i].status})
        else:
            status = _status(folder / row.path)
            entry, grey_HW = _decode(row, folder, preprocessor)
            if grey_HW is not None:
                greys_NHW[i] = grey_HW
            index.append({"path": row.path, "status": status, **entry})
        progress(i + 1, len(rows))
    greys_NHW.flush()
    del greys_NHW, old_greys_NHW
    complete = _with_contents(stem, [entry["file_sha256"] for entry in index])
    partial.replace(_greys_of(complete))
    _write_index(index, _index_of(complete))
    return complete


def _decode(
    row: FilmRow, folder: Path, preprocessor: Preprocessor
) -> tuple[dict[str, Any], npt.NDArray[np.float32] | None]:
    """Return a film's hashes and grey, or the reason why it cannot be read."""
    try:
        radiograph = open_film(folder / row.path, folder)
    except UnreadableFilm as error:
        why = {"code": str(error.code), "why": str(error)}
        return {"file_sha256": file_sha256(folder / row.path), **why}, None
    hashes = {"file_sha256": radiograph.sha256, "pixels_sha256": pixels_sha256(radiograph)}
    return hashes, preprocessor.grey(radiograph)


def own_partial(stem: Path) -> Path:
    """Return a partial file of this process only, since another run may fill the same cache.

    Partial files of killed runs are removed.
    """
    for partial in stem.parent.glob(f"{stem.name}*.partial"):
        with suppress(FileNotFoundError):  # its own run has just finished it
            if time.time() - partial.stat().st_mtime > _ABANDONED_S:
                partial.unlink()
    return stem.with_name(f"{stem.name}.{os.getpid()}.partial")


def _open(rows: Sequence[FilmRow], stem: Path) -> GreyFilms:
    index = json.loads(_index_of(stem).read_text(encoding="utf-8"))
    greys_NHW = np.load(_greys_of(stem), mmap_mode="r")
    omitted = tuple(Omission(e["path"], e["code"], e["why"]) for e in index if "code" in e)
    readable = [i for i, entry in enumerate(index) if "code" not in entry]
    if not readable:
        raise NothingUsable("No film could be read", why=reasons(omitted) or "the list is empty")
    hashed = tuple(
        dataclasses.replace(
            rows[i], sha256=index[i]["file_sha256"], pixels_sha256=index[i]["pixels_sha256"]
        )
        for i in readable
    )
    all_readable = len(readable) == len(index)
    return GreyFilms(hashed, greys_NHW if all_readable else greys_NHW[readable], omitted)
