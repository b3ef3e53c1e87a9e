"""A film of several frames is a row for each of them; what its header claims has a limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from xrayview.batch.pipeline import Found
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.engine.decode_handlers import rejected
from xrayview.errors import UnreadableFilm
from xrayview.io.limits import check_frames


def within_limit(found: Found, root: Path) -> Found:
    """The film, or the file as rejected where its header claims more frames than are tried."""
    if isinstance(found, FilmRef):
        try:
            check_frames(found.frames)
        except UnreadableFilm as error:
            return rejected(found.path, root, error)
    return found


def row_count(found: Found) -> int:
    """How many rows a file gets: one for each frame, one where it is no film."""
    return found.frames if isinstance(found, FilmRef) else 1


def each_frame(found: Found) -> Iterator[Found]:
    """What is tried of a file, in the order of its rows."""
    if isinstance(found, RejectedFile):
        yield found
        return
    for frame in range(found.frames):
        yield replace(found, frame=frame) if frame else found
