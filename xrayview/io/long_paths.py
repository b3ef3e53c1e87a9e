"""Paths of more than 260 characters on Windows, which need a prefix to be opened.

Windows takes them without one only where an administrator has allowed that (LongPathsEnabled). A
path with the prefix is not normalised, so it must be absolute and without `..`.
"""

from __future__ import annotations

import ntpath
import sys
from pathlib import Path

LONGEST = 240
"""Characters that need no prefix, with room for the suffix of a file that is being written: a
folder may have 248, a file 260."""
_PREFIX, _SHARE = "\\\\?\\", "\\\\?\\UNC\\"
_IS_WINDOWS = sys.platform == "win32"


def openable(path: Path) -> Path:
    """The path in the form in which the system opens it; unchanged except on Windows."""
    return Path(extended(str(path))) if _IS_WINDOWS else path


def extended(text: str) -> str:
    """A long path of Windows with its prefix; a short one is unchanged."""
    if len(text) < LONGEST or text.startswith(_PREFIX):
        return text
    absolute = ntpath.abspath(text)
    if absolute.startswith("\\\\"):
        return _SHARE + absolute[2:]
    return _PREFIX + absolute


def without_prefix(text: str) -> str:
    """A path of Windows as people write it; one of another system is unchanged."""
    if not text.startswith(_PREFIX):
        return text
    return "\\\\" + text[len(_SHARE) :] if text.startswith(_SHARE) else text[len(_PREFIX) :]
