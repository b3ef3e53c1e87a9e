"""What the program has written into a folder of films: pictures, copies, figures.

`xrayview-outputs.json` in the folder: paths below it with forward slashes, `.` for the folder
itself.

    {"schema": 1, "outputs": ["copies", "figures/a.png"]}
"""

from __future__ import annotations

import json
from pathlib import Path

from xrayview.io.atomic import replacing
from xrayview.io.file_lock import locked

FILE_NAME = "xrayview-outputs.json"
SCHEMA = 1
MAX_BYTES = 1024**2


def load_outputs(folder: Path) -> frozenset[str]:
    """Read the recorded outputs; empty where there is no file, or a damaged one."""
    path = folder / FILE_NAME
    try:
        if path.stat().st_size > MAX_BYTES:
            return frozenset()
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return frozenset()
    outputs = data.get("outputs") if isinstance(data, dict) else None
    if not isinstance(outputs, list):
        return frozenset()
    return frozenset(name for name in outputs if isinstance(name, str))


def record_output(folder: Path, output: Path) -> None:
    """Record an output file or folder; does nothing where it is not in the folder.

    Raises:
        OSError: the record cannot be written.
    """
    inside, path = folder.resolve(), output.resolve()
    if not path.is_relative_to(inside):
        return
    name = path.relative_to(inside).as_posix()
    if name in load_outputs(folder):
        return
    record = folder / FILE_NAME
    with locked(record):
        outputs = sorted(load_outputs(folder) | {name})
        with replacing(record) as stream:
            # A file name need not be valid UTF-8; escaped, it is plain ASCII.
            json.dump({"schema": SCHEMA, "outputs": outputs}, stream, indent=1)
            stream.write("\n")
