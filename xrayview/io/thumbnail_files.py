"""Thumbnails on disk: found again by what is in the film, bounded, the least used go first.

A thumbnail's key is a hash of the film's size in bytes, of its first and last 64 KiB and of 16
blocks between. Hashing all of it would read 20 MB for a picture of 96 pixels; its path and time
say nothing of its content, and a SOPInstanceUID survives an edit of the pixels. A header, a
length and a codestream's end change with nearly every edit; that of a few rows of an uncompressed
film between the blocks is the one that is missed. Names are hashes: they name nobody.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]

VERSION = 2
"""Of how thumbnails are made: another one finds none of the earlier ones."""
_END_BYTES = 65536
_BLOCKS, _BLOCK_BYTES = 16, 4096
_FULL, _PRUNED = 1.0, 0.9


def content_key(path: Path) -> str:
    """The hash of a film's content, as hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        digest.update(str(size).encode())
        digest.update(stream.read(_END_BYTES))
        between = size - 2 * _END_BYTES
        if between > _BLOCKS * _BLOCK_BYTES:
            for block in range(_BLOCKS):
                stream.seek(_END_BYTES + block * between // _BLOCKS)
                digest.update(stream.read(_BLOCK_BYTES))
            stream.seek(size - _END_BYTES)
        digest.update(stream.read())
    return digest.hexdigest()


def thumbnail_path(folder: Path, content: str, frame: int, size_px: int) -> Path:
    """Where the thumbnail of a film's content is kept."""
    name = hashlib.sha256(f"{VERSION} {content} {frame} {size_px}".encode()).hexdigest()
    return folder / name[:2] / f"{name[2:]}.png"


def load_thumbnail(path: Path) -> Grey | None:
    """The kept thumbnail, from now on the last used one; None where there is none that is whole."""
    try:
        data = np.fromfile(path, np.uint8)
        os.utime(path)
        grey_HW = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if grey_HW is None else np.asarray(grey_HW, np.uint8)


def save_thumbnail(path: Path, grey_HW: Grey) -> None:
    """Keep a thumbnail, in one step; where the disk refuses, it is made again next time."""
    _, png = cv2.imencode(".png", grey_HW)
    partial = path.with_name(f"{path.stem}.{secrets.token_hex(4)}.partial")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            partial.write_bytes(png.tobytes())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def prune(folder: Path, budget_bytes: int) -> int:
    """Let the least used thumbnails go where they take more than the budget.

    Goes down to nine tenths of it, so that not every thumbnail that comes costs a look at all.
    Returns the bytes that are left. A budget of 0 clears the folder.
    """
    files = sorted(_files(folder))
    used = sum(size for _, size, _ in files)
    if used <= budget_bytes * _FULL:
        return used
    for _, size, path in files:
        if used <= budget_bytes * _PRUNED:
            break
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - scandir gives texts
            used -= size
    return used


def _files(folder: Path) -> Iterator[tuple[int, int, str]]:
    """Time of last use, size and path of each file that this module has written."""
    with suppress(OSError), os.scandir(folder) as shelves:
        for shelf in shelves:
            if len(shelf.name) == 2 and shelf.is_dir(follow_symlinks=False):
                with suppress(OSError), os.scandir(shelf.path) as entries:
                    for entry in entries:
                        info = entry.stat(follow_symlinks=False)
                        yield info.st_mtime_ns, info.st_size, entry.path
