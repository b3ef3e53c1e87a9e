"""Opening a file that may contain anything, with errors that a user understands."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType

from xrayview.domain.formats import READABLE
from xrayview.errors import StatusCode, UnreadableFilm, XrayViewError


def regular_file_info(path: Path) -> os.stat_result:
    """The status of a regular file; anything else is refused without opening it.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE.
        OSError: there is no such file.
    """
    info = path.stat()
    if not stat.S_ISREG(info.st_mode):
        raise UnreadableFilm(
            "Not a regular file",
            code=StatusCode.NOT_AN_IMAGE,
            why="a folder, pipe or device is not a film",
            hint=f"Choose a {READABLE} file.",
        )
    return info


class film_errors:  # noqa: N801 - used like contextlib.suppress
    """Turn any exception of a reader into an error that names the file.

    A file may contain any bytes, and parsers raise anything on them. The texts of unexpected
    exceptions are left to the log, since they may quote the header and with it a name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if isinstance(error, XrayViewError):
            error.path = error.path or self._path
        elif isinstance(error, Exception):
            raise _as_unreadable(error, self._path) from error


def _as_unreadable(error: Exception, path: Path) -> UnreadableFilm:
    if isinstance(error, OSError):
        return UnreadableFilm(
            "The file cannot be read",
            code=StatusCode.DECODE_FAILED,
            path=path,
            why=error.strerror or type(error).__name__,
            hint="Check that it still exists and that you may read it.",
        )
    if isinstance(error, MemoryError):
        return UnreadableFilm(
            "The film needs more memory than is available",
            code=StatusCode.TOO_LARGE,
            path=path,
            why="memory ran out while it was being read",
            hint="Close other programs, or raise the memory limit in the settings.",
        )
    return UnreadableFilm(
        "The film cannot be read",
        code=StatusCode.DECODE_FAILED,
        path=path,
        why=f"its header or data is broken ({type(error).__name__})",
        hint="Copy or export it again from the source.",
    )
