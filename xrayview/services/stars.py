"""The files of stars: beside the films, or the user's own where that folder is read-only.

The user's own file has hashes of the films' identity and not of their paths, because a read-only
disc may be mounted elsewhere the next time.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from xrayview.domain.film import FilmRef
from xrayview.errors import UsageError
from xrayview.io.file_lock import locked
from xrayview.io.tables.stars import FILE_NAME, load_stars, save_stars
from xrayview.services.file_version import FileVersion, version_of
from xrayview.services.user_folders import config_folder

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredStars:
    """The stars of a folder: keys from beside the films, and hashes from the user's own file."""

    beside: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    error: UsageError | None = None
    version: FileVersion = ()
    """Differs after any window has saved."""
    path: Path | None = None
    """The file that was written, if one was."""

    def is_starred(self, film: FilmRef) -> bool:
        """True for a film that is in either file."""
        return film_key(film) in self.beside or bool(self.own and own_key(film) in self.own)


def film_key(film: FilmRef) -> str:
    """The key of a film in the file beside it."""
    return film.sop_uid or film.relative_path


def own_key(film: FilmRef) -> str:
    """The key of a film in the user's own file: a hash that does not identify the patient."""
    text = film.sop_uid or f"{film.file_size} {film.path.name}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


class StarFiles:
    """Reads and writes the stars of folders; thread-safe.

    Args:
        own: the user's own file; by default in the user's configuration.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._lock = Lock()

    def load(self, folder: Path) -> StoredStars:
        """Load the stars of a folder; a damaged file is left alone and reported."""
        with self._lock:
            return self._load(folder)

    def _load(self, folder: Path, path: Path | None = None) -> StoredStars:
        version = self.version(folder)  # first: a file replaced meanwhile is then read again
        stars: list[frozenset[str]] = []
        error = None
        for file in (folder / FILE_NAME, self._own_file()):
            try:
                stars.append(load_stars(file))
            except UsageError as damage:
                stars.append(frozenset())
                error = damage
        return StoredStars(stars[0], stars[1], error, version, path)

    def version(self, folder: Path) -> FileVersion:
        """The present version of a folder's stars, without reading them."""
        return version_of(folder / FILE_NAME, self._own_file())

    def save(self, folder: Path, changes: Mapping[FilmRef, bool]) -> StoredStars:
        """Set or remove the stars of films, keep those of others, and return them all.

        Raises:
            OSError: neither file can be written.
            UsageError: the user's own file is damaged.
        """
        own, beside = self._own_file(), folder / FILE_NAME
        with self._lock:
            try:
                _write(beside, {film_key(film): starred for film, starred in changes.items()})
            except (OSError, UsageError) as error:
                _log.info("stars go to the user's own folder: %s", type(error).__name__)
                own.parent.mkdir(parents=True, exist_ok=True)
                _write(own, {own_key(film): starred for film, starred in changes.items()})
                return self._load(folder, own)
            if load_stars(own):
                _write(own, {own_key(film): False for film in changes})
            return self._load(folder, beside)

    def _own_file(self) -> Path:
        return self._own or config_folder() / "stars.json"


def _write(path: Path, changes: Mapping[str, bool]) -> None:
    """Apply changes to the stars in a file; a file without any is deleted."""
    added = {key for key, star in changes.items() if star}
    with locked(path):
        stored = load_stars(path)
        updated = (stored - changes.keys()) | added
        if updated == stored:
            return
        if updated:
            save_stars(path, updated)
        else:
            path.unlink(missing_ok=True)
