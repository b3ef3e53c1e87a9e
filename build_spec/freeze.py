"""The steps that all specs share, on top of PyInstaller: what the recipe names is inside."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from PyInstaller.building.api import COLLECT, EXE, PYZ
from PyInstaller.building.build_main import Analysis
from PyInstaller.config import CONF
from PyInstaller.depend.bindepend import get_imports
from PyInstaller.utils.hooks import collect_submodules, copy_metadata

from build_spec import recipe

Entry = tuple[str, str, str]
"""PyInstaller's: name or path inside, source, type code."""
PROGRAM = recipe.ROOT / "build_spec/program.py"
CONTENTS = "inside.json"
"""In PyInstaller's work folder: every module and file that is inside, with its origin."""


class Frozen:
    """The analysed program: one archive of modules and one set of libraries for all executables."""

    def __init__(self, flavour: recipe.Flavour) -> None:
        self.flavour = flavour
        analysis = _analyse(flavour)
        self.scripts = [
            row for row in analysis.scripts if row[0] not in recipe.RUNTIME_HOOKS_LEFT_OUT
        ]
        left_out = recipe.files_left_out(flavour)
        self.binaries = _needed(
            [row for row in analysis.binaries if not recipe.is_file_left_out(row[0], flavour)]
        )
        self.datas = [row for row in analysis.datas if not recipe.is_file_left_out(row[0], flavour)]
        modules = [row for row in analysis.pure if not recipe.is_left_out(row[0], flavour)]
        origins = _Origins()
        for distribution in origins.of_all((*modules, *self.binaries, *self.datas)):
            self.datas += _metadata(distribution, left_out, {row[0] for row in self.datas})
        self.archive = PYZ(modules)
        _write_contents(modules, self.binaries, self.datas, origins)

    def program(self, name: str, *, console: bool, **options: Any) -> Any:
        """Make one executable beside the shared libraries."""
        return EXE(
            self.archive,
            self.scripts,
            [],
            exclude_binaries=True,
            name=name,
            console=console,
            upx=False,  # antivirus programs dislike it
            strip=False,
            **options,
        )

    def folder(self, *programs: Any) -> Any:
        """Collect the executables and everything that they share into one folder."""
        return COLLECT(
            *programs, self.binaries, self.datas, name=recipe.WINDOW, upx=False, strip=False
        )


def _analyse(flavour: recipe.Flavour) -> Any:
    hidden = list(recipe.HIDDEN)
    for package in recipe.collected(flavour):
        hidden += collect_submodules(package)
    return Analysis(
        [str(PROGRAM)],
        pathex=[str(recipe.ROOT)],
        hiddenimports=hidden,
        excludes=list(recipe.modules_left_out(flavour)),
        module_collection_mode=dict.fromkeys(recipe.REPLACEABLE, "py"),
        datas=[
            *(
                (str(recipe.ROOT / source), folder)
                for source, folder in recipe.data(flavour).items()
            ),
            *(row for name in recipe.METADATA for row in copy_metadata(name)),
        ],
    )


def _metadata(distribution: Distribution, left_out: Iterable[str], known: set[str]) -> list[Entry]:
    """The metadata of a distribution, its licences included, as far as it is not inside yet."""
    folder = Path(str(distribution._path))  # type: ignore[attr-defined]
    rows = []
    for path in folder.rglob("*"):
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        if path.is_file() and name not in known and not recipe.matches(name, left_out):
            rows.append((str(Path(name)), str(path), "DATA"))
    return rows


def _needed(rows: list[Entry]) -> list[Entry]:
    """Drop libraries that only files of the leave-out list have asked for."""
    by_name = {Path(name).name: (name, source) for name, source, kind in rows if kind != "SYMLINK"}
    roots = [source for name, source, _ in rows if not _is_shared_library(name)]
    seen: set[str] = set()
    while roots:
        for name, _path in get_imports(roots.pop()):
            base = Path(name).name
            if base in by_name and base not in seen:
                seen.add(base)
                roots.append(by_name[base][1])
    return [row for row in rows if not _is_shared_library(row[0]) or Path(row[0]).name in seen]


def _is_shared_library(name: str) -> bool:
    """True for a library of the system or of Qt: is there only because something links it."""
    path = Path(name)
    if not (".so" in path.name or path.suffix in (".dll", ".dylib")):
        return False
    is_extension = ".cpython-" in path.name or ".abi3." in path.name
    is_plain = len(path.parts) == 1 or path.parent.as_posix().endswith(
        ("PySide6/Qt/lib", "PySide6")
    )
    is_python = path.name.startswith(("libpython", "python3"))
    return is_plain and not is_extension and not is_python


class _Origins:
    """Which distribution a file of the build environment belongs to."""

    def __init__(self) -> None:
        self._by_file: dict[str, Distribution] = {}
        for distribution in distributions():
            for file in distribution.files or ():
                self._by_file[os.path.realpath(str(file.locate()))] = distribution

    def of(self, row: Entry) -> Distribution | None:
        """The distribution of a module or file; None for Python's own, ours, and the system's."""
        source = row[1]
        return self._by_file.get(os.path.realpath(source)) if source else None

    def of_all(self, rows: Iterable[Entry]) -> Iterator[Distribution]:
        """Each distribution of which something is inside, once."""
        found = {d.metadata["Name"]: d for row in rows if (d := self.of(row)) is not None}
        yield from found.values()


def _write_contents(
    modules: list[Entry], binaries: list[Entry], datas: list[Entry], origins: _Origins
) -> None:
    def described(row: Entry, *, is_module: bool) -> dict[str, str]:
        name, source, kind = row
        distribution = origins.of(row)
        return {
            "name": name if is_module else Path(name).as_posix(),
            "kind": "MODULE" if is_module else kind,
            "source": source,
            "distribution": distribution.metadata["Name"] if distribution else "",
        }

    rows = [described(row, is_module=True) for row in modules]
    rows += [described(row, is_module=False) for row in (*binaries, *datas)]
    contents = {"python": sys.version.split()[0], "inside": rows}
    Path(CONF["workpath"], CONTENTS).write_text(json.dumps(contents, indent=1), encoding="utf-8")
