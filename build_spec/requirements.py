"""Print what the environment of a frozen program needs, from pyproject.toml, one per line.

torch is not among it: which build is wanted differs by system and device, see the Makefile.
"""

from __future__ import annotations

import re
import sys
import tomllib

from build_spec.recipe import ROOT, Flavour, flavour_of

INSTALLED_BEFORE = "torch"


def requirements(flavour: Flavour) -> list[str]:
    """Return the requirements of a flavour. Raises: OSError."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    rows = project["dependencies"] + extras["freeze"] + (extras["train"] if flavour.train else [])
    return [row for row in rows if name_of(row) != INSTALLED_BEFORE]


def name_of(requirement: str) -> str:
    """Return the name of a requirement, without version and marker."""
    return re.split(r"[ ;<>=!~\[(]", requirement, maxsplit=1)[0]


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(flavour_of())) + "\n")
