"""The files of annotations: beside the films, or in the user's folder where that is read-only.

Files in the user's folder are named by a hash of the film folder, whose name may identify the
patient. Other windows, on this computer or another one, may change the same files: what is saved
is merged mark by mark into what is there.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from xrayview.domain.mark_keys import StoredMarks, as_stored, with_files
from xrayview.domain.mark_merge import is_blank, merged, without_old_deletions
from xrayview.domain.measurement import FilmMarks
from xrayview.errors import UsageError
from xrayview.io.file_lock import locked
from xrayview.io.tables.measurement_store import FILE_NAME, load_measurements, save_measurements
from xrayview.services.file_version import FileVersion, version_of
from xrayview.services.resources import refuse_shipped
from xrayview.services.user_folders import config_folder

_log = logging.getLogger(__name__)

Films = Mapping[str, FilmMarks]
"""Annotations by the keys of `domain.mark_keys`."""


@dataclass(frozen=True)
class StoredMeasurements:
    """The annotations of a folder, and an error where a file could not be read."""

    films: Films
    error: UsageError | None = None
    version: FileVersion = ()
    """Differs after any window has saved."""
    path: Path | None = None
    """The file that was written, if one was."""


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
            return self._load(folder)

    def _load(self, folder: Path, path: Path | None = None) -> StoredMeasurements:
        version = self.version(folder)  # first: a file replaced meanwhile is then read again
        films: Films = {}
        error = None
        for file in (folder / FILE_NAME, self.own_copy(folder)):
            try:
                films = _merged(films, load_measurements(file))
            except UsageError as damage:
                error = damage
        return StoredMeasurements(films, error, version, path)

    def version(self, folder: Path) -> FileVersion:
        """The present version of a folder's annotations, without reading them."""
        return version_of(folder / FILE_NAME, self.own_copy(folder))

    def load_all(self, folder: Path) -> Films:
        """Load all annotations of a folder.

        Raises:
            UsageError: a file is damaged.
        """
        stored = self.load(folder)
        if stored.error is not None:
            raise stored.error
        return stored.films

    def save(self, folder: Path, films: Films) -> StoredMeasurements:
        """Merge the annotations of some films into the stored ones, and return them all.

        Marks that another window has drawn, changed or deleted in the meantime are kept: of each
        mark the later change wins. The file is that of the folder, or the user's own where the
        folder is read-only or the program's, or its file is damaged.

        Raises:
            UsageError: neither file can be written, or the user's own is damaged.
        """
        own, beside = self.own_copy(folder), folder / FILE_NAME
        with self._lock:
            copied = load_measurements(own)
            try:
                refuse_shipped(folder)
                with locked(beside):
                    stored = _merged(load_measurements(beside), copied)
                    _write(beside, _changed(stored, _without_unknown_deletions(films, stored)))
            except (OSError, UsageError) as error:
                _log.info("measurements go to the user's own folder: %s", type(error).__name__)
                _write_own(own, films, beside)
                return self._load(folder, own)
            own.unlink(missing_ok=True)
            return self._load(folder, beside)

    def own_copy(self, folder: Path) -> Path:
        """The user's own file for a folder; it may not exist."""
        own = self._own or config_folder() / "measurements"
        digest = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()
        return own / f"{digest[:32]}.json"


def _merged(*versions: Films) -> dict[str, FilmMarks]:
    films: dict[str, FilmMarks] = {}
    for version in versions:
        for key, marks in with_files(version).items():
            films[key] = merged(films[key], marks) if key in films else marks
    return {key: marks for key, marks in films.items() if not is_blank(marks)}


def _changed(stored: Films, changes: Films) -> Films:
    """The stored annotations with changes, each file's under one key."""
    index = StoredMarks(stored)
    films = dict(stored)
    for key, marks in changes.items():
        known = index.keys_of(key)
        target = known[0] if known and " " not in key else key
        films[target] = merged(marks, index.merged(known))
        for other in index.replaced_by(key):
            films.pop(other, None)
    return films


def _without_unknown_deletions(films: Films, stored: Films) -> Films:
    """Leave out deletions of marks that were never stored: no other window has them."""
    index = StoredMarks(stored)
    result = {}
    for key, marks in films.items():
        known = index.of(key)
        ids = known.deleted.keys() | {a.mark_id for a in known.annotations}
        deleted = {i: time_ms for i, time_ms in marks.deleted.items() if i in ids}
        result[key] = replace(marks, deleted=deleted)
    return result


def _write_own(path: Path, films: Films, beside: Path) -> None:
    """Merge annotations into the user's own file.

    It remembers deletions of marks that are in the folder's file, which cannot be written.
    """
    try:
        in_folder = with_files(load_measurements(beside))
    except UsageError:
        in_folder = {}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            own = with_files(load_measurements(path))
            changes = _without_unknown_deletions(films, _merged(in_folder, own))
            _write(path, _changed(own, changes))
    except OSError as error:
        raise UsageError(
            "The measurements cannot be saved",
            path=path,
            why=error.strerror or type(error).__name__,
            hint="They stay on screen until the window closes. Export them, or free some space.",
        ) from error


def _write(path: Path, films: Films) -> None:
    """Write the annotations; an empty file is deleted."""
    now_ms = round(time.time() * 1000)
    recent = {key: without_old_deletions(marks, now_ms) for key, marks in films.items()}
    kept = {key: marks for key, marks in recent.items() if not is_blank(marks)}
    if kept:
        save_measurements(path, as_stored(kept))
    else:
        path.unlink(missing_ok=True)
