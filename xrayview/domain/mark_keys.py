"""The keys of films' annotations: several files may have one SOPInstanceUID.

`UID NAME SHA256`: the UID, a hash of the file's name, and the beginning of the file's SHA-256. A
file that was changed in place is known by its name, a renamed or copied one by its content. Without
a UID the key is `sha256:` and the hash of the file. A UID alone is the key of an earlier version;
it belongs to the first file of this UID that is saved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from xrayview.domain.mark_merge import merged
from xrayview.domain.measurement import FilmMarks

HASH_PREFIX = "sha256:"
_DIGITS = 16


def mark_key(sop_uid: str, file_name: str, sha256: str) -> str:
    """The key of a file's annotations."""
    if not sop_uid:
        return HASH_PREFIX + sha256
    name = f"{sop_uid}/{file_name}".encode("utf-8", "surrogateescape")
    return f"{sop_uid} {hashlib.sha256(name).hexdigest()[:_DIGITS]} {sha256[:_DIGITS]}"


def film_of(key: str) -> str:
    """What `Annotation.film` is for the key: the UID, or `sha256:` and the hash."""
    return key.partition(" ")[0]


def with_files(films: Mapping[str, FilmMarks]) -> dict[str, FilmMarks]:
    """The annotations as stored, by their full keys."""
    return {
        f"{key} {marks.file}" if marks.file and " " not in key else key: replace(marks, file="")
        for key, marks in films.items()
    }


def as_stored(films: Mapping[str, FilmMarks]) -> dict[str, FilmMarks]:
    """The annotations as they are stored: the first file of a UID has it alone as its key."""
    stored: dict[str, FilmMarks] = {}
    used = {key for key in films if " " not in key}
    for key, marks in films.items():
        uid, _, file = key.partition(" ")
        if file and uid not in used:
            used.add(uid)
            stored[uid] = replace(marks, file=file)
        else:
            stored[key] = marks
    return stored


class StoredMarks:
    """The stored annotations of a folder by key, to be found by file."""

    def __init__(self, films: Mapping[str, FilmMarks]) -> None:
        self._films = films
        self._by_uid: dict[str, list[str]] = {}
        for key in films:
            self._by_uid.setdefault(film_of(key), []).append(key)

    def of(self, key: str) -> FilmMarks:
        """The annotations of the file with this key."""
        return self.merged(self.keys_of(key))

    def merged(self, keys: Iterable[str]) -> FilmMarks:
        """The annotations of several keys together."""
        marks = FilmMarks()
        for stored in keys:
            marks = merged(marks, self._films[stored])
        return marks

    def keys_of(self, key: str) -> tuple[str, ...]:
        """The keys that belong to the file: of its name, else of its content, else of its UID.

        A UID alone stands for the only file that has it.
        """
        uid, _, file = key.partition(" ")
        known = [stored.split(" ") for stored in self._by_uid.get(uid, ())]
        with_file = [parts for parts in known if len(parts) == 3]
        if uid in self._films and not (file and with_file):
            return (uid,)
        if not file:
            return tuple(" ".join(parts) for parts in with_file) if len(with_file) == 1 else ()
        name, content = file.split(" ")
        by_name = [parts for parts in with_file if parts[1] == name]
        by_content = [parts for parts in with_file if content and parts[2] == content]
        return tuple(" ".join(parts) for parts in by_name or by_content)

    def replaced_by(self, key: str) -> tuple[str, ...]:
        """The keys whose annotations move to this one when it is saved: those of a copy stay."""
        name = key.split(" ")[1:2]
        keys = self.keys_of(key)
        return tuple(k for k in keys if k != key and (" " not in k or k.split(" ")[1:2] == name))

    @property
    def has_hashes(self) -> bool:
        """True where a film without a UID has annotations."""
        return any(uid.startswith(HASH_PREFIX) for uid in self._by_uid)

    def has_other_files_of(self, sop_uid: str) -> bool:
        """True where keys of this UID name a file, which may be another one."""
        return any(" " in key for key in self._by_uid.get(sop_uid, ()))
