"""Inputs from public bug reports, each with its right answer: `python -m tests.cases [NAME ...]`.

The inputs are in `../shared/cases` or in the folder that XRAYVIEW_CASES names; without them the
script says so and ends. It runs the program as a user does, prints a line for each case, and ends
with 1 where an answer is wrong. A NAME selects the cases whose name contains it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.cases.folders import folder_cases
from tests.cases.program import CASES, Wrong
from tests.cases.training import training_cases
from tests.cases.viewing import viewing_cases


def main(names: list[str]) -> int:
    """Run the cases whose names contain one of `names` (all without any)."""
    if not CASES.is_dir():
        print(f"The cases are not here: {CASES} (set XRAYVIEW_CASES)")
        return 0
    wrong = run = 0
    for case in (*viewing_cases(), *folder_cases(), *training_cases()):
        if names and not any(name in case.name for name in names):
            continue
        run += 1
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            for name in ("CONFIG", "CACHE", "DATA", "STATE"):
                os.environ[f"XDG_{name}_HOME"] = str(work / "home" / name.lower())
            (work / "work").mkdir()
            try:
                case.check(work / "work")
                print(f"ok     {case.name}", flush=True)
            except Exception as error:
                wrong += 1
                reason = str(error) if isinstance(error, Wrong) else repr(error)
                print(f"WRONG  {case.name}: {' '.join(reason.split())[:300]}", flush=True)
    print(f"{run - wrong} of {run} answers are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
