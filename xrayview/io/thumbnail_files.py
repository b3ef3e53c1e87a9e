"""The thumbnail cache on disk: keyed by content, bounded in size, least recently used first out.

A thumbnail's key is a hash of the film's size in bytes, of its first and last 64 KiB, and of 16
blocks between them. Hashing the whole file would read 20 MB for a picture of 96 pixels; path and
time are not tied to the content, and a SOPInstanceUID survives an edit of the pixels. The header,
the length or the end of the code stream change with nearly every edit; only an edit of a few rows
of an uncompressed film, between the blocks, is missed. File names are hashes, so that they do not
identify anybody.
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

VERSION = 3
"""How thumbnails are made; raising it invalidates all earlier ones."""
_END_BYTES = 65536
_BLOCKS, _BLOCK_BYTES = 16, 4096
_FULL, _PRUNED = 1.0, 0.9


def content_key(path: Path) -> str:
    """The key of a film's content, as hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        digest.update(str(size).encode())
        digest.update(stream.read(_END_BYTES))
        middle = size - 2 * _END_BYTES
        if middle > _BLOCKS * _BLOCK_BYTES:
            for block in range(_BLOCKS):
                stream.seek(_END_BYTES + block * middle // _BLOCKS)
                digest.update(stream.read(_BLOCK_BYTES))
            stream.seek(size - _END_BYTES)
        digest.update(stream.read())
    return digest.hexdigest()


def thumbnail_path(folder: Path, content: str, frame: int, size_px: int) -> Path:
    """The file of the thumbnail for a content key."""
    name = hashlib.sha256(f"{VERSION} {content} {frame} {size_px}".encode()).hexdigest()
    return folder / name[:2] / f"{name[2:]}.png"


def load_thumbnail(path: Path) -> Grey | None:
    """Load a thumbnail and mark it as used; None when it is missing or broken."""
    try:
        data = np.fromfile(path, np.uint8)
        os.utime(path)
        grey_HW = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if grey_HW is None else np.asarray(grey_HW, np.uint8)


def save_thumbnail(path: Path, grey_HW: Grey) -> None:
    """Save a thumbnail in one step; if that fails, it is simply made again next time."""
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
    """Delete the least recently used thumbnails when the cache is larger than the budget.

    Deletes down to nine tenths of it, so that the folder is not listed for every new thumbnail.
    Returns the bytes that remain. A budget of 0 clears the folder.
    """
    files = sorted(_files(folder))
    used = sum(size for _, size, _ in files)
    if used <= budget_bytes * _FULL:
        return used
    for _, size, path in files:
        if used <= budget_bytes * _PRUNED:
            break
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - scandir yields strings
            used -= size
    return used


def _files(folder: Path) -> Iterator[tuple[int, int, str]]:
    """Time of last use, size and path of each file that this module wrote."""
    with suppress(OSError), os.scandir(folder) as buckets:
        for bucket in buckets:
            if len(bucket.name) == 2 and bucket.is_dir(follow_symlinks=False):
                with suppress(OSError), os.scandir(bucket.path) as entries:
                    for entry in entries:
                        info = entry.stat(follow_symlinks=False)
                        yield info.st_mtime_ns, info.st_size, entry.path
