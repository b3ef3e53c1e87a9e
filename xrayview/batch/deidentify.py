"""De-identified copies of the films of a folder, in a new folder; every file has its outcome."""

from __future__ import annotations

import csv
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from xrayview.batch.each_file import FilmReply, map_films
from xrayview.batch.outcome import error_message
from xrayview.batch.outside_output import Found, lies_in, list_outside
from xrayview.domain.events import FilmFinished, FilmResult
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.tags import LINKING
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import DeidentifiedFilm, DeidentifyFilm
from xrayview.engine.scan import read_headers, root_of
from xrayview.errors import Status, StatusCode, UsageError
from xrayview.io.atomic import replacing
from xrayview.io.export import write_bytes
from xrayview.io.tables.cells import escape_formula

KEY_BYTES = 32
NOT_SAID = "The file does not say whether a name is written into its pixels: look at it."
BURNED_IN = "Text is written into its pixels (BurnedInAnnotation is YES), perhaps a name"


@dataclass(frozen=True)
class DeidentifyOptions:
    """What the user decides."""

    keep_characteristics: bool = False
    """Leave age, sex, size, weight."""
    include_burned_in: bool = False
    """Copy films that say that text is written into their pixels."""
    mapping: Path | None = None
    """A CSV of old and new identifiers; it names the patients."""


@dataclass(frozen=True)
class FilmCopied(FilmFinished):
    """One more file was tried; `output` is None where there is no copy of it."""

    output: Path | None = None


def deidentify_folder(
    engine: Engine, source: Path, out: Path, how: DeidentifyOptions, cancel: threading.Event
) -> Iterator[FilmCopied]:
    """Copy every DICOM film of `source` into `out` as `PATIENT/NUMBER.dcm`.

    No name of a file or folder of the source is in a name of the copies.

    Args:
        engine: its decode workers read, clean and encode; this process only writes.
        source: a folder, or one film.
        out: a folder that is new or empty.
        how: the user's decisions.
        cancel: ends the work; copies that are written stay, and so do their rows in the mapping.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
        UsageError: `out` is not new, the mapping lies in it, or it cannot be written.
    """
    _check(out, how)
    entries = list_outside(source, out)
    found = read_headers(engine, entries, root_of(source), cancel)
    key = secrets.token_bytes(KEY_BYTES)

    def ask(film: Found) -> Future[DeidentifiedFilm] | None:
        if isinstance(film, RejectedFile):
            return None
        request = DeidentifyFilm(film, key, how.keep_characteristics)
        return engine.submit(request, priority=Priority.BATCH)

    copies = _Copies(out, how)
    try:
        for done, asked in enumerate(map_films(engine, found, ask, cancel), start=1):
            yield copies.take(asked, done, len(entries))
    finally:
        copies.write_mapping()


class _Copies:
    """Writes copies under names of their own, and remembers what the mapping is made of."""

    def __init__(self, out: Path, how: DeidentifyOptions) -> None:
        self._out = out
        self._how = how
        self._numbers: Counter[str] = Counter()
        self._rows: list[list[str]] = []

    def take(self, asked: FilmReply[Found, DeidentifiedFilm], done: int, total: int) -> FilmCopied:
        """Write the copy of one film, or say why there is none."""
        answer = asked.answer
        if answer is None:
            return FilmCopied(_without_copy(asked), done, total)
        if answer.burned_in == "YES" and not self._how.include_burned_in:
            return FilmCopied(_left_out(answer.film), done, total)
        output = self._name(answer.patient)
        try:
            write_bytes(self._out / output, answer.file)
        except OSError as error:
            raise _unwritable(self._out, error) from error
        self._remember(answer, output)
        return FilmCopied(_result(answer), done, total, self._out / output)

    def _name(self, patient: str) -> Path:
        self._numbers[patient] += 1
        return Path(patient, f"{self._numbers[patient]:05d}.dcm")

    def _remember(self, answer: DeidentifiedFilm, output: Path) -> None:
        if self._how.mapping is not None:
            pairs = {keyword: (old, new) for keyword, old, new in answer.replaced}
            cells = [answer.film.relative_path, output.as_posix()]
            for keyword in LINKING:
                cells += pairs.get(keyword, ("", ""))
            self._rows.append([escape_formula(cell) for cell in cells])

    def write_mapping(self) -> None:
        """Old and new identifiers of the films that were copied, readable by the user alone."""
        path = self._how.mapping
        if path is None:
            return
        try:
            with replacing(path) as stream:
                Path(stream.name).chmod(0o600)
                writer = csv.writer(stream, lineterminator="\r\n")
                writer.writerow(_header())
                writer.writerows(self._rows)
        except OSError as error:
            raise _unwritable(path, error) from error


def _header() -> list[str]:
    return ["path", "copy", *(name for k in LINKING for name in (k, f"new_{k}"))]


def _without_copy(asked: FilmReply[Found, DeidentifiedFilm]) -> FilmResult:
    entry, error = asked.entry, asked.error
    if isinstance(entry, RejectedFile):
        message = f"{entry.why}. {entry.hint}".strip()
        return FilmResult(entry.relative_path, Status.ERROR, entry.code, message)
    code = (error.code if error else None) or StatusCode.DECODE_FAILED
    status = Status.REFUSED if code is StatusCode.IDENTITY else Status.ERROR
    message = error_message(error) if error else ""
    return FilmResult(entry.relative_path, status, code, message, entry)


def _left_out(film: FilmRef) -> FilmResult:
    message = f"{BURNED_IN}. It is left out unless you ask for it."
    return FilmResult(film.relative_path, Status.REFUSED, StatusCode.IDENTITY, message, film)


def _result(answer: DeidentifiedFilm) -> FilmResult:
    said = {"NO": (), "YES": (f"{BURNED_IN}.",)}
    notes = (*answer.warnings, *said.get(answer.burned_in, (NOT_SAID,)))
    status = Status.WARN if notes else Status.OK
    film = answer.film
    return FilmResult(film.relative_path, status, StatusCode.OK, "; ".join(notes), film)


def _check(out: Path, how: DeidentifyOptions) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            "The copies need a folder of their own",
            path=out,
            why="there is something in this one, and nothing is ever overwritten",
            hint="Name a folder that is new or empty.",
        )
    if how.mapping is None:
        return
    if lies_in(how.mapping, out):
        raise UsageError(
            "The mapping names the patients, and would lie among the copies",
            path=how.mapping,
            hint="Put it where you do not pass it on along with them.",
        )
    if how.mapping.exists():
        raise UsageError("There is such a file", path=how.mapping, hint="Name a new one.")


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        "The copies cannot be written",
        path=path,
        why=error.strerror or type(error).__name__,
        hint="Choose another folder, or make room.",
    )
