"""The films of an index, or of one shard of it, as a batch classifies them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xrayview.batch.file_state import FileState
from xrayview.domain.film import RejectedFile
from xrayview.domain.film_index import IndexedFile, Shard
from xrayview.engine.scan import Entry
from xrayview.errors import StatusCode, UsageError
from xrayview.io.tables.cells import name_of_file
from xrayview.io.tables.film_index import FilmIndex

WHOLE = Shard(1, 1)


@dataclass(frozen=True)
class FrozenFilms:
    """Files that were listed when the index was written, in scan order."""

    index: Path
    index_id: str
    shard: Shard
    root: Path
    files: Mapping[str, Entry]
    """By relative path."""
    indexed: Mapping[str, IndexedFile]

    def changed(self, states: Mapping[str, FileState | None]) -> int:
        """The number of files that are gone, or have another size or time than in the index.

        Args:
            states: the present state of each file; None for one that cannot be read.
        """
        return sum(
            _has_changed(file, states.get(name))
            for name, file in self.indexed.items()
            if not file.refusal
        )


def open_frozen(index: Path, shard: Shard = WHOLE, root: Path | None = None) -> FrozenFilms:
    """Read the files of a shard.

    Args:
        index: the index.
        shard: which part; by default all of it.
        root: where the indexed folder is on this computer; by default where it was.

    Raises:
        UsageError: it is not an index, or its folder is not there.
    """
    with FilmIndex(index) as films:
        listed = sorted(films.shard(shard), key=lambda file: file.id)
        metadata = films.metadata
    folder = root or Path(name_of_file(metadata.root))
    if not folder.is_dir():
        raise UsageError(
            "The folder of the index does not exist",
            path=folder,
            hint="Name the folder as this computer sees it with --root.",
        )
    indexed = {name_of_file(file.path): file for file in listed}
    files = {name: _entry(file, folder, name) for name, file in indexed.items()}
    return FrozenFilms(index, metadata.index_id, shard, folder, files, indexed)


def _entry(file: IndexedFile, root: Path, name: str) -> Entry:
    path = root / name.replace("/", os.sep)
    if not file.refusal:
        return path
    return RejectedFile(path, name, StatusCode(file.status_code), file.refusal, file.hint)


def _has_changed(file: IndexedFile, present: FileState | None) -> bool:
    return present is None or (present.size, present.mtime_ns) != (file.size, file.mtime_ns)
