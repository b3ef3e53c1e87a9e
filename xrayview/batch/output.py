"""The files that a batch writes: where they are, whether they may be written, and copies of them.

Everything is checked before the first film, under the lock that keeps a second run away.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from xrayview.batch.journal import journal_path
from xrayview.batch.report import REPORT_FIELDS, report_path
from xrayview.errors import UsageError, XrayViewError
from xrayview.io.atomic import PARTIAL
from xrayview.io.dated_copy import is_dated_copy, save_dated_copy
from xrayview.io.run_lock import run_lock
from xrayview.io.tables.annotations import AnnotatedTable, read_annotated
from xrayview.io.tables.parquet import require_table_format

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No space, no quota, and a file beyond the limit of the file system or of `ulimit -f`."""
_OLD_REPORT = "run.json"


@dataclass(frozen=True)
class Output:
    """The table of a batch and the files beside it."""

    csv: Path
    lost: threading.Event = field(default_factory=threading.Event, compare=False)
    """Set if another computer has taken over; then these files must be left alone."""

    @property
    def journal(self) -> Path:
        """The path of the journal."""
        return journal_path(self.csv)

    @property
    def report(self) -> Path:
        """The path of the report."""
        return report_path(self.csv)

    @property
    def lock(self) -> Path:
        """The path of the lock."""
        return self.csv.with_name(self.csv.name + ".lock")

    def is_own(self, path: Path) -> bool:
        """True for a file that runs with this output have written."""
        if path.parent.resolve() != self.csv.parent:
            return False
        own = {self.csv.name, self.journal.name, self.report.name, self.lock.name}
        if path.name in own or path.name.removesuffix(PARTIAL) in own:
            return True
        if path.name == _OLD_REPORT:
            return _is_report(path)
        return is_dated_copy(path, self.csv)


@contextmanager
def locked_output(csv_path: Path, lease_s: float = 0.0) -> Iterator[Output]:
    """Check that the files of a batch may be written, and keep other runs away from them.

    With a lease, another computer may take over if this one falls silent, see `run_lock`.

    Raises:
        UsageError: they cannot be written, belong to something else, or are in use.
    """
    # Of a link, the file that it leads to is written; two names of one table share a lock.
    output = Output(Path(os.path.realpath(csv_path)))
    require_table_format(output.csv)
    _check_place(output, csv_path)
    lock = run_lock(output.lock, f"The table {csv_path.name}", lease_s)
    try:
        output = replace(output, lost=lock.__enter__())
    except OSError as error:
        raise cannot_write(output.lock, error) from error
    try:
        _check_report(output.report)
        yield output
    finally:
        lock.__exit__(None, None, None)


def read_table(output: Output) -> tuple[AnnotatedTable | None, str]:
    """The table that is there, and its hash; None and empty where there is none.

    Raises:
        UsageError: it is not a table of predictions, or cannot be read with certainty.
    """
    try:
        data = output.csv.read_bytes()
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        raise UsageError(
            "The table that is already there cannot be read, and is not replaced",
            path=output.csv,
            why=error.strerror or type(error).__name__,
            hint="Check that you may read it, or choose another name for the output.",
        ) from error
    if not data.strip():
        return None, ""
    return read_annotated(output.csv, data), hashlib.sha256(data).hexdigest()


def reported_hash(output: Output) -> str:
    """The hash of the table that the last run wrote; empty if unknown."""
    with suppress(OSError, ValueError, AttributeError):
        return str(json.loads(output.report.read_text(encoding="utf-8")).get("table_sha256", ""))
    return ""


def save_copy(path: Path) -> Path:
    """Copy a file to a name with the present time beside it; never overwrites one.

    Raises:
        UsageError: the copy cannot be written.
    """
    try:
        return save_dated_copy(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> XrayViewError:
    """The error of a file that cannot be written; a full disk is called so."""
    if error.errno in FULL:
        return UsageError(
            "The disk is full, or the user's share of it",
            path=path,
            why=error.strerror or type(error).__name__,
            hint="Free some space, then run the same again: it continues where it stopped.",
        )
    return UsageError(
        "The output cannot be written",
        path=path,
        why=error.strerror or type(error).__name__,
        hint="Choose a folder that you can write to, and close the file in other programs.",
    )


def taken_over(path: Path) -> UsageError:
    """The error of a run whose files another computer writes now."""
    return UsageError(
        "Another run has taken over",
        path=path,
        why="this computer did not renew its lock in time",
        hint="Leave it to that run.",
    )


def _check_place(output: Output, given: Path) -> None:
    folder = output.csv.parent
    if not folder.is_dir():
        raise cannot_write(given, FileNotFoundError(0, "its folder does not exist"))
    try:
        info = output.csv.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise cannot_write(given, error) from error
    if stat.S_ISDIR(info.st_mode):
        raise cannot_write(given, IsADirectoryError(0, "it is a folder"))
    if not stat.S_ISREG(info.st_mode):
        raise cannot_write(given, OSError(0, "it is a device or a pipe"))
    if not info.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise cannot_write(given, PermissionError(0, "it is write-protected"))
    # LibreOffice and Excel keep such a file while a table is open, on every platform.
    for name in (f".~lock.{output.csv.name}#", f"~${output.csv.name}"):
        if (folder / name).exists():
            raise UsageError(
                "The table is open in a spreadsheet",
                path=given,
                why=f"{name} is beside it",
                hint="Close it there. If it is not open, delete that file.",
            )
    if os.name == "nt":
        try:
            with output.csv.open("r+b"):
                pass
        except OSError as error:
            raise cannot_write(given, error) from error


def _check_report(path: Path) -> None:
    if path.exists() and not _is_report(path):
        raise UsageError(
            "The file is not the report of a batch, and is not replaced",
            path=path,
            hint="Choose another name for the output.",
        )


def _is_report(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
        return not text.strip() or set(json.loads(text)) >= REPORT_FIELDS
    except (OSError, ValueError, TypeError):
        return False
