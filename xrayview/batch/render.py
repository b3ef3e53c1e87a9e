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


@dataclass(frozen=True)
class Rendered(FilmFinished):
    """One more file was tried; `output` is None where there is no picture of it."""

    output: Path | None = None
    burned_in: str = ""
    """BurnedInAnnotation: `YES`, `NO`, or empty where the file does not say."""


def render_folder(
    engine: Engine, source: Path, out: Path, how: RenderFilm, cancel: threading.Event
) -> Iterator[Rendered]:
    """Render every film of `source` into `out`, which keeps the folders of the source.

    Args:
        engine: its decode workers render and encode; this process only writes.
        source: a folder, or one film.
        out: a folder, made if needed; where it lies inside the source its files are left out.
        how: the request for each film, whose `film` stands for its frame only.
        cancel: ends the work; pictures that are written stay.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
        UsageError: `out` is the source itself, or cannot be written.
    """
    root = root_of(source)
    if out.resolve() == source.resolve():
        raise UsageError("Pictures and films in one folder", path=out, hint="Choose another --out.")
    entries = list_outside(source, out)
    found = read_headers(engine, entries, root, cancel)

    def ask(film: Found) -> Future[RenderedFilm] | None:
        if isinstance(film, RejectedFile):
            return None
        chosen = replace(how, film=replace(film, frame=how.film.frame))
        return engine.submit(chosen, priority=Priority.BATCH)

    names = _Names(out, how)
    for done, asked in enumerate(ask_each(engine, found, ask, cancel), start=1):
        yield _finished(asked, names, done, len(entries))


def _finished(asked: Asked[Found, RenderedFilm], names: _Names, done: int, total: int) -> Rendered:
    answer = asked.answer
    result = _result(asked)
    if answer is None:
        return Rendered(result, done, total)
    output = names.of(answer.film)
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
    if error is not None or answer is None:
        code = (error.code if error else None) or StatusCode.DECODE_FAILED
        message = error_message(error) if error else ""
        return FilmResult(entry.relative_path, Status.ERROR, code, message, entry)
    status = Status.WARN if answer.warnings else Status.OK
    message = "; ".join(answer.warnings)
    return FilmResult(entry.relative_path, status, StatusCode.OK, message, answer.film)


class _Names:
    """Where pictures go: the film's own path with a suffix, so that no two films share one.

    `a.dcm` and `a.png` become `a.dcm.png` and `a.png.png`. Nothing out of a header is in a name.
    """

    def __init__(self, out: Path, how: RenderFilm) -> None:
        self._out = out
        self._suffix = how.format
        self._used: set[str] = set()

    def of(self, film: FilmRef) -> Path:
        frame = f".frame{film.frame + 1}" if film.frames > 1 else ""
        stem = film.relative_path + frame
        name, number = f"{stem}.{self._suffix}", 2
        # Disks that do not tell a.dcm from A.DCM, and a file that is called like a frame.
        while name.casefold() in self._used:
            name, number = f"{stem}~{number}.{self._suffix}", number + 1
        self._used.add(name.casefold())
        return self._out / name
