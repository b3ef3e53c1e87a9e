"""The files of annotations: beside the films, or in the user's folder where that is read-only.

Files in the user's folder are named by a hash of the film folder, whose name may identify the
patient.
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
class StoredMeasurements:
    """The annotations of a folder, and an error where a file could not be read."""

    films: Films
    error: UsageError | None = None


class MeasurementFiles:
    """Reads and writes the annotations of folders; thread-safe.

    Args:
        own: the folder for annotations of read-only folders, by default in the configuration.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._lock = Lock()

    def load(self, folder: Path) -> StoredMeasurements:
        """Load the annotations of a folder; a damaged file is left alone and reported."""
        with self._lock:
            films: dict[str, FilmMarks] = {}
            error = None
            for path in (folder / FILE_NAME, self.own_copy(folder)):
                try:
                    films |= load_measurements(path)
                except UsageError as damage:
                    error = damage
            return StoredMeasurements(_marked(films), error)

    def load_all(self, folder: Path) -> Films:
        """Load all annotations of a folder.

        Raises:
            UsageError: a file is damaged.
        """
        stored = self.load(folder)
        if stored.error is not None:
            raise stored.error
        return stored.films

    def save(self, folder: Path, films: Films) -> Path:
        """Replace the annotations of some films, and return the file that was written.

        Annotations of other films stay, also those that another window has written. The file is
        that of the folder, or the user's own where the folder is read-only or its file is damaged.

        Raises:
            UsageError: neither file can be written, or the user's own is damaged.
        """
        own = self.own_copy(folder)
        with self._lock:
            copied = load_measurements(own)
            try:
                beside = folder / FILE_NAME
                _write(beside, _marked(load_measurements(beside) | copied | dict(films)))
            except (OSError, UsageError) as error:
                _log.info("measurements go to the user's own folder: %s", type(error).__name__)
                _write_own(own, _for_own_copy(copied | dict(films), beside))
                return own
            own.unlink(missing_ok=True)
            return beside

    def own_copy(self, folder: Path) -> Path:
        """The user's own file for a folder; it may not exist."""
        own = self._own or config_folder() / "measurements"
        digest = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()
        return own / f"{digest[:32]}.json"


def _marked(films: Films) -> Films:
    return {uid: marks for uid, marks in films.items() if marks != FilmMarks()}


def _for_own_copy(films: Films, beside: Path) -> Films:
    """The films for the user's own file: those with marks, and those with marks in the folder.

    Without the latter, deleted marks of a read-only folder would come back.
    """
    try:
        in_folder = load_measurements(beside)
    except UsageError:
        in_folder = {}
    return {uid: m for uid, m in films.items() if m != FilmMarks() or uid in in_folder}


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
    """Write the annotations; an empty file is deleted."""
    if films:
        save_measurements(path, films)
    else:
        path.unlink(missing_ok=True)
