"""The starred films of a folder.

`xrayview-stars.json` in the folder: SOPInstanceUIDs, or for films without one their paths below
the folder. No name and no PatientID.

    {"schema": 1, "starred": ["1.2.840.1", "png/a.png"]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from xrayview.errors import UsageError
from xrayview.io.atomic import replacing

FILE_NAME = "xrayview-stars.json"
SCHEMA = 1
MAX_BYTES = 64 * 1024**2


def save_stars(path: Path, starred: Iterable[str]) -> None:
    """Write the starred keys in one step.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as stream:
        # A file name need not be valid UTF-8; escaped, it is plain ASCII.
        json.dump({"schema": SCHEMA, "starred": sorted(starred)}, stream, indent=1)
        stream.write("\n")


def load_stars(path: Path) -> frozenset[str]:
    """Read the starred keys; empty when there is no file.

    Raises:
        UsageError: the file has an error; it is left unchanged.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _unreadable(path, f"it is larger than {MAX_BYTES // 1024**2} MiB")
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, f"it is not valid JSON ({type(error).__name__})") from error
    starred = data.get("starred") if isinstance(data, dict) else None
    if not isinstance(starred, list) or not all(isinstance(key, str) for key in starred):
        raise _unreadable(path, "starred: missing, or not a list of texts")
    if data.get("schema") != SCHEMA:
        raise _unreadable(
            path, f"schema: not {SCHEMA}; was it written by a newer version of XrayView?"
        )
    return frozenset(starred)


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        "The stars cannot be read",
        path=path,
        why=why,
        hint="The file has not been changed. Replace it with a good copy, or rename it.",
    )
