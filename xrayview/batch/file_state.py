"""Whether a file is the one of an earlier row: by its content, or by all that its status says."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from dataclasses import dataclass, replace
from pathlib import Path

SETTLED_NS = 2_000_000_000
"""A file written to twice within one tick of its file system's clock (up to 2 s, on FAT) may have
one time for two contents; the times of a file as young as this prove nothing."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class FileState:
    """A file when it was classified."""

    size: int
    mtime_ns: int
    ctime_ns: int
    """Time of the last change, which programs cannot set; 0 where the times prove nothing."""
    inode: int
    sha256: str = ""
    """Of the bytes that were decoded; empty for a file that was not."""

    @classmethod
    def of(cls, path: Path) -> FileState | None:
        """The present state of a file, without its hash; None where it cannot be read."""
        try:
            # Not lstat: of a link, the file that it leads to is classified.
            info = path.stat()
        except OSError:
            return None
        # On Windows, this is the time of creation, which a new content leaves as it is.
        is_settled = os.name != "nt" and info.st_ctime_ns < time.time_ns() - SETTLED_NS
        ctime_ns = info.st_ctime_ns if is_settled else 0
        return cls(info.st_size, info.st_mtime_ns, ctime_ns, info.st_ino)

    def has_status_of(self, other: FileState) -> bool:
        """True where the status alone proves that the file has not changed."""
        return (
            self.ctime_ns != 0
            and self.inode != 0
            and (self.size, self.mtime_ns, self.ctime_ns, self.inode)
            == (other.size, other.mtime_ns, other.ctime_ns, other.inode)
        )


MAX_HASHED = 64 << 20
"""Files that are not films are hashed up to this size; reading a long video costs more than the
look at its header that it saves."""


def with_content(state: FileState, path: Path, sha256: str) -> FileState:
    """The state with the hash of the decoded bytes, or of a file that was not decoded."""
    if not sha256 and state.size <= MAX_HASHED:
        sha256 = sha256_of_file(path)
        # The file may have changed since it was read.
        sha256 = sha256 if _times(FileState.of(path)) == _times(state) else ""
    return replace(state, sha256=sha256)


def _times(state: FileState | None) -> tuple[int, int, int] | None:
    return None if state is None else (state.size, state.mtime_ns, state.inode)


def sha256_of_file(path: Path) -> str:
    """The hash of a regular file; empty where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return ""
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()
