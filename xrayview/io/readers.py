"""The readers: a file's content, never its name, says which of them reads it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import FileIO, RawIOBase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.domain.film import FilmRef
from xrayview.domain.inspection import StoredValues
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.dicom import reader as dicom_reader
from xrayview.io.dicom.fast_header import CHUNK_BYTES
from xrayview.io.limits import MAX_FILE_BYTES, too_large
from xrayview.io.raster import reader as raster_reader
from xrayview.io.safe_open import film_errors, regular_file_info
from xrayview.io.scan import relative_path

HEAD_BYTES = 512
"""How much of a file a reader sees before it says whether the file is its own."""
MAX_CACHED_BYTES = 512 * 1024**2
"""Of a file whose frames are read one by one; a larger one is read anew for each."""


@dataclass(frozen=True)
class Reader:
    """One kind of film file.

    `sniff` sees the file's first HEAD_BYTES or more of them. `read_header` gets its first
    CHUNK_BYTES and the file, and says what it can of a `FilmRef`, by its names. `read` gets the
    whole file's bytes, and so does `stored_frames`, which leaves the values as they are stored.
    `unavailable` is None, or what to install so that it reads all that it could.
    """

    name: str
    sniff: Callable[[bytes], bool]
    read_header: Callable[[bytes, RawIOBase], dict[str, Any]]
    read: Callable[[bytes, FilmRef, float], Radiograph]
    stored_frames: Callable[[bytes, float], Iterator[npt.NDArray[Any]]]
    unavailable: Callable[[], str | None] = lambda: None


READERS: tuple[Reader, ...] = (
    # First: the preamble of a DICOM file may be the head of a valid TIFF (PS3.10, 7.1).
    Reader(
        "dicom",
        dicom_reader.sniff,
        dicom_reader.read_header,
        dicom_reader.read,
        dicom_reader.stored_frames,
        dicom_reader.unavailable,
    ),
    *(
        Reader(row.name, row.sniff, row.read_header, row.read, row.stored_frames)
        for row in raster_reader.FORMATS
    ),
)


def read_header(path: Path, root: Path) -> FilmRef:
    """Describe a film without its pixels.

    Args:
        path: a regular file; anything else is refused unopened.
        root: the scanned folder that `relative_path` counts from.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE, NO_PIXELS, UNSUPPORTED_SYNTAX or DECODE_FAILED.
    """
    with film_errors(path):
        info = regular_file_info(path)
        with FileIO(path) as file:  # a buffer takes as long to make as the piece to read
            head = file.read(CHUNK_BYTES)
            said = _reader_of(head).read_header(head, file)
        return FilmRef(
            path=path,
            relative_path=relative_path(path, root),
            file_size=info.st_size,
            mtime_ns=info.st_mtime_ns,
            **said,
        )


class FileCache:
    """The bytes of the last file, so that its next frame is neither read nor hashed again."""

    def __init__(self) -> None:
        self._entry: tuple[Path, os.stat_result, bytes, str] | None = None

    def read(self, path: Path) -> tuple[bytes, os.stat_result, str]:
        """Bytes, status and SHA-256 of a file; it is cached unless it is too large.

        Raises:
            UnreadableFilm: NOT_AN_IMAGE, TOO_LARGE.
        """
        info = regular_file_info(path)
        if self._entry is not None:
            cached_path, cached_info, data, digest = self._entry
            if cached_path == path and _version(cached_info) == _version(info):
                return data, info, digest
        self._entry = None
        data, info = _bytes_of(path)
        digest = hashlib.sha256(data).hexdigest()
        if len(data) <= MAX_CACHED_BYTES:
            self._entry = path, info, data, digest
        return data, info, digest

    def release(self) -> None:
        """Free the memory."""
        self._entry = None


def _version(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_ino, info.st_size, info.st_mtime_ns


def read_film(
    film: FilmRef,
    *,
    max_megapixels: float = 200.0,
    cache: FileCache | None = None,
    hashed: bool = True,
) -> Radiograph:
    """Decode the film that `film` names: its `path` and `frame`.

    The file is read once: the bytes that are decoded are the bytes of `sha256`. The returned
    `ref` repeats the header as it is now.

    Args:
        film: from `read_header`.
        max_megapixels: the largest rows x columns to decode, in millions.
        cache: keeps the file's bytes for its other frames.
        hashed: False leaves `sha256` empty, which spares a small picture a sixth of its time.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE, NO_PIXELS, UNSUPPORTED_SYNTAX, TOO_LARGE, DECODE_FAILED.
    """
    with film_errors(film.path):
        if hashed or cache is not None:
            data, info, digest = (cache or FileCache()).read(film.path)
        else:
            (data, info), digest = _bytes_of(film.path), ""
        reader = _reader_of(data[:HEAD_BYTES])
        film = replace(film, file_size=len(data), mtime_ns=info.st_mtime_ns)
        radiograph = reader.read(data, film, max_megapixels)
        return replace(radiograph, sha256=digest)


def read_stored_values(path: Path, *, max_megapixels: float = 200.0) -> StoredValues:
    """Describe the stored values of all frames of a film, one frame in memory at a time.

    Args:
        path: a regular file; anything else is refused unopened.
        max_megapixels: the largest rows x columns to decode, in millions.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE, NO_PIXELS, UNSUPPORTED_SYNTAX, TOO_LARGE, DECODE_FAILED.
    """
    with film_errors(path):
        data, _ = _bytes_of(path)
        reader = _reader_of(data[:HEAD_BYTES])
        return _summary(reader.stored_frames(data, max_megapixels))


def _summary(frames: Iterator[npt.NDArray[Any]]) -> StoredValues:
    digest = hashlib.sha256()
    lows, highs, kinds = [], [], set()
    for frame in frames:
        little = np.ascontiguousarray(frame, dtype=frame.dtype.newbyteorder("<"))
        digest.update(little.data)
        lows.append(frame.min().item())
        highs.append(frame.max().item())
        kinds.add((frame.shape, frame.dtype.name))
    if len(kinds) > 1:
        raise UnreadableFilm(
            "The pages are no frames of one film",
            code=StatusCode.DECODE_FAILED,
            why="they differ in size or in sample type",
            hint="Save each page as a file of its own.",
        )
    ((shape, dtype),) = kinds
    shape = shape if len(lows) == 1 else (len(lows), *shape)
    return StoredValues(shape, dtype, min(lows), max(highs), digest.hexdigest())


def _bytes_of(path: Path) -> tuple[bytes, os.stat_result]:
    info = regular_file_info(path)
    if info.st_size > MAX_FILE_BYTES:
        raise too_large(f"the file has {info.st_size / 1024**3:.1f} GiB")
    return path.read_bytes(), info


def _reader_of(head: bytes) -> Reader:
    hint = "Choose a DICOM, PNG, JPEG or TIFF file."
    if not head:
        raise UnreadableFilm(
            "Not a film", code=StatusCode.NOT_AN_IMAGE, why="the file is empty", hint=hint
        )
    for reader in READERS:
        if reader.sniff(head):
            return reader
    raise UnreadableFilm(
        "Not a film",
        code=StatusCode.NOT_AN_IMAGE,
        why="its content is neither DICOM nor PNG, JPEG or TIFF",
        hint=hint,
    )
