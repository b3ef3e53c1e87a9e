"""The files that a batch classifies: those of a folder or an index, without its own outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from xrayview.batch.frozen_films import FrozenFilms
from xrayview.batch.output import Output
from xrayview.batch.source_files import path_of
from xrayview.batch.study_table import is_of_table
from xrayview.domain.formats import READABLE
from xrayview.engine.scan import Entry, list_files, root_of
from xrayview.errors import NothingUsable
from xrayview.io.scan import relative_path

Outputs = Sequence[tuple[Output, Path | None]]
"""Tables of predictions, each with its table of studies if there is one."""


def list_inputs(folder: Path, frozen: FrozenFilms | None, outputs: Outputs) -> Mapping[str, Entry]:
    """The files by relative path, in scan order.

    Args:
        folder: a folder, or one file.
        frozen: what an index lists; then the folder is not listed, and there may be no file.
        outputs: left out, with all that belongs to them.

    Raises:
        NothingUsable: there is no file.
    """
    if frozen is not None:
        return frozen.files
    root = root_of(folder)
    entries = (entry for entry in list_files(folder) if not _is_own(path_of(entry), outputs))
    files = {relative_path(path_of(entry), root): entry for entry in entries}
    if not files:
        hint = f"Choose a folder that contains {READABLE} films."
        raise NothingUsable("The folder contains no files", path=folder, hint=hint)
    return files


def choose_inputs(
    files: Mapping[str, Entry], only: frozenset[str] | None, folder: Path
) -> Mapping[str, Entry]:
    """The files with these relative paths; all of them for None.

    Raises:
        NothingUsable: none of them is there.
    """
    if only is None:
        return files
    chosen = {name: entry for name, entry in files.items() if name in only}
    if not chosen:
        hint = "Open the folder again, so that its films are listed as they are now."
        raise NothingUsable("None of the chosen films is in the folder", path=folder, hint=hint)
    return chosen


def _is_own(path: Path, outputs: Outputs) -> bool:
    return any(
        output.is_own(path) or (studies is not None and is_of_table(path, studies))
        for output, studies in outputs
    )
