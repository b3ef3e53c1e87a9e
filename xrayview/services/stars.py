"""Where stars are kept: beside the films, or with the user where that folder is read-only.

The user's own file keeps hashes of what is in the films and not of where they lie: the disc that
is read-only today is mounted elsewhere tomorrow.
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
from xrayview.io.tables.stars import FILE_NAME, load_stars, save_stars
from xrayview.services.user_folders import config_folder

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredStars:
    """The stars of a folder: keys beside the films, hashes of the user's own."""

    beside: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    error: UsageError | None = None

    def is_starred(self, film: FilmRef) -> bool:
        """True for a film that either file names."""
        return film_key(film) in self.beside or bool(self.own and own_key(film) in self.own)


def film_key(film: FilmRef) -> str:
    """What stands for a film in the file beside it."""
    return film.sop_uid or film.relative_path


def own_key(film: FilmRef) -> str:
    """What stands for a film in the user's own file: a hash, of which no identity can be read."""
    said = film.sop_uid or f"{film.file_size} {film.path.name}"
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:32]


class StarFiles:
    """Reads and writes the stars of folders; safe to call from any thread.

    Args:
        own: the user's own file; in the user's configuration by default.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._lock = Lock()

    def load(self, folder: Path) -> StoredStars:
        """What is starred; a file with a fault is left alone and told."""
        kept: list[frozenset[str]] = []
        error = None
        with self._lock:
            for path in (folder / FILE_NAME, self._own_file()):
                try:
                    kept.append(load_stars(path))
                except UsageError as fault:
                    kept.append(frozenset())
                    error = fault
        return StoredStars(kept[0], kept[1], error)

    def save(self, folder: Path, changes: Mapping[FilmRef, bool]) -> Path:
        """Give films their star or take it; other films keep theirs. Returns the file written.

        Raises:
            OSError: neither place can be written.
            UsageError: the user's own file has a fault.
        """
        own, beside = self._own_file(), folder / FILE_NAME
        with self._lock:
            try:
                keys = {film_key(film): starred for film, starred in changes.items()}
                _write(beside, load_stars(beside), keys)
            except (OSError, UsageError) as error:
                _log.info("stars go to the user's own folder: %s", type(error).__name__)
                keys = {own_key(film): starred for film, starred in changes.items()}
                own.parent.mkdir(parents=True, exist_ok=True)
                _write(own, load_stars(own), keys)
                return own
            copied = load_stars(own)
            if taken := {own_key(film): False for film in changes} if copied else {}:
                _write(own, copied, taken)
        return beside

    def _own_file(self) -> Path:
        return self._own or config_folder() / "stars.json"


def _write(path: Path, starred: frozenset[str], changes: Mapping[str, bool]) -> None:
    """A file without a star is no file."""
    given = {key for key, star in changes.items() if star}
    kept = (starred - changes.keys()) | given
    if kept == starred:
        return
    if kept:
        save_stars(path, kept)
    else:
        path.unlink(missing_ok=True)
