"""What the program is made of: libraries, their versions and licences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from xrayview.services.resources import resource

PARTS_FILE = "licences/parts.json"
"""Under the resources of a frozen program, which also has parts that are not Python packages."""
UNKNOWN = "not stated"

_SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 3-Clause License": "BSD-3-Clause",
    "MIT License": "MIT",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-only",
    "LGPL": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "Python Software Foundation License": "PSF-2.0",
    "PSFL": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Names of licences in older metadata, as SPDX identifiers."""
_LONGEST_NAME = 80
"""A longer text in the field of the licence's name is the licence itself."""


@dataclass(frozen=True)
class Part:
    """A library inside, or one that an installed program uses."""

    name: str
    version: str
    licence: str
    """An SPDX expression, or the name that its metadata has."""
    url: str = ""
    kind: str = "python"
    """`python`, `system` for a library of the operating system, `data` for models and films."""


def parts_inside(file: Path | None = None) -> tuple[Part, ...]:
    """Return the parts of this program by name: of a frozen one all, else the packages it requires.

    Raises: OSError, ValueError: the list of a frozen program cannot be read.
    """
    path = resource(PARTS_FILE) if file is None else file
    if path.is_file():
        rows = json.loads(path.read_text(encoding="utf-8"))
        return tuple(Part(**row) for row in rows)
    return tuple(
        sorted((part_of(d) for d in _required("xrayview")), key=lambda part: part.name.lower())
    )


def write_parts(file: Path, parts: Iterable[Part]) -> None:
    """Write the list that `parts_inside` reads in a frozen program. Raises: OSError."""
    rows = [asdict(part) for part in parts]
    file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def part_of(package: Distribution) -> Part:
    """Return name, version and licence of an installed package, from its metadata."""
    meta = package.metadata
    return Part(str(meta["Name"]), package.version, licence_of(package), _url_of(package))


def licence_of(package: Distribution) -> str:
    """Return a package's licence: its SPDX expression, else its field, else its classifiers."""
    if expression := _field(package, "License-Expression"):
        return expression
    field = _field(package, "License").strip()
    classified = [
        text.rsplit("::", 1)[-1].strip()
        for text in package.metadata.get_all("Classifier") or ()
        if text.startswith("License ::")
    ]
    names = [field] if field and len(field) <= _LONGEST_NAME and "\n" not in field else classified
    return " AND ".join(_SPDX.get(name, name) for name in names) or UNKNOWN


def is_gpl_only(licence: str) -> bool:
    """True for a licence that offers nothing but the GPL or the AGPL without an exception."""
    return all(
        any(re.match(r"A?GPL", term) and "WITH" not in term for term in _terms(choice))
        for choice in re.split(r"\bOR\b", licence.strip("() "))
    )


def _terms(choice: str) -> list[str]:
    return [term.strip("() ") for term in re.split(r"\bAND\b", choice)]


def _url_of(package: Distribution) -> str:
    urls = dict(
        text.split(", ", 1)
        for text in package.metadata.get_all("Project-URL") or ()
        if ", " in text
    )
    wanted = ("Homepage", "homepage", "Source", "Repository", "repository", "Source Code")
    found = next((urls[name] for name in wanted if name in urls), None)
    return str(found or _field(package, "Home-page"))


def _field(package: Distribution, name: str) -> str:
    return str(package.metadata[name]) if name in package.metadata else ""


def _required(name: str) -> list[Distribution]:
    """The packages that a package requires without extras, those of its packages included."""
    found: dict[str, Distribution] = {}
    names = [name]
    while names:
        current = names.pop()
        try:
            package = distribution(current)
        except PackageNotFoundError:  # of another system, or without it the program also works
            continue
        key = str(package.metadata["Name"]).lower()
        if key not in found:
            found[key] = package
            names += [
                re.split(r"[ ;<>=!~\[(]", text, maxsplit=1)[0]
                for text in package.requires or ()
                if "extra ==" not in text
            ]
    return list(found.values())
