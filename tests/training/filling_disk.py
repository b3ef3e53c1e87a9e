"""Train on a full disk, with some more room each time until the run is finished.

    unshare --map-root-user --mount python -m tests.training.filling_disk DISK DATA SETTING...

The disk is a tmpfs that only this process sees. Prints one JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from training.cli import main
from training.runs import RunFolder
from xrayview.errors import ExitCode

_STEP_KIB, _MOST_STARTS = 70, 40


def fill(disk: Path, data: str, settings: list[str]) -> dict[str, Any]:
    """Return the errors of all starts, and what the finished run has."""
    size = 4
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", disk], check=True)
    run, errors = RunFolder(disk / "run"), []
    new = ["normal-pneumonia-small", "--run", str(run.path)]
    new += [part for setting in settings for part in ("--set", setting)]
    options = ["--data", data, "--cache", str(disk.with_name("cache")), "--no-report"]
    for _ in range(_MOST_STARTS):
        start = ["--resume", str(run.path)] if run.facts.is_file() else new
        error = StringIO()
        with redirect_stderr(error), redirect_stdout(StringIO()):
            code = main(["train", *start, *options])
        if code == ExitCode.OK:
            break
        errors.append({"code": code, "text": error.getvalue()})
        size += _STEP_KIB
        subprocess.run(["mount", "-o", f"remount,size={size}k", disk], check=True)
    return {
        "errors": errors,
        "weights_sha256": run.read_facts().get("weights_sha256"),
        "log": run.log.read_text(encoding="utf-8"),
        "scores": (run.path / "test/scores.csv").read_text(encoding="utf-8"),
        "files": sorted(path.name for path in run.path.iterdir()),
    }


if __name__ == "__main__":
    print(json.dumps(fill(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])))
