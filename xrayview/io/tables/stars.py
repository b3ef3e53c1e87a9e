"""Which films of a folder are starred.

`xrayview-stars.json` in the study's folder: the SOPInstanceUIDs, or the paths below the folder of
films without one. No name and no PatientID.

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
    """Write the keys in one step. Raises: OSError."""
    with replacing(path) as stream:
        # File names of any bytes are no UTF-8: escaped they are plain ASCII.
        json.dump({"schema": SCHEMA, "starred": sorted(starred)}, stream, indent=1)
        stream.write("\n")


def load_stars(path: Path) -> frozenset[str]:
    """The keys; none where there is no file.

    Raises:
        UsageError: the file has a fault; it is left as it is.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _unreadable(path, f"it has more than {MAX_BYTES // 1024**2} MiB")
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, f"it is no JSON text ({type(error).__name__})") from error
    starred = data.get("starred") if isinstance(data, dict) else None
    if not isinstance(starred, list) or not all(isinstance(key, str) for key in starred):
        raise _unreadable(path, "starred: missing, or not a list of texts")
    if data.get("schema") != SCHEMA:
        raise _unreadable(path, f"schema: not {SCHEMA}; a newer version wrote it?")
    return frozenset(starred)


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        "The stars cannot be read",
        path=path,
        why=why,
        hint="The file is left as it is: put a good copy in its place, or rename it.",
    )
