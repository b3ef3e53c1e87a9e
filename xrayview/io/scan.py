"""List the files of a folder that may be films; none is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from xrayview.domain.film import RejectedFile
from xrayview.errors import NothingUsable, StatusCode
from xrayview.io.atomic import PARTIAL
from xrayview.io.file_lock import LOCK
from xrayview.io.long_paths import openable, without_prefix
from xrayview.io.own_outputs import OwnOutputs
from xrayview.io.tables import measurement_store, outputs, stars

OWN_FILES = frozenset(
    name + suffix
    for name in (measurement_store.FILE_NAME, stars.FILE_NAME, outputs.FILE_NAME)
    for suffix in ("", PARTIAL, LOCK)
)
"""Files that the program writes beside films; they are not listed."""

_SPECIAL_FILES: dict[int, str] = {
    stat.S_IFIFO: "a named pipe is not a film",
    stat.S_IFSOCK: "a socket is not a film",
    stat.S_IFCHR: "a device is not a film",
    stat.S_IFBLK: "a device is not a film",
}
"""Never opened: a pipe without a writer, or /dev/zero, would hang every reader."""

_JUNCTION = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT: on Windows, a link to a folder that reports itself as a folder."""
_LINKED_FOLDER = (
    "a link to a folder is not followed",
    "Open the folder itself if it is elsewhere.",
)


def walk(folder: Path) -> Iterator[Path | RejectedFile]:
    """Yield every regular file below `folder` once, and anything else with the reason.

    Pictures and copies that were made of these films are left out (`OwnOutputs`).

    Depth first, sorted by name with files and folders mixed, so that the order is the same on
    every run. Hard links and symbolic links to a file that was already listed are skipped: they
    are the same film. Links to folders are listed but not followed. Names that are not valid
    UTF-8 keep their bytes (`surrogateescape`).

    Raises:
        NothingUsable: `folder` is not a folder or cannot be listed.
    """
    root = Path(folder)
    try:
        inside = Path(os.path.realpath(root, strict=True))
        with os.scandir(root):
            pass
    except OSError as error:
        raise NothingUsable(
            "The folder cannot be listed",
            path=root,
            why=error.strerror or type(error).__name__,
            hint="Check that it exists and that you may read it.",
        ) from error
    yield from _walk(root, root, inside)


def relative_path(path: Path, root: Path) -> str:
    """The path below `root` with forward slashes, or the file's name if it is elsewhere."""
    text, prefix = os.fspath(path), os.path.join(root, "")  # noqa: PTH118 - ten times as fast
    if text.startswith(prefix):
        return text[len(prefix) :].replace(os.sep, "/")
    if (plain := without_prefix(text)) != text:
        return relative_path(Path(plain), Path(without_prefix(os.path.abspath(root))))  # noqa: PTH100
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.name


def _walk(folder: Path, root: Path, inside: Path) -> Iterator[Path | RejectedFile]:
    # A stack, because folders may be nested deeper than Python's recursion limit.
    stack: list[os.DirEntry[str]] = []
    own = OwnOutputs(root, inside)

    def push(directory: Path) -> RejectedFile | None:
        try:
            with os.scandir(openable(directory)) as entries:
                found = sorted(entries, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            why = f"the folder cannot be listed: {error.strerror or type(error).__name__}"
            return _rejected(directory, root, why, "Check that you may read it.")
        if any(entry.name == outputs.FILE_NAME for entry in found):
            own.add(directory)
        stack.extend(found)
        return None

    if rejected := push(folder):
        yield rejected
    while stack:
        entry = stack.pop()
        path = openable(Path(entry.path))
        if entry.name in OWN_FILES:
            continue
        try:
            info = path.lstat()
        except OSError as error:
            why = f"the file cannot be accessed: {error.strerror or type(error).__name__}"
            yield _rejected(path, root, why, "Check that it still exists.")
            continue
        if getattr(info, "st_reparse_tag", 0) == _JUNCTION:
            yield _rejected(path, root, *_LINKED_FOLDER)
        elif stat.S_ISDIR(info.st_mode):
            if rejected := push(path):
                yield rejected
        elif path not in own and (file := _file(path, info, root, inside)):
            yield file


def _file(path: Path, info: os.stat_result, root: Path, inside: Path) -> Path | RejectedFile:
    if stat.S_ISLNK(info.st_mode):
        try:
            target = Path(os.path.realpath(path, strict=True))
            info = target.stat()
        except (OSError, RuntimeError):
            return _rejected(path, root, "the link leads nowhere", "Remove the link.")
        if not target.is_relative_to(inside):
            hint = "Copy the film into the folder."
            return _rejected(path, root, "the link leaves the folder and is not followed", hint)
        if stat.S_ISDIR(info.st_mode):
            return _rejected(path, root, *_LINKED_FOLDER)
    if not stat.S_ISREG(info.st_mode):
        kind = stat.S_IFMT(info.st_mode)
        return _rejected(path, root, _SPECIAL_FILES.get(kind, "not a regular file"))
    return path


def _rejected(path: Path, root: Path, why: str, hint: str = "") -> RejectedFile:
    return RejectedFile(path, relative_path(path, root), StatusCode.NOT_AN_IMAGE, why, hint)
