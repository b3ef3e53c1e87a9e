"""The readers of films: a file's content, never its name, decides which one reads it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO, FileIO, RawIOBase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.domain.film import FilmRef
from xrayview.domain.formats import DICOM, JPEG, JSRT, PNG, READABLE, TIFF, FilmFormat
from xrayview.domain.inspection import StoredValues
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.dicom import reader as dicom_reader
from xrayview.io.dicom.fast_header import CHUNK_BYTES
from xrayview.io.limits import MAX_FILE_BYTES, check_scans, too_large
from xrayview.io.raster import jsrt
from xrayview.io.raster.other_formats import other_format
from xrayview.io.raster.png_jpeg_header import (
    JPEG_SIGNATURE,
    PNG_SIGNATURE,
    jpeg_header,
    jpeg_is_complete,
    png_header,
    png_is_complete,
    still_png,
)
from xrayview.io.raster.reader import (
    RasterFormat,
    RasterReader,
    decode_by_opencv,
    stored_by_opencv,
)
from xrayview.io.raster.structure import RasterHeader, not_supported
from xrayview.io.raster.tiff_header import (
    TIFF_SIGNATURES,
    page_is_complete,
    tiff_header,
    tiff_page,
)
from xrayview.io.raster.tiff_pixels import check_supported, decode_page, stored_samples
from xrayview.io.safe_open import film_errors, regular_file_info
from xrayview.io.scan import relative_path

HEAD_BYTES = 512
"""How much of a file `Reader.sniff` gets at least."""
MAX_CACHED_BYTES = 512 * 1024**2
"""Largest file that is kept in memory between its frames; a larger one is read for each frame."""


@dataclass(frozen=True)
class Reader:
    """The functions that read one format.

    `sniff` gets the first HEAD_BYTES or more of a file and tells whether it has this format.
    `read_header` gets the first CHUNK_BYTES and the open file, and returns fields of `FilmRef`.
    `read` decodes one frame from the bytes of the whole file. `stored_frames` yields the stored
    values of all frames from the same bytes. `release` frees what it holds of the last file.
    """

    format: FilmFormat
    sniff: Callable[[bytes], bool]
    read_header: Callable[[bytes, RawIOBase], dict[str, Any]]
    read: Callable[[bytes, FilmRef, float], Radiograph]
    stored_frames: Callable[[bytes, float], Iterator[npt.NDArray[Any]]]
    release: Callable[[], None] = lambda: None


def _raster(reader: RasterReader) -> Reader:
    return Reader(
        reader.format,
        reader.sniff,
        reader.read_header,
        reader.read,
        reader.stored_frames,
        reader.release,
    )


def _check_kind(_data: bytes, header: RasterHeader) -> None:
    if header.unsupported:
        raise not_supported(header.unsupported)


def _check_jpeg(data: bytes, header: RasterHeader) -> None:
    _check_kind(data, header)
    check_scans(data)


_RASTER_FORMATS = (
    RasterFormat(
        PNG,
        (PNG_SIGNATURE,),
        png_header,
        lambda data, _: png_is_complete(BytesIO(data)),
        lambda data, header: decode_by_opencv(PNG, still_png(data), header),
        lambda data, header: stored_by_opencv(PNG, still_png(data), header),
    ),
    RasterFormat(
        JPEG,
        (JPEG_SIGNATURE,),
        jpeg_header,
        lambda data, _: jpeg_is_complete(BytesIO(data)),
        partial(decode_by_opencv, JPEG),
        partial(stored_by_opencv, JPEG),
        check=_check_jpeg,
    ),
    RasterFormat(
        TIFF,
        TIFF_SIGNATURES,
        tiff_header,
        lambda data, page: page_is_complete(page, len(data)),
        decode_page,
        stored_samples,
        tiff_page,
        lambda _, page: check_supported(page),
    ),
)

READERS: tuple[Reader, ...] = (
    # First: the preamble of a DICOM file may be a valid TIFF header (PS3.10, 7.1).
    Reader(
        DICOM,
        dicom_reader.sniff,
        dicom_reader.read_header,
        dicom_reader.read,
        dicom_reader.stored_frames,
    ),
    *(_raster(RasterReader(row)) for row in _RASTER_FORMATS),
    # Last: it has no signature.
    Reader(JSRT, jsrt.sniff, jsrt.read_header, jsrt.read, jsrt.stored_frames),
)


def read_header(path: Path, root: Path) -> FilmRef:
    """Describe a film without decoding its pixels.

    Args:
        path: a regular file; anything else is refused without opening it.
        root: the folder that `relative_path` is relative to.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE, NO_PIXELS, UNSUPPORTED_SYNTAX or DECODE_FAILED.
    """
    with film_errors(path):
        info = regular_file_info(path)
        with FileIO(path) as file:  # unbuffered: making a buffer takes as long as this read
            head = file.read(CHUNK_BYTES)
            fields = _reader_of(head).read_header(head, file)
        return FilmRef(
            path=path,
            relative_path=relative_path(path, root),
            file_size=info.st_size,
            mtime_ns=info.st_mtime_ns,
            **fields,
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
        self.release()
        data, info = _bytes_of(path)
        digest = hashlib.sha256(data).hexdigest()
        if len(data) <= MAX_CACHED_BYTES:
            self._entry = path, info, data, digest
        return data, info, digest

    def keeps(self, data: bytes) -> bool:
        """True for the bytes that are kept for the next frame."""
        return self._entry is not None and self._entry[2] is data

    def release(self) -> None:
        """Free the memory."""
        self._entry = None
        for reader in READERS:
            reader.release()


def _version(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_ino, info.st_size, info.st_mtime_ns


def read_film(
    film: FilmRef,
    *,
    max_megapixels: float = 200.0,
    cache: FileCache | None = None,
    hashed: bool = True,
) -> Radiograph:
    """Decode the film at `film.path` and `film.frame`.

    The file is read once: the bytes that are decoded are the bytes of `sha256`. The returned
    `ref` has the header as it is in the file now.

    Args:
        film: from `read_header`.
        max_megapixels: the largest rows x columns to decode, in millions.
        cache: keeps the file's bytes for its other frames.
        hashed: False leaves `sha256` empty, which saves a sixth of a thumbnail's time.

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
        if cache is None or not cache.keeps(data):
            reader.release()
        return replace(radiograph, sha256=digest)


def read_stored_values(path: Path, *, max_megapixels: float = 200.0) -> StoredValues:
    """Describe the stored values of all frames of a file, with one frame in memory at a time.

    Args:
        path: a regular file; anything else is refused without opening it.
        max_megapixels: the largest rows x columns to decode, in millions.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE, NO_PIXELS, UNSUPPORTED_SYNTAX, TOO_LARGE, DECODE_FAILED.
    """
    with film_errors(path):
        data, _ = _bytes_of(path)
        reader = _reader_of(data[:HEAD_BYTES])
        values = _summarise(reader.stored_frames(data, max_megapixels))
        reader.release()
        return values


def _summarise(frames: Iterator[npt.NDArray[Any]]) -> StoredValues:
    digest = hashlib.sha256()
    minima, maxima, layouts = [], [], set()
    for frame in frames:
        little_endian = np.ascontiguousarray(frame, dtype=frame.dtype.newbyteorder("<"))
        digest.update(little_endian.data)
        minima.append(frame.min().item())
        maxima.append(frame.max().item())
        layouts.add((frame.shape, frame.dtype.name))
    if len(layouts) > 1:
        raise UnreadableFilm(
            "The pages are not frames of one film",
            code=StatusCode.DECODE_FAILED,
            why="they differ in size or in sample type",
            hint="Save each page as a separate file.",
        )
    ((shape, dtype),) = layouts
    shape = shape if len(minima) == 1 else (len(minima), *shape)
    return StoredValues(shape, dtype, min(minima), max(maxima), digest.hexdigest())


def _bytes_of(path: Path) -> tuple[bytes, os.stat_result]:
    info = regular_file_info(path)
    if info.st_size > MAX_FILE_BYTES:
        raise too_large(f"the file has {info.st_size / 1024**3:.1f} GiB")
    return path.read_bytes(), info


def _reader_of(head: bytes) -> Reader:
    for reader in READERS:
        if reader.sniff(head):
            return reader
    name = other_format(head)
    why = f"its content is {name or f'not {READABLE}'}" if head else "the file is empty"
    raise UnreadableFilm(
        "The format is not supported" if name else "Not a film",
        code=StatusCode.NOT_AN_IMAGE,
        why=why,
        hint=f"Choose a {READABLE} file.",
    )
