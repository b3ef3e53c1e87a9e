"""The files of stars: beside the films, or the user's own where that folder is read-only.

The user's own file has hashes of the films' identity and not of their paths, because a read-only
disc may be mounted elsewhere the next time.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

from xrayview.domain.film import FilmRef
from xrayview.errors import UsageError
from xrayview.io.file_lock import locked
from xrayview.io.tables.stars import FILE_NAME, load_stars, save_stars
from xrayview.services.file_version import FileVersion, version_of
from xrayview.services.resources import refuse_shipped
from xrayview.services.user_folders import config_folder

_log = logging.getLogger(__name__)


Others = Callable[[FilmRef], Sequence[FilmRef]]
"""Finds all listed films with the SOPInstanceUID of a film, which several files may have."""


def no_others(_film: FilmRef) -> Sequence[FilmRef]:
    """Of films that are not listed nothing is known."""
    return ()


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

    def is_starred(self, film: FilmRef, others: Others = no_others) -> bool:
        """True for a film that is in either file.

        Args:
            film: a film of the folder.
            others: finds all listed films with its SOPInstanceUID.
        """
        if self.keys_of(film, others):
            return True
        return bool(self.own) and not self.own.isdisjoint(own_keys(film, others))

    def keys_of(self, film: FilmRef, others: Others = no_others) -> frozenset[str]:
        """The film's keys beside the films.

        A UID alone, and the key of a file that was renamed, belong to the first film of that UID.
        """
        key = file_key(film)
        if key in self.beside or not film.sop_uid:
            return frozenset({key}) & self.beside
        if not _is_first(film, others):
            return frozenset()
        keys = self._by_uid.get(film.sop_uid, frozenset())
        return keys - {file_key(other) for other in others(film)}

    @cached_property
    def _by_uid(self) -> dict[str, frozenset[str]]:
        uids: dict[str, set[str]] = {}
        for key in self.beside:
            uids.setdefault(key.partition(_MARK)[0], set()).add(key)
        return {uid: frozenset(keys) for uid, keys in uids.items() if uid}


_MARK = "#"


def film_key(film: FilmRef) -> str:
    """The key of a film in the file beside it."""
    return film.sop_uid or film.relative_path


def file_key(film: FilmRef) -> str:
    """The same where another file has the same UID: with a hash of the film's path."""
    if not film.sop_uid:
        return film.relative_path
    return f"{film.sop_uid}{_MARK}{_digest(f'{film.sop_uid}/{film.relative_path}')[:16]}"


def own_key(film: FilmRef) -> str:
    """The key of a film in the user's own file: a hash that does not identify the patient."""
    return _digest(film.sop_uid or f"{film.file_size} {film.path.name}")[:32]


def own_file_key(film: FilmRef) -> str:
    """The same where another file has the same UID."""
    return _digest(f"{film.sop_uid} {film.file_size} {film.path.name}".lstrip())[:32]


def own_keys(film: FilmRef, others: Others = no_others) -> frozenset[str]:
    """The film's keys in the user's own file; that of a UID alone is the first film's."""
    if not film.sop_uid or not _is_first(film, others):
        return frozenset({own_file_key(film)})
    return frozenset({own_key(film), own_file_key(film)})


def _is_first(film: FilmRef, others: Others) -> bool:
    return film.relative_path <= min((f.relative_path for f in others(film)), default="\uffff")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


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

    def save(
        self, folder: Path, changes: Mapping[FilmRef, bool], others: Others = no_others
    ) -> StoredStars:
        """Set or remove the stars of films, keep those of others, and return them all.

        Raises:
            OSError: neither file can be written.
            UsageError: the user's own file is damaged.
        """
        own, beside = self._own_file(), folder / FILE_NAME
        with self._lock:
            try:
                refuse_shipped(folder)
                _write(beside, lambda stored: _keys_beside(stored, changes, others))
            except (OSError, UsageError) as error:
                _log.info("stars go to the user's own folder: %s", type(error).__name__)
                own.parent.mkdir(parents=True, exist_ok=True)
                _write(own, lambda _: _own_changes(changes, others))
                return self._load(folder, own)
            if load_stars(own):
                _write(own, lambda _: _own_changes(dict.fromkeys(changes, False), others))
            return self._load(folder, beside)

    def _own_file(self) -> Path:
        return self._own or config_folder() / "stars.json"


def _keys_beside(
    stored: frozenset[str], changes: Mapping[FilmRef, bool], others: Others
) -> dict[str, bool]:
    keys: dict[str, bool] = {}
    for film, starred in changes.items():
        keys |= dict.fromkeys(StoredStars(stored).keys_of(film, others), False)
        keys[file_key(film) if len(others(film)) > 1 else film_key(film)] = starred
    return keys


def _own_changes(changes: Mapping[FilmRef, bool], others: Others) -> dict[str, bool]:
    keys: dict[str, bool] = {}
    for film, starred in changes.items():
        keys |= dict.fromkeys(own_keys(film, others), False)
        keys[own_file_key(film) if len(others(film)) > 1 else own_key(film)] = starred
    return keys


def _write(path: Path, changes_of: Callable[[frozenset[str]], Mapping[str, bool]]) -> None:
    """Apply changes to the stars in a file; a file without any is deleted."""
    with locked(path):
        stored = load_stars(path)
        changes = changes_of(stored)
        added = {key for key, star in changes.items() if star}
        updated = (stored - changes.keys()) | added
        if updated == stored:
            return
        if updated:
            save_stars(path, updated)
        else:
            path.unlink(missing_ok=True)
