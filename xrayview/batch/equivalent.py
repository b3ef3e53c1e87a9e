"""The command line that runs a folder classification again."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from xrayview.domain.stated import StatedFilms
from xrayview.engine.protocol import ModelRef


def equivalent_command(
    source: Path, model: ModelRef, out: Path, identity: str, stated: StatedFilms
) -> str:
    """`xrayview classify ...` as it is typed into the shell of this system.

    Operating points of the user and a choice of films have no option, and are not part of it.
    """
    arguments = ["xrayview", "classify", os.fspath(source), "--model", os.fspath(model.path)]
    arguments += ["--out", os.fspath(out), "--device", model.device]
    arguments += ["--runtime", model.runtime, "--precision", model.precision]
    arguments += ["--identity", identity]
    if stated.age_years:
        low, high = stated.age_years
        arguments += ["--stated-age", f"{low:g}-{high:g}"]
    if stated.view_position:
        arguments += ["--stated-view", stated.view_position]
    if stated.body_part:
        arguments += ["--stated-body-part", stated.body_part]
    return subprocess.list2cmdline(arguments) if os.name == "nt" else shlex.join(arguments)
