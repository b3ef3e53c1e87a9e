"""What a frozen folder has inside: files with their sizes and the component each belongs to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PYTHON = "Python"
PROGRAM = "XrayView"
PROGRAMS = "XrayView: programs and their modules"
SYSTEM = "system libraries"


@dataclass(frozen=True)
class Inside:
    """A module or file inside; `distribution` is the package of PyPI that it is from, or empty."""

    name: str
    kind: str
    source: str
    distribution: str

    @property
    def is_module(self) -> bool:
        """True for a module in the archive, whose name is dotted."""
        return self.kind == "MODULE"

    @property
    def is_of_system(self) -> bool:
        """True for a library that comes from the system of the build machine."""
        roots = ("/usr/lib/", "/lib/", "/usr/lib64/", "/lib64/")
        return self.kind == "BINARY" and not self.distribution and self.source.startswith(roots)


@dataclass(frozen=True)
class Contents:
    """Everything that the recipe has put inside."""

    python: str
    rows: tuple[Inside, ...]

    def files(self) -> Iterator[Inside]:
        """The files, without the modules in the archive."""
        return (row for row in self.rows if not row.is_module)

    def modules(self) -> frozenset[str]:
        """The names of all modules: those in the archive, and those that are files of their own."""
        archived = {row.name for row in self.rows if row.is_module}
        single = (
            row.name
            for row in self.files()
            if row.kind == "EXTENSION" or row.name.endswith((".py", ".pyc"))
        )
        return frozenset(archived.union(map(_module_of, single)))

    def distributions(self) -> frozenset[str]:
        """The packages of PyPI of which something is inside."""
        return frozenset(row.distribution for row in self.rows if row.distribution)


def read_contents(file: Path) -> Contents:
    """Read the list that the spec writes. Raises: OSError, ValueError."""
    content = json.loads(file.read_text(encoding="utf-8"))
    return Contents(content["python"], tuple(Inside(**row) for row in content["inside"]))


@dataclass(frozen=True)
class Layout:
    """Where a frozen program has its parts."""

    root: Path
    programs: Path
    libraries: Path


def layout_in(dist: Path) -> Layout:
    """Return the layout of the program that was frozen into a folder."""
    if sys.platform == "darwin":
        contents = dist / "XrayView.app/Contents"
        return Layout(contents.parent, contents / "MacOS", contents / "Frameworks")
    return Layout(dist / "XrayView", dist / "XrayView", dist / "XrayView/_internal")


@dataclass(frozen=True)
class Component:
    """A row of the table of sizes."""

    name: str
    bytes: int
    files: int


def components(layout: Layout, contents: Contents) -> tuple[Component, ...]:
    """Return the sizes on disk by component, largest first; links count as nothing."""
    owner = {row.name: row.distribution for row in contents.files() if row.distribution}
    system = {row.name for row in contents.files() if row.is_of_system}
    sizes: dict[str, list[int]] = {}
    seen: set[int] = set()
    for path in sorted(layout.root.rglob("*")):
        status = path.lstat()
        if path.is_symlink() or not path.is_file() or status.st_ino in seen:
            continue
        seen.add(status.st_ino)
        name = PROGRAMS
        if path.is_relative_to(layout.libraries):
            name = _component(path.relative_to(layout.libraries), owner, system)
        sizes.setdefault(name, []).append(status.st_size)
    rows = [Component(name, sum(found), len(found)) for name, found in sizes.items()]
    return tuple(sorted(rows, key=lambda row: -row.bytes))


def _component(inside: Path, owner: dict[str, str], system: set[str]) -> str:
    name = inside.as_posix()
    if name in owner:
        return owner[name]
    if name in system:
        return SYSTEM
    if inside.parts[0] == "resources":
        return f"{PROGRAM}: {inside.parts[1] if len(inside.parts) > 2 else 'licence'}"
    if name.startswith(("libpython", "python3")) or name == "base_library.zip":
        return PYTHON
    return inside.parts[0]


def _module_of(file: str) -> str:
    """The dotted name of the module that a file is."""
    path = Path(file)
    if path.parts and path.parts[0].startswith("python3") and "lib-dynload" in path.parts:
        return path.name.split(".")[0]
    stem = path.name.split(".")[0]
    return ".".join(path.parent.parts if stem == "__init__" else (*path.parent.parts, stem))


@cache
def debian_package(library: str) -> tuple[str, str]:
    """Return name and version of the Debian package of a library; empty where there is none."""
    real = os.path.realpath(library)
    for path in (real, real.removeprefix("/usr")):
        found = _output("dpkg-query", "-S", path)
        if found:
            name = found.split(":", 1)[0]
            return name, _output("dpkg-query", "-W", "-f", "${Version}", name)
    return "", ""


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def total(rows: Iterable[Component]) -> int:
    """The bytes of all components."""
    return sum(row.bytes for row in rows)
