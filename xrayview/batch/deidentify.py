"""De-identified copies of the films of a folder; every file has a result."""

from __future__ import annotations

import csv
import os
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from xrayview.batch.map_films import FilmReply, map_films
from xrayview.batch.outcome import error_message, rejection_message
from xrayview.batch.source_files import lies_in, list_outside
from xrayview.domain.events import FilmFinished, FilmResult
from xrayview.domain.film import FilmRef, RejectedFile, ScannedFile
from xrayview.domain.sentences import joined
from xrayview.domain.tags import LINKING
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import DeidentifiedFilm, DeidentifyFilm
from xrayview.engine.scan import read_headers, root_of
from xrayview.errors import IdentityRemains, Status, StatusCode, UsageError
from xrayview.io.atomic import replacing
from xrayview.io.export import write_bytes
from xrayview.io.tables.cells import escape_formula
from xrayview.io.tables.outputs import record_output

KEY_BYTES = 32
NOT_STATED = "The file does not state whether text is burned into the pixels: check the picture."
REPLACED = "A name or an identifier of the patient was replaced in"
BURNED_IN = "Text is burned into the pixels (BurnedInAnnotation is YES), perhaps a name"


@dataclass(frozen=True)
class DeidentifyOptions:
    """How to de-identify."""

    keep_characteristics: bool = False
    """Keep age, sex, size and weight."""
    include_burned_in: bool = False
    """Also copy films whose header says that text is burned into the pixels."""
    mapping: Path | None = None
    """A CSV of old and new identifiers, which identifies the patients."""
    allowed: frozenset[str] = frozenset()
    """Keywords of elements that are copied even with a name or an identifier in their text."""


@dataclass(frozen=True)
class FilmCopied(FilmFinished):
    """A file is done; `output` is None where there is no copy of it."""

    output: Path | None = None
    found_in: tuple[str, ...] = ()
    """Keywords of elements with a name or an identifier, which was replaced or stopped the copy."""


def deidentify_folder(
    engine: Engine, source: Path, out: Path, options: DeidentifyOptions, cancel: threading.Event
) -> Iterator[FilmCopied]:
    """Copy every DICOM film of `source` into `out` as `PATIENT/NUMBER.dcm`.

    The names of the copies contain no name of a file or folder of the source.

    Args:
        engine: its decode workers read, de-identify and encode; this process only writes.
        source: a folder, or one film.
        out: a new or empty folder.
        options: how to de-identify.
        cancel: ends the work; copies written so far stay, with their rows in the mapping.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
        UsageError: `out` is not empty, the mapping lies in it, or one of them cannot be written.
    """
    _check(out, options)
    try:
        record_output(root_of(source), out)
    except OSError as error:
        raise _unwritable(out, error) from error
    entries = list_outside(source, out)
    files = read_headers(engine, entries, root_of(source), cancel)
    key = secrets.token_bytes(KEY_BYTES)

    def submit(file: ScannedFile) -> Future[DeidentifiedFilm] | None:
        if isinstance(file, RejectedFile):
            return None
        request = DeidentifyFilm(file, key, options.keep_characteristics, options.allowed)
        return engine.submit(request, priority=Priority.BATCH)

    copies = _Copies(out, options)
    if options.mapping is not None:
        _reserve(options.mapping)
    try:
        for done, reply in enumerate(map_films(engine, files, submit, cancel), start=1):
            yield copies.write(reply, done, len(entries))
    finally:
        copies.write_mapping()


class _Copies:
    """Names and writes the copies, and collects the rows of the mapping."""

    def __init__(self, out: Path, options: DeidentifyOptions) -> None:
        self._out = out
        self._options = options
        self._counts: Counter[str] = Counter()
        self._rows: list[list[str]] = []

    def write(
        self, reply: FilmReply[ScannedFile, DeidentifiedFilm], done: int, total: int
    ) -> FilmCopied:
        """Write the copy of a film, or report why there is none."""
        copy = reply.reply
        if copy is None:
            error = reply.error
            found_in = (error.element,) if isinstance(error, IdentityRemains) else ()
            return FilmCopied(_failed(reply), done, total, found_in=found_in)
        if copy.burned_in == "YES" and not self._options.include_burned_in:
            return FilmCopied(_left_out(copy.film), done, total)
        output = self._name(copy.patient)
        try:
            write_bytes(self._out / output, copy.file)
        except OSError as error:
            raise _unwritable(self._out, error) from error
        self._remember(copy, output)
        return FilmCopied(_result(copy), done, total, self._out / output, copy.found_in)

    def _name(self, patient: str) -> Path:
        self._counts[patient] += 1
        return Path(patient, f"{self._counts[patient]:05d}.dcm")

    def _remember(self, copy: DeidentifiedFilm, output: Path) -> None:
        if self._options.mapping is not None:
            pairs = {keyword: (old, new) for keyword, old, new in copy.replaced}
            cells = [copy.film.relative_path, output.as_posix()]
            for keyword in LINKING:
                cells += pairs.get(keyword, ("", ""))
            self._rows.append([escape_formula(cell) for cell in cells])

    def write_mapping(self) -> None:
        """Write old and new identifiers of the copied films, readable only by the user."""
        path = self._options.mapping
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


def _failed(reply: FilmReply[ScannedFile, DeidentifiedFilm]) -> FilmResult:
    file, error = reply.entry, reply.error
    if isinstance(file, RejectedFile):
        return FilmResult(file.relative_path, Status.ERROR, file.code, rejection_message(file))
    code = (error.code if error else None) or StatusCode.DECODE_FAILED
    status = Status.REFUSED if code is StatusCode.IDENTITY else Status.ERROR
    message = error_message(error) if error else ""
    return FilmResult(file.relative_path, status, code, message, file)


def _left_out(film: FilmRef) -> FilmResult:
    message = f"{BURNED_IN}. It is not copied unless you include such films."
    return FilmResult(film.relative_path, Status.REFUSED, StatusCode.IDENTITY, message, film)


def _result(copy: DeidentifiedFilm) -> FilmResult:
    burned_in = {"NO": (), "YES": (f"{BURNED_IN}.",)}.get(copy.burned_in, (NOT_STATED,))
    elements = ", ".join(copy.found_in)
    replaced = (f"{REPLACED} {elements}.",) if elements else ()
    notes = (*copy.warnings, *replaced, *burned_in)
    status = Status.WARN if notes else Status.OK
    film = copy.film
    return FilmResult(film.relative_path, status, StatusCode.OK, joined(notes), film)


def _check(out: Path, options: DeidentifyOptions) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            "The output folder is not empty",
            path=out,
            why="nothing is ever overwritten",
            hint="Choose a new or empty folder.",
        )
    if options.mapping is None:
        return
    if lies_in(options.mapping, out):
        raise UsageError(
            "The mapping would lie among the copies",
            path=options.mapping,
            why="it identifies the patients",
            hint="Choose a location for it that you do not share with the copies.",
        )
    if options.mapping.exists():
        raise _mapping_exists(options.mapping)


def _reserve(mapping: Path) -> None:
    """Create the mapping, so that another run with the same name is refused.

    Both would write it at their ends, and the aliases of the first could never be undone.
    """
    try:
        os.close(os.open(mapping, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise _mapping_exists(mapping) from error
    except OSError as error:
        raise _unwritable(mapping, error) from error


def _mapping_exists(mapping: Path) -> UsageError:
    return UsageError("The mapping exists already", path=mapping, hint="Choose a new name.")


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        "The copies cannot be written",
        path=path,
        why=error.strerror or type(error).__name__,
        hint="Choose another folder, or free some disk space.",
    )
