"""Where annotations are kept: beside their films, or with the user where that folder is read-only.

The user's own copies are named by a hash of the folder: a folder's name may say who the patient is.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from xrayview.domain.measurement import FilmMarks
from xrayview.errors import UsageError
from xrayview.io.tables.measurement_store import FILE_NAME, load_measurements, save_measurements
from xrayview.services.user_folders import config_folder

_log = logging.getLogger(__name__)

Films = Mapping[str, FilmMarks]


@dataclass(frozen=True)
class Kept:
    """The annotations of a folder, and what of them could not be read."""

    films: Films
    error: UsageError | None = None


class MeasurementFiles:
    """Reads and writes the annotations of folders; safe to call from any thread.

    Args:
        own: where the copies of read-only folders go; the user's configuration by default.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._lock = Lock()

    def load(self, folder: Path) -> Kept:
        """What is kept of a folder's films; a file with a fault is left alone and told."""
        with self._lock:
            films: dict[str, FilmMarks] = {}
            error = None
            for path in (folder / FILE_NAME, self.own_copy(folder)):
                try:
                    films |= load_measurements(path)
                except UsageError as fault:
                    error = fault
            return Kept(_marked(films), error)

    def load_all(self, folder: Path) -> Films:
        """What is kept of a folder's films, where all of it must be known.

        Raises:
            UsageError: a file has a fault.
        """
        kept = self.load(folder)
        if kept.error is not None:
            raise kept.error
        return kept.films

    def save(self, folder: Path, films: Films) -> Path:
        """Put the annotations of some films in the place of their earlier ones.

        Other films of the folder keep what another window wrote meanwhile. Returns the file: the
        folder's, or the user's own where the folder cannot be written or its file has a fault.

        Raises:
            UsageError: neither place can be written, or the user's own copy has a fault.
        """
        own = self.own_copy(folder)
        with self._lock:
            copied = load_measurements(own)
            try:
                beside = folder / FILE_NAME
                _write(beside, _marked(load_measurements(beside) | copied | dict(films)))
            except (OSError, UsageError) as error:
                _log.info("measurements go to the user's own folder: %s", type(error).__name__)
                _write_own(own, _told(copied | dict(films), beside))
                return own
            own.unlink(missing_ok=True)
            return beside

    def own_copy(self, folder: Path) -> Path:
        """The user's own file for a folder; it need not exist."""
        own = self._own or config_folder() / "measurements"
        digest = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()
        return own / f"{digest[:32]}.json"


def _marked(films: Films) -> Films:
    return {uid: marks for uid, marks in films.items() if marks != FilmMarks()}


def _told(films: Films, beside: Path) -> Films:
    """What the user's own copy has to say: a film without marks only where the folder has some.

    Left out, the marks of a folder that cannot be written would come back after their deletion.
    """
    try:
        there = load_measurements(beside)
    except UsageError:
        there = {}
    return {uid: m for uid, m in films.items() if m != FilmMarks() or uid in there}


def _write_own(path: Path, films: Films) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, films)
    except OSError as error:
        raise UsageError(
            "The measurements cannot be saved",
            path=path,
            why=error.strerror or type(error).__name__,
            hint="They stay on screen until the window closes. Export them, or free some space.",
        ) from error


def _write(path: Path, films: Films) -> None:
    """A file with nothing in it is no file."""
    if films:
        save_measurements(path, films)
    else:
        path.unlink(missing_ok=True)
