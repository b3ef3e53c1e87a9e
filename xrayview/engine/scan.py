"""Scan a folder: a stream of films and rejected files, in the order of their names.

Headers are read in chunks. A chunk whose worker hung or died is read again file by file, so that
only the file at fault is rejected.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.engine.client import Engine
from xrayview.engine.decode_handlers import rejected
from xrayview.engine.protocol import ReadHeaders, ReadIndex
from xrayview.engine.waiting import cancel_pending, result_of
from xrayview.errors import Cancelled, XrayViewError
from xrayview.io.scan import walk

FIRST_CHUNK = 8
"""Small, so that the first films are on screen while the rest is read."""
CHUNK = 192
"""Large enough that waiting costs little, small enough for frequent progress."""
Entry = Path | RejectedFile
Headers = tuple[FilmRef | RejectedFile, ...]
Other = TypeVar("Other")
"""What takes the place of a path in a stream of files; it passes through."""


@dataclass(frozen=True)
class _Chunk(Generic[Other]):
    entries: tuple[Path | Other, ...]
    future: Future[Headers]


def scan_folder(
    engine: Engine, folder: Path, cancel: threading.Event | None = None
) -> Iterator[FilmRef | RejectedFile]:
    """Yield every file of `folder`, or the one file that it is, in scan order as headers arrive.

    Ends early, without an error, when `cancel` is set.
    """
    cancel = cancel or threading.Event()
    try:
        yield from read_headers(engine, list_all(engine, folder, cancel), root_of(folder), cancel)
    except Cancelled:
        if not cancel.is_set():
            raise


def root_of(folder: Path) -> Path:
    """The start of relative paths: the folder, or the folder of a single file."""
    return folder if folder.is_dir() else folder.parent


def list_files(folder: Path) -> Iterator[Entry]:
    """List files by name only, without opening them; a single file lists itself."""
    return walk(folder) if folder.is_dir() else iter((folder,))


def list_all(engine: Engine, path: Path, cancel: threading.Event) -> Iterator[Entry]:
    """List files as `list_files` does; a DICOMDIR that was chosen lists the files it refers to.

    Raises:
        XrayViewError: the DICOMDIR is damaged or refers to nothing.
    """
    if not is_index(path):
        return list_files(path)
    entries = result_of(engine.submit(ReadIndex(path)), cancel)
    return iter(entries)


def is_index(path: Path) -> bool:
    """True for a file named DICOMDIR, as an index must be (PS3.10, 8.6)."""
    return path.name.upper() == "DICOMDIR" and path.is_file()


def read_headers(
    engine: Engine, entries: Iterable[Path | Other], root: Path, cancel: threading.Event
) -> Iterator[FilmRef | RejectedFile | Other]:
    """Read the header of each path, in order; other entries (rejected files) pass through.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
    """
    chunks = _chunks(entries)
    under_way: deque[_Chunk[Other]] = deque()
    try:
        while True:
            while len(under_way) <= engine.decode_workers and (chunk := next(chunks, ())):
                paths = tuple(entry for entry in chunk if isinstance(entry, Path))
                under_way.append(_Chunk(chunk, engine.submit(ReadHeaders(paths, root))))
            if not under_way:
                return
            yield from _merge(engine, under_way.popleft(), root, cancel)
    finally:
        cancel_pending(chunk.future for chunk in under_way)


def _chunks(entries: Iterable[Path | Other]) -> Iterator[tuple[Path | Other, ...]]:
    source = iter(entries)
    size = FIRST_CHUNK
    while chunk := tuple(itertools.islice(source, size)):
        yield chunk
        size = min(4 * size, CHUNK)


def _merge(
    engine: Engine, chunk: _Chunk[Other], root: Path, cancel: threading.Event
) -> Iterator[FilmRef | RejectedFile | Other]:
    """The entries of a chunk in order, with paths replaced by headers."""
    try:
        found = result_of(chunk.future, cancel)
        headers = iter(found)
    except Cancelled:
        raise
    except XrayViewError:
        paths = tuple(entry for entry in chunk.entries if isinstance(entry, Path))
        headers = _one_by_one(engine, paths, root, cancel)
    for entry in chunk.entries:
        yield next(headers) if isinstance(entry, Path) else entry


def _one_by_one(
    engine: Engine, paths: tuple[Path, ...], root: Path, cancel: threading.Event
) -> Iterator[FilmRef | RejectedFile]:
    futures = [engine.submit(ReadHeaders((path,), root)) for path in paths]
    try:
        for path, future in zip(paths, futures, strict=True):
            try:
                yield from result_of(future, cancel)
            except Cancelled:
                raise
            except XrayViewError as error:
                yield rejected(path, root, error)
    finally:
        cancel_pending(futures)
