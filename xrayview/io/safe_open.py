"""Opening a file that may be anything, and saying what went wrong in the user's words."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType

from xrayview.errors import StatusCode, UnreadableFilm, XrayViewError


def regular_file_info(path: Path) -> os.stat_result:
    """The file's status; what is not a regular file is refused unopened."""
    info = path.stat()
    if not stat.S_ISREG(info.st_mode):
        raise UnreadableFilm(
            "Not a regular file",
            code=StatusCode.NOT_AN_IMAGE,
            why="a folder, pipe or device holds no film",
            hint="Choose a DICOM, PNG, JPEG or TIFF file.",
        )
    return info


class film_errors:  # noqa: N801 - used like contextlib.suppress
    """Turn whatever a reader raises into an error that names the file.

    A film may be any bytes, and parsers raise anything on them. Messages of unforeseen errors
    stay in the log: they may quote the header, and so a name.
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
            raise _told(error, self._path) from error


def _told(error: Exception, path: Path) -> UnreadableFilm:
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
            "The film needs more memory than there is",
            code=StatusCode.TOO_LARGE,
            path=path,
            why="memory ran out while it was read",
            hint="Close other programs, or raise the memory limit in the settings.",
        )
    return UnreadableFilm(
        "The film cannot be read",
        code=StatusCode.DECODE_FAILED,
        path=path,
        why=f"its header or data are broken ({type(error).__name__})",
        hint="Copy or export it again from the source.",
    )
