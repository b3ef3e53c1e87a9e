"""The index of a folder: its files in a fixed order, from which shards are cut.

Files of one patient are next to each other, so that a shard is a range of rows and no patient is in
two shards.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from xrayview.domain.film import FilmRef, ScannedFile
from xrayview.domain.patient_ids import patient_in_path, stated_patient
from xrayview.errors import UsageError

GROUP_BITS = 63
"""A group fits into a signed integer of 64 bits."""
_SHARD = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True)
class IndexedFile:
    """One file of a folder, as its index lists it."""

    id: int
    """Position in scan order, from 0."""
    path: str
    """Path below the folder with forward slashes, as in the CSV."""
    size: int
    """In bytes; 0 for a file that was not opened."""
    mtime_ns: int
    patient: str
    """The patient by the identity mode of the index; empty if left out or unknown."""
    study: str
    """StudyInstanceUID; empty if it is not stated."""
    frames: int
    """By the header; 1 for a file that is not a film."""
    group: int
    """A keyed hash of what keeps the films of a patient together, below 2 ** GROUP_BITS."""
    status_code: str = "OK"
    """Of reading the header; `OK` for a film."""
    refusal: str = ""
    """Why the file is never opened (a pipe, a link out of the folder); empty for others."""
    hint: str = ""


@dataclass(frozen=True)
class Shard:
    """Part `number` (from 1) of `count`."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `3/100`. Raises: UsageError."""
        if match := _SHARD.fullmatch(text.strip()):
            shard = cls(int(match[1]), int(match[2]))
            if 1 <= shard.number <= shard.count:
                return shard
        raise UsageError(
            "Not a shard",
            why=f"{text}: expected K/N with K from 1 to N",
            hint="Write --shard 1/10 for the first of ten.",
        )

    def start(self, rows: int) -> int:
        """The row of an index of `rows` rows at which the shard begins, before patients are
        moved to one side."""
        return rows * (self.number - 1) // self.count


def group_key(identity_key: bytes) -> bytes:
    """The key of groups; groups cannot be linked to the patients' hashes in tables."""
    return hmac.new(identity_key, b"xrayview: groups of an index", hashlib.sha256).digest()


def patient_of(film: FilmRef, pattern: re.Pattern[str] | None = None) -> str:
    """The patient by the header, or else by the path; empty if neither says.

    Args:
        film: the film.
        pattern: finds a patient in the path of a film whose header names none.
    """
    stated = stated_patient(film.patient_id)
    return stated or (patient_in_path(film.relative_path, pattern) if pattern else "")


def group_of(file: ScannedFile, patient: str, key: bytes) -> int:
    """The group of a file: that of its patient, else of its study, else its own."""
    if patient:
        text = f"patient:{patient}"
    elif isinstance(file, FilmRef) and file.study_uid:
        text = f"study:{file.study_uid}"
    else:
        text = f"file:{file.relative_path}"
    digest = hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - GROUP_BITS)
