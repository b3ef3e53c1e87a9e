"""Miniatures of public data sets and their truth: `python -m tests.shared_layouts [NAME ...]`.

The maker is in `../shared/datasets` or in the folder that XRAYVIEW_DATASETS names; without it the
script says so and ends. It makes the miniatures, reads each by `python -m training films`' code and
compares every value. A value that the truth leaves open (an empty view, sex or age) may be known
here. It ends with 1 where anything differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.config import DataConfig
from training.data.film_list import as_json, read_film_list
from xrayview.errors import XrayViewError

FOLDER = Path(
    os.environ.get("XRAYVIEW_DATASETS", Path(__file__).parents[2] / "shared" / "datasets")
)
MAKER = FOLDER / "make_miniatures.py"
_OPEN = {"view": "", "sex": "", "age": None}
_NO_BOX_IN_TRUTH = {"All247images/JPCLN002.IMG"}
"""The maker's text says where this nodule is; its truth has no box of it."""
_TOLERANCE = 1e-6


def main(names: list[str]) -> int:
    """Compare the miniatures whose names contain one of `names` (all without any)."""
    if not MAKER.is_file():
        print(f"The maker is not here: {MAKER} (set XRAYVIEW_DATASETS)")
        return 0
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-W", "ignore", str(MAKER), folder], check=True, capture_output=True
        )
        for truth in sorted(Path(folder).glob("*.expected.json")):
            name = truth.name.removesuffix(".expected.json")
            if names and not any(each in name for each in names):
                continue
            differences = list(compare(Path(folder) / name, json.loads(truth.read_text())))
            wrong += bool(differences)
            print(f"{'WRONG' if differences else 'ok':6s} {name}")
            for difference in differences:
                print(f"       {difference}")
    return int(wrong > 0)


def compare(folder: Path, truth: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield what is read of a folder and differs from the truth."""
    try:
        found = as_json(read_film_list(folder, DataConfig()))
    except XrayViewError as error:
        yield f"refused: {error}"
        return
    yield from (f"{path}: not found" for path in sorted(set(truth) - set(found)))
    yield from (f"{path}: not a film of the data" for path in sorted(set(found) - set(truth)))
    for path in sorted(set(truth) & set(found)):
        for name, expected in truth[path].items():
            value = found[path][name]
            if name in _OPEN and expected == _OPEN[name]:
                continue
            if name == "boxes" and path in _NO_BOX_IN_TRUTH and not expected:
                continue
            if not (_same_boxes(value, expected) if name == "boxes" else value == expected):
                yield f"{path}: {name} is {value}, expected {expected}"


def _same_boxes(found: list[list[Any]], expected: list[list[Any]]) -> bool:
    return len(found) == len(expected) and all(
        one[0] == other[0]
        and all(abs(a - b) < _TOLERANCE for a, b in zip(one[1:], other[1:], strict=True))
        for one, other in zip(found, expected, strict=True)
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
