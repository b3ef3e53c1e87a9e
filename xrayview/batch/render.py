"""Every film of a folder becomes a picture of its displayed grey; every file has its outcome."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from xrayview.batch.each_file import Asked, ask_each
from xrayview.batch.outcome import error_message
from xrayview.batch.places import Found, list_outside
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
class Rendered(FilmFinished):
    """One more file was tried; `output` is None where there is no picture of it."""

    output: Path | None = None
    burned_in: str = ""
    kept: bool = False
    """The picture was there before, and was left as it is."""
    """BurnedInAnnotation: `YES`, `NO`, or empty where the file does not say."""


def render_folder(
    engine: Engine,
    source: Path,
    out: Path,
    how: RenderFilm,
    cancel: threading.Event,
    *,
    skip_existing: bool = False,
) -> Iterator[Rendered]:
    """Render every film of `source` into `out`, which keeps the folders of the source.

    Args:
        engine: its decode workers render and encode; this process only writes.
        source: a folder, or one film.
        out: a folder, made if needed; where it lies inside the source its files are left out.
        how: the request for each film, whose `film` stands for its frame only.
        cancel: ends the work; pictures that are written stay.
        skip_existing: leave pictures that are there, so that an interrupted run goes on.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
        UsageError: `out` is the source itself, or cannot be written.
    """
    root = root_of(source)
    if out.resolve() == source.resolve():
        raise UsageError("Pictures and films in one folder", path=out, hint="Choose another --out.")
    entries = list_outside(source, out)
    found = read_headers(engine, entries, root, cancel)

    names = _Names(out, how)

    def ask(film: Found) -> Future[RenderedFilm] | None:
        if isinstance(film, RejectedFile):
            return None
        output = names.of(film)
        if skip_existing and output.exists():
            return None
        chosen = replace(how, film=replace(film, frame=how.film.frame))
        return engine.submit(chosen, priority=Priority.BATCH)

    for done, asked in enumerate(ask_each(engine, found, ask, cancel), start=1):
        yield _finished(asked, names, done, len(entries))


def _finished(asked: Asked[Found, RenderedFilm], names: _Names, done: int, total: int) -> Rendered:
    entry, answer = asked.entry, asked.answer
    result = _result(asked)
    if isinstance(entry, RejectedFile) or asked.error is not None:
        return Rendered(result, done, total)
    output = names.of(entry)
    if answer is None:
        return Rendered(result, done, total, output, kept=True)
    try:
        write_bytes(output, answer.picture)
    except OSError as error:
        raise UsageError(
            "The picture cannot be written",
            path=output,
            why=error.strerror or type(error).__name__,
            hint="Choose another --out, or make room.",
        ) from error
    return Rendered(result, done, total, output, answer.burned_in)


def _result(asked: Asked[Found, RenderedFilm]) -> FilmResult:
    entry, answer, error = asked.entry, asked.answer, asked.error
    if isinstance(entry, RejectedFile):
        message = f"{entry.why}. {entry.hint}".strip()
        return FilmResult(entry.relative_path, Status.ERROR, entry.code, message)
    if error is not None:
        code = error.code or StatusCode.DECODE_FAILED
        return FilmResult(entry.relative_path, Status.ERROR, code, error_message(error), entry)
    if answer is None:
        return FilmResult(entry.relative_path, Status.OK, StatusCode.OK, WAS_THERE, entry)
    status = Status.WARN if answer.warnings else Status.OK
    message = "; ".join(answer.warnings)
    return FilmResult(entry.relative_path, status, StatusCode.OK, message, answer.film)


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
