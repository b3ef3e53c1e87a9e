"""Measure the annotations of a folder of films on their pixels."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from xrayview.batch.map_films import map_films
from xrayview.display.measure import measure
from xrayview.domain.film import FilmRef
from xrayview.domain.mark_keys import StoredMarks, mark_key
from xrayview.domain.measurement import Annotation, FilmMarks, MeasuredValue
from xrayview.domain.radiograph import Radiograph
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import DecodeFilm
from xrayview.errors import XrayViewError

Load = Callable[[Path], Mapping[str, FilmMarks]]
"""Loads the annotations of a folder, by the keys of `domain.mark_keys`."""
Row = tuple[Annotation, tuple[MeasuredValue, ...]]
TableRow = tuple[str, Annotation, tuple[MeasuredValue, ...]]
"""A row, preceded by the film's path below the folder."""


@dataclass(frozen=True)
class MeasuredFilm:
    """One frame with its measured annotations; without values where it could not be read."""

    film: FilmRef
    rows: tuple[Row, ...]
    error: XrayViewError | None = None

    @property
    def table(self) -> tuple[TableRow, ...]:
        """The rows with the film's path."""
        return tuple((self.film.relative_path, *row) for row in self.rows)


def measure_films(
    engine: Engine, films: Iterable[FilmRef], load: Load, cancel: threading.Event
) -> Iterator[MeasuredFilm]:
    """Decode every film with annotations and measure them, in the order of the films.

    Raises:
        Cancelled: `cancel` was set.
        UsageError: the annotations of a folder cannot be read.
    """

    def submit(marked: _Marked) -> Future[Radiograph]:
        return engine.submit(DecodeFilm(marked.film, engine.limits), priority=Priority.BATCH)

    for item in map_films(engine, _marked_frames(films, load), submit, cancel):
        marked, radiograph = item.entry, item.reply
        spacing = marked.marks.calibration
        rows = tuple(
            (mark, measure(mark, radiograph, spacing) if radiograph is not None else ())
            for mark in marked.marks.annotations
        )
        yield MeasuredFilm(marked.film, rows, item.error)


@dataclass(frozen=True)
class _Marked:
    film: FilmRef
    marks: FilmMarks
    """The annotations of this frame only."""


def _marked_frames(films: Iterable[FilmRef], load: Load) -> Iterator[_Marked]:
    folders: dict[Path, StoredMarks] = {}
    seen: set[Path] = set()
    for film in films:
        if film.path in seen:  # all frames of a file are handled with its first
            continue
        seen.add(film.path)
        folder = film.path.parent
        if folder not in folders:
            folders[folder] = StoredMarks(load(folder))
        marks = _marks_of(film, folders[folder])
        for frame in sorted({mark.frame for mark in marks.annotations}):
            on_frame = tuple(mark for mark in marks.annotations if mark.frame == frame)
            yield _Marked(replace(film, frame=frame), FilmMarks(on_frame, marks.calibration))


def _marks_of(film: FilmRef, stored: StoredMarks) -> FilmMarks:
    key = mark_key(film.sop_uid, film.path.name, "")
    if film.sop_uid and (stored.keys_of(key) or not stored.has_other_files_of(film.sop_uid)):
        return stored.of(key)
    if not film.sop_uid and not stored.has_hashes:
        return FilmMarks()
    try:
        with film.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:  # deleted since it was listed
        return FilmMarks()
    return stored.of(mark_key(film.sop_uid, film.path.name, digest))
