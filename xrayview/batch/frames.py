"""The frames of a file in a batch: one row each, up to a limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from xrayview.domain.film import FilmRef, RejectedFile, ScannedFile
from xrayview.engine.decode_handlers import rejected
from xrayview.errors import UnreadableFilm
from xrayview.io.limits import check_frames


def check_frame_limit(file: ScannedFile, root: Path) -> ScannedFile:
    """The file, or its rejection where its header claims too many frames."""
    if isinstance(file, FilmRef):
        try:
            check_frames(file.frames)
        except UnreadableFilm as error:
            return rejected(file.path, root, error)
    return file


def row_count(file: ScannedFile) -> int:
    """The number of rows of a file: one per frame, one for a file that is not a film."""
    return file.frames if isinstance(file, FilmRef) else 1


def frames_of(file: ScannedFile) -> Iterator[ScannedFile]:
    """Yield the frames of a film, or the rejected file, in the order of the rows."""
    if isinstance(file, RejectedFile):
        yield file
        return
    for frame in range(file.frames):
        yield replace(file, frame=frame) if frame else file
