"""Every film of a folder becomes a picture of its displayed grey; every file has its outcome."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from xrayview.batch.each_file import FilmReply, map_films
from xrayview.batch.heat_maps import ExplainedFilm, Explainer, HeatMapOptions
from xrayview.batch.outcome import error_message
from xrayview.batch.outside_output import Found, list_outside
from xrayview.domain.events import FilmFinished, FilmResult
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import RenderedFilm, RenderFilm
from xrayview.engine.scan import read_headers, root_of
from xrayview.errors import Status, StatusCode, UsageError
from xrayview.io.export import write_bytes

WAS_THERE = "was there"


@dataclass(frozen=True)
class FilmRendered(FilmFinished):
    """One more file was tried; `output` is None where there is no picture of it."""

    output: Path | None = None
    burned_in: str = ""
    """BurnedInAnnotation: `YES`, `NO`, or empty where the file does not say."""
    kept: bool = False
    """The picture was there before, and was left as it is."""


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
    """Render every film of `source` into `out`, which keeps the folders of the source.

    Args:
        engine: its decode workers render and encode; this process only writes.
        source: a folder, or one film.
        out: a folder, made if needed; where it lies inside the source its files are left out.
        how: the request for each film, whose `film` stands for its frame only.
        cancel: ends the work; pictures that are written stay.
        skip_existing: leave pictures whose name is there, so that an interrupted run goes on; what
            they were made with is in no picture, and is not compared.
        heat_maps: what the model worker explains on each film, where `how` has a style with heat
            maps. A film that the model must not judge has a picture without one, and status
            `refused`; one that the model failed on has none.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
        ModelError, DeviceUnavailable: the model cannot run.
        UsageError: `out` is the source itself, or cannot be written; the model has no such
            finding; the one film of `source` has no such frame or window.
    """
    root, alone = root_of(source), not source.is_dir()
    if out.resolve() == source.resolve():
        raise UsageError("Pictures and films in one folder", path=out, hint="Choose another --out.")
    explainer = Explainer(engine, heat_maps, cancel) if heat_maps else None
    entries = list_outside(source, out)
    found = (
        _at_frame(entry, how.film.frame, alone)
        for entry in read_headers(engine, entries, root, cancel)
    )
    names = _Names(out, how)

    def is_wanted(film: FilmRef) -> bool:
        return not (skip_existing and names.of(film).exists())

    def ask(file: ExplainedFilm) -> Future[RenderedFilm] | None:
        film = file.found
        if isinstance(film, RejectedFile) or file.failed or not is_wanted(film):
            return None
        request = replace(how, film=film, heat=file.heat, result_text=file.said)
        return engine.submit(request, priority=Priority.BATCH)

    files = explainer.explained(found, is_wanted) if explainer else map(ExplainedFilm, found)
    for done, asked in enumerate(map_films(engine, files, ask, cancel), start=1):
        if alone and isinstance(asked.error, UsageError):
            raise asked.error
        yield _finished(asked, names, done, len(entries))


def _at_frame(entry: Found, frame: int, alone: bool) -> Found:
    """The frame that was asked for; in a folder, files that have fewer are listed."""
    if isinstance(entry, RejectedFile):
        return entry
    try:
        return entry.at_frame(frame)
    except UsageError as error:
        if alone:
            raise
        why = f"{error.what} ({error.why})"
        return RejectedFile(entry.path, entry.relative_path, StatusCode.NO_PIXELS, why, error.hint)


def _finished(
    asked: FilmReply[ExplainedFilm, RenderedFilm], names: _Names, done: int, total: int
) -> FilmRendered:
    file, answer = asked.entry, asked.answer
    result = _result(asked)
    if isinstance(file.found, RejectedFile) or result.status is Status.ERROR:
        return FilmRendered(result, done, total)
    output = names.of(file.found)
    if answer is None:
        return FilmRendered(result, done, total, output, kept=True)
    try:
        write_bytes(output, answer.picture)
    except OSError as error:
        raise UsageError(
            "The picture cannot be written",
            path=output,
            why=error.strerror or type(error).__name__,
            hint="Choose another --out, or make room.",
        ) from error
    return FilmRendered(result, done, total, output, answer.burned_in)


def _result(asked: FilmReply[ExplainedFilm, RenderedFilm]) -> FilmResult:
    film, verdict = asked.entry.found, asked.entry.verdict
    answer, error = asked.answer, asked.error
    if isinstance(film, RejectedFile):
        message = f"{film.why}. {film.hint}".strip()
        return FilmResult(film.relative_path, Status.ERROR, film.code, message)
    if error is not None:
        code = error.code or StatusCode.DECODE_FAILED
        return FilmResult(film.relative_path, Status.ERROR, code, error_message(error), film)
    if verdict is not None:
        refused = verdict.status is Status.REFUSED
        return replace(verdict, message=f"No heat map: {verdict.message}") if refused else verdict
    if answer is None:
        return FilmResult(film.relative_path, Status.OK, StatusCode.OK, WAS_THERE, film)
    status = Status.WARN if answer.warnings else Status.OK
    message = "; ".join(answer.warnings)
    return FilmResult(film.relative_path, status, StatusCode.OK, message, answer.film)


class _Names:
    """Where pictures go: the film's own path with a suffix, so that no two films share one.

    `a.dcm` and `a.png` become `a.dcm.png` and `a.png.png`. Nothing out of a header is in a name.
    """

    def __init__(self, out: Path, how: RenderFilm) -> None:
        self._out = out
        self._how = how
        self._used: set[str] = set()
        self._given: dict[str, Path] = {}

    def of(self, film: FilmRef) -> Path:
        """The same one for the same film, in the order that the films were first asked for."""
        if film.film_id not in self._given:
            self._given[film.film_id] = self._out / self._new(film)
        return self._given[film.film_id]

    def _new(self, film: FilmRef) -> str:
        frame = f".frame{self._how.film.frame + 1}" if film.frames > 1 else ""
        stem, suffix = film.relative_path + frame, self._how.format
        name, number = f"{stem}.{suffix}", 2
        # Disks that do not tell a.dcm from A.DCM, and a file that is called like a frame.
        while name.casefold() in self._used:
            name, number = f"{stem}~{number}.{suffix}", number + 1
        self._used.add(name.casefold())
        return name
