"""The annotations of a folder of films, measured on their pixels."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from xrayview.batch.each_file import map_films
from xrayview.display.measure import measure
from xrayview.domain.film import FilmRef
from xrayview.domain.measurement import Annotation, FilmMarks, MeasuredValue
from xrayview.domain.radiograph import Radiograph
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import DecodeFilm
from xrayview.errors import XrayViewError

Load = Callable[[Path], Mapping[str, FilmMarks]]
"""The annotations kept of a folder, by SOPInstanceUID or `sha256:` and the hash of the file."""
Row = tuple[Annotation, tuple[MeasuredValue, ...]]
TableRow = tuple[str, Annotation, tuple[MeasuredValue, ...]]
"""A row with the path of its film below the folder."""
_HASHED = "sha256:"


@dataclass(frozen=True)
class MeasuredFilm:
    """One frame with its annotations; without figures where the film could not be read."""

    film: FilmRef
    rows: tuple[Row, ...]
    error: XrayViewError | None = None

    @property
    def table(self) -> tuple[TableRow, ...]:
        """The rows as a table of many films has them."""
        return tuple((self.film.relative_path, *row) for row in self.rows)


def measure_films(
    engine: Engine, films: Iterable[FilmRef], load: Load, cancel: threading.Event
) -> Iterator[MeasuredFilm]:
    """Decode every film that something is drawn on, and measure it; in the order of the films.

    Raises:
        Cancelled: `cancel` was set.
        UsageError: the annotations of a folder cannot be read.
    """

    def ask(marked: _Marked) -> Future[Radiograph]:
        return engine.submit(DecodeFilm(marked.film, engine.limits), priority=Priority.BATCH)

    for asked in map_films(engine, _marked_frames(films, load), ask, cancel):
        marked, radiograph = asked.entry, asked.answer
        spacing = marked.marks.calibration
        rows = tuple(
            (mark, measure(mark, radiograph, spacing) if radiograph is not None else ())
            for mark in marked.marks.annotations
        )
        yield MeasuredFilm(marked.film, rows, asked.error)


@dataclass(frozen=True)
class _Marked:
    film: FilmRef
    marks: FilmMarks
    """Of this frame only."""


def _marked_frames(films: Iterable[FilmRef], load: Load) -> Iterator[_Marked]:
    folders: dict[Path, Mapping[str, FilmMarks]] = {}
    seen: set[Path] = set()
    for film in films:
        if film.path in seen:  # its other frames come with its first
            continue
        seen.add(film.path)
        folder = film.path.parent
        if folder not in folders:
            folders[folder] = load(folder)
        marks = _marks_of(film, folders[folder])
        for frame in sorted({mark.frame for mark in marks.annotations}):
            drawn = tuple(mark for mark in marks.annotations if mark.frame == frame)
            yield _Marked(replace(film, frame=frame), FilmMarks(drawn, marks.calibration))


def _marks_of(film: FilmRef, kept: Mapping[str, FilmMarks]) -> FilmMarks:
    if film.sop_uid:
        return kept.get(film.sop_uid, FilmMarks())
    if not any(key.startswith(_HASHED) for key in kept):
        return FilmMarks()
    try:
        with film.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:  # gone since it was listed: nothing of it can be measured
        return FilmMarks()
    return kept.get(_HASHED + digest, FilmMarks())
