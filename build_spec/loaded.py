"""What a program loads: the files that Python opens, and the libraries that are mapped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from build_spec import recipe

RECORDING = recipe.ROOT / "build_spec/recording"
MARK = "XRAYVIEW_LOADED"
_PERIOD_S = 0.05


@dataclass
class Watched:
    """A program that ended, and what its processes had mapped, by their command lines."""

    returncode: int
    output: str
    mapped: dict[str, set[Path]] = field(default_factory=dict)


def recording_environment(folder: Path, hidden: Iterable[str] = ()) -> dict[str, str]:
    """The environment in which Python lists what it opens, and does not find hidden modules."""
    return {
        "PYTHONPATH": os.pathsep.join((str(RECORDING), str(recipe.ROOT))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XRAYVIEW_RECORD": str(folder),
        "XRAYVIEW_HIDDEN": ",".join(hidden),
    }


def recorded_files(folder: Path) -> frozenset[Path]:
    """The files that the processes of a recorded program have opened and that exist."""
    names: set[str] = set()
    for file in folder.glob("*.txt"):
        names.update(file.read_text(encoding="utf-8", errors="surrogateescape").splitlines())
    return frozenset(path for name in names if (path := Path(name)).is_file())


def source_of(path: Path) -> Path:
    """Return the source of a compiled file of Python's cache; of other files themselves."""
    if path.parent.name != "__pycache__":
        return path
    return path.parents[1] / f"{path.name.split('.')[0]}.py"


def module_of(path: Path, roots: Iterable[Path]) -> str:
    """Return the dotted name of the module in a file; empty for other files and other folders."""
    if path.suffix not in (".py", ".pyc", ".so", ".pyd"):
        return ""
    for root in roots:
        if path.is_relative_to(root):
            parts = path.relative_to(root).parts
            stem = parts[-1].split(".")[0]
            return ".".join(parts[:-1] if stem == "__init__" else (*parts[:-1], stem))
    return ""


def watch(command: Sequence[str], environment: Mapping[str, str], timeout_s: float) -> Watched:
    """Run a program and look at the memory maps of all its processes until it ends (Linux)."""
    own = os.environ | environment | {MARK: str(os.getpid())}
    mapped: dict[str, set[Path]] = {}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
        subprocess.Popen(command, env=own, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        end_s = time.monotonic() + timeout_s
        while process.poll() is None:
            if time.monotonic() > end_s:
                process.kill()
            _look(mapped)
            time.sleep(_PERIOD_S)
        output.seek(0)
        return Watched(process.returncode, output.read(), mapped)


def is_worker(command_line: str) -> bool:
    """True for the command line of a spawned worker."""
    return "multiprocessing" in command_line and "resource_tracker" not in command_line


def _look(mapped: dict[str, set[Path]]) -> None:
    mark = f"{MARK}={os.getpid()}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and folder.name != str(os.getpid()):
            with suppress(OSError):  # ended meanwhile, or of another user
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    name = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    maps = (folder / "maps").read_text(errors="surrogateescape")
                    files = re.findall(r"^\S+ \S*x\S* .* (/.+)$", maps, flags=re.MULTILINE)
                    mapped.setdefault(name.strip(), set()).update(map(Path, files))


def python_roots() -> tuple[Path, ...]:
    """The folders that modules of this Python and of the source tree are in."""
    folders = [Path(path) for path in sys.path if path and Path(path).is_dir()]
    return tuple(sorted({recipe.ROOT, *folders} - {RECORDING}, key=lambda p: -len(p.parts)))
