"""Write results: tables as CSV, and all values as one JSON file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from xrayview.io.atomic import replacing
from xrayview.io.tables.cells import escape_formula


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV; numbers that are not finite become empty cells, texts never formulas.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows([_cell(value) for value in row] for row in rows)


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write JSON; numbers that are not finite become null.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as stream:
        json.dump(_finite(data), stream, indent=1, allow_nan=False)
        stream.write("\n")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return repr(value) if isfinite(value) else ""
    return escape_formula(value) if isinstance(value, str) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not isfinite(value) else value
