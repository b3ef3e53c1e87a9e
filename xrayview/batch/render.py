"""Render the films of a folder as pictures of their displayed grey; every file has a result."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from xrayview.batch.heat_maps import ExplainedFilm, Explainer, HeatMapOptions
from xrayview.batch.map_films import FilmReply, map_films
from xrayview.batch.outcome import error_message, rejection_message
from xrayview.batch.source_files import list_outside
from xrayview.domain.events import FilmFinished, FilmResult
from xrayview.domain.film import FilmRef, RejectedFile, ScannedFile
from xrayview.domain.sentences import joined
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import RenderedFilm, RenderFilm
from xrayview.engine.scan import read_headers, root_of
from xrayview.errors import Status, StatusCode, UsageError
from xrayview.io.export import write_bytes
from xrayview.io.tables.outputs import record_output

EXISTS = "exists already"


@dataclass(frozen=True)
class FilmRendered(FilmFinished):
    """A file is done; `output` is None where there is no picture of it."""

    output: Path | None = None
    burned_in: str = ""
    """BurnedInAnnotation: `YES`, `NO`, or empty where it is absent."""
    kept: bool = False
    """The picture existed and was left unchanged."""


def render_folder(
    engine: Engine,
    source: Path,
    out: Path,
    how: RenderFilm,
    cancel: threading.Event,
    *,
    skip_existing: bool = False,
    heat_maps: HeatMapOptions | None = None,
) -> Iterator[FilmRendered]:
    """Render every film of `source` into `out`, which gets the subfolders of the source.

    Args:
        engine: its decode workers render and encode; this process only writes.
        source: a folder, or one film.
        out: a folder, created if needed; where it lies inside the source, its files are left out,
            now and in later scans of the source.
        how: the request for each film; only the frame of its `film` is used.
        cancel: ends the work; pictures written so far stay.
        skip_existing: keep pictures that exist, to continue an interrupted run; the options that
            they were made with are not compared.
        heat_maps: the heat map of each film, where the style of `how` includes heat maps. A film
            out of the model's scope has a picture without one and the status `refused`; a film on
            which the model failed has no picture.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
        ModelError, DeviceUnavailable: the model cannot run.
        UsageError: `out` cannot be written; the model has no such finding or method; a single film
            has no such frame or window.
    """
    root, is_single = root_of(source), not source.is_dir()
    try:
        record_output(root, out)
    except OSError as error:
        raise _unwritable(out, error) from error
    explainer = Explainer(engine, heat_maps, cancel) if heat_maps else None
    entries = list_outside(source, out)
    files = (
        _at_frame(file, how.film.frame, is_single)
        for file in read_headers(engine, entries, root, cancel)
    )
    names = _Names(out, how)

    def is_wanted(film: FilmRef) -> bool:
        return not (skip_existing and names.of(film).exists())

    def submit(item: ExplainedFilm) -> Future[RenderedFilm] | None:
        film = item.file
        if isinstance(film, RejectedFile) or item.failed or not is_wanted(film):
            return None
        request = replace(how, film=film, heat=item.heat, result_text=item.result_text)
        return engine.submit(request, priority=Priority.BATCH)

    items = explainer.explain(files, is_wanted) if explainer else map(ExplainedFilm, files)
    for done, reply in enumerate(map_films(engine, items, submit, cancel), start=1):
        if is_single and isinstance(reply.error, UsageError):
            raise reply.error
        yield _write(reply, names, done, len(entries))


def _at_frame(file: ScannedFile, frame: int, is_single: bool) -> ScannedFile:
    """The requested frame; in a folder, files without that frame are rejected."""
    if isinstance(file, RejectedFile):
        return file
    try:
        return file.at_frame(frame)
    except UsageError as error:
        if is_single:
            raise
        why = f"{error.what} ({error.why})"
        return RejectedFile(file.path, file.relative_path, StatusCode.NO_PIXELS, why, error.hint)


def _write(
    reply: FilmReply[ExplainedFilm, RenderedFilm], names: _Names, done: int, total: int
) -> FilmRendered:
    file, rendered = reply.entry.file, reply.reply
    result = _result(reply)
    if isinstance(file, RejectedFile) or result.status is Status.ERROR:
        return FilmRendered(result, done, total)
    output = names.of(file)
    if rendered is None:
        return FilmRendered(result, done, total, output, kept=True)
    try:
        write_bytes(output, rendered.picture)
    except OSError as error:
        raise _unwritable(output, error) from error
    return FilmRendered(result, done, total, output, rendered.burned_in)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        "The picture cannot be written",
        path=path,
        why=error.strerror or type(error).__name__,
        hint="Choose another folder, or make room.",
    )


def _result(reply: FilmReply[ExplainedFilm, RenderedFilm]) -> FilmResult:
    film, by_model = reply.entry.file, reply.entry.result
    rendered, error = reply.reply, reply.error
    if isinstance(film, RejectedFile):
        return FilmResult(film.relative_path, Status.ERROR, film.code, rejection_message(film))
    if error is not None:
        code = error.code or StatusCode.DECODE_FAILED
        return FilmResult(film.relative_path, Status.ERROR, code, error_message(error), film)
    if by_model is not None:
        if by_model.status is Status.REFUSED:
            return replace(by_model, message=f"No heat map: {by_model.message}")
        return by_model
    if rendered is None:
        return FilmResult(film.relative_path, Status.OK, StatusCode.OK, EXISTS, film)
    status = Status.WARN if rendered.warnings else Status.OK
    message = joined(rendered.warnings)
    return FilmResult(film.relative_path, status, StatusCode.OK, message, rendered.film)


class _Names:
    """The names of pictures: the film's path with a suffix, unique among all films.

    `a.dcm` and `a.png` become `a.dcm.png` and `a.png.png`. No part of a header is in a name.
    """

    def __init__(self, out: Path, how: RenderFilm) -> None:
        self._out = out
        self._how = how
        self._used: set[str] = set()
        self._paths: dict[str, Path] = {}

    def of(self, film: FilmRef) -> Path:
        """The path of a film's picture, the same each time."""
        if film.film_id not in self._paths:
            self._paths[film.film_id] = self._out / self._new(film)
        return self._paths[film.film_id]

    def _new(self, film: FilmRef) -> str:
        frame = f".frame{self._how.film.frame + 1}" if film.frames > 1 else ""
        stem, suffix = film.relative_path + frame, self._how.format
        name, count = f"{stem}.{suffix}", 2
        # File systems may ignore case, and a file may be named like the frame of another.
        while name.casefold() in self._used:
            name, count = f"{stem}~{count}.{suffix}", count + 1
        self._used.add(name.casefold())
        return name
