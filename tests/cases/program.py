"""Run the program as a user does, and require an answer."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CASES = Path(os.environ.get("XRAYVIEW_CASES", ROOT.parent / "shared" / "cases"))
TIME_LIMIT_S = 300


class Wrong(Exception):
    """The program's answer is not the right one."""


@dataclass(frozen=True)
class Run:
    """One finished run of the program."""

    code: int
    text: str
    """Standard output and standard error, one after the other."""


@dataclass(frozen=True)
class Case:
    """One input with the check of its answer."""

    name: str
    check: Callable[[Path], None]


def require(holds: bool, message: str) -> None:
    """Raise `Wrong` with a message unless a condition holds."""
    if not holds:
        raise Wrong(message)


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def start(module: str, *arguments: str | Path, **changes: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment() | changes,
    )


def finish(process: subprocess.Popen[str]) -> Run:
    text, _ = process.communicate(timeout=TIME_LIMIT_S)
    return Run(process.returncode, text)


def app(*arguments: str | Path, **changes: str) -> Run:
    """`xrayview ...`."""
    return finish(start("xrayview", *arguments, **changes))


def training(*arguments: str | Path) -> Run:
    """`python -m training ...`."""
    return finish(start("training", *arguments))


def rows_of(path: Path) -> list[dict[str, str]]:
    require(path.is_file(), f"{path.name} is not there")
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def copy(source: Path, target: Path) -> Path:
    """Copy a file or folder with its times."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return target


def refused(run: Run, word: str = "") -> bool:
    return run.code not in {0, 1, 3} and word.casefold() in run.text.casefold()
