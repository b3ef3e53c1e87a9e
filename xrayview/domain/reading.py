"""What readers say of films: label sets, verdicts, and what a session has of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class State(StrEnum):
    """A reader's verdict on one finding. No state means not assessed, which is not absent."""

    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"


class Quality(StrEnum):
    """The image quality that a reader gives a film."""

    GOOD = "good"
    LIMITED = "limited"
    UNUSABLE = "unusable"


@dataclass(frozen=True)
class RatingScale:
    """Whole numbers from `low` to `high` for ROC analysis, higher for more suspicious."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"a scale from {self.low} to {self.high}")


FIVE_STEPS = RatingScale(1, 5)
PERCENT = RatingScale(0, 100)


@dataclass(frozen=True)
class LabelSet:
    """The findings that readers assess; each change of the set makes a new version.

    Raises:
        ValueError: there is no finding, or one is listed twice.
    """

    findings: tuple[str, ...]
    scale: RatingScale | None = None
    """Of a rating beside the state; None without ratings."""
    version: int = 1

    def __post_init__(self) -> None:
        names = [name.strip().casefold() for name in self.findings]
        if not names or "" in names:
            raise ValueError("a label set needs findings with names")
        if len(set(names)) < len(names):
            raise ValueError("a finding is listed twice")


@dataclass(frozen=True)
class FilmKey:
    """What identifies a film, also after its folder has moved."""

    sop_uid: str
    """Empty for a film that is not DICOM."""
    frame: int
    path: str
    """Below the study folder, with forward slashes."""
    sha256: str = ""
    """Of the file when it was read; empty where it is not known yet."""


@dataclass(frozen=True)
class Verdict:
    """All that a reader says of a film at one time."""

    film: FilmKey
    states: Mapping[str, State] = field(default_factory=dict)
    """By finding; a finding that is not there was not assessed."""
    ratings: Mapping[str, int] = field(default_factory=dict)
    quality: Quality | None = None
    comment: str = ""
    time_utc: str = ""
    """When it was saved, ISO 8601."""
    seconds: float = 0.0
    """That the film was on screen before."""
    label_set: int = 1
    """The version of the label set."""
    viewer: Mapping[str, float | bool | str] = field(default_factory=dict)
    """Window, zoom and inversion at that time."""


@dataclass(frozen=True)
class Saved:
    """A verdict with its number in the session's file, counted from 1."""

    number: int
    verdict: Verdict
    taken_back: bool = False


class Readings:
    """The verdicts of one reader in one session, in the order in which they were saved.

    Films are found by SOPInstanceUID and path, then by a UID that is unique, then by path.
    """

    def __init__(self, saved: Iterable[Saved] = ()) -> None:
        self.saved: tuple[Saved, ...] = tuple(saved)
        self._valid = [s for s in self.saved if not s.taken_back]
        self._by_film: dict[tuple[str, int, str], list[Saved]] = {}
        paths: dict[tuple[str, int], set[str]] = {}
        for entry in self._valid:
            film = entry.verdict.film
            self._by_film.setdefault((film.sop_uid, film.frame, film.path), []).append(entry)
            paths.setdefault((film.sop_uid, film.frame), set()).add(film.path)
        self._moved = {key: found.pop() for key, found in paths.items() if len(found) == 1}

    def of(self, film: FilmKey) -> tuple[Verdict, ...]:
        """All verdicts on a film that were not taken back, the newest last."""
        found = self._by_film.get((film.sop_uid, film.frame, film.path))
        if found is None and film.sop_uid:
            path = self._moved.get((film.sop_uid, film.frame))
            found = self._by_film.get((film.sop_uid, film.frame, path)) if path else None
        return tuple(entry.verdict for entry in found or ())

    def newest(self, film: FilmKey) -> Verdict | None:
        """The verdict that counts."""
        verdicts = self.of(film)
        return verdicts[-1] if verdicts else None

    @property
    def last(self) -> Saved | None:
        """The verdict that an undo takes back."""
        return self._valid[-1] if self._valid else None

    @property
    def newest_verdicts(self) -> tuple[Verdict, ...]:
        """The verdict that counts, of every film that was read."""
        return tuple(found[-1].verdict for found in self._by_film.values())


def reading_order(films: Sequence[FilmKey], reader: str, session: str) -> list[FilmKey]:
    """Shuffle films by reader and session: the same at each start, whatever the folder's order."""
    ordered = sorted(films, key=lambda f: (f.sop_uid, f.path, f.frame))
    Random(f"{reader}\n{session}").shuffle(ordered)  # noqa: S311 - an order, not a secret
    return ordered


def next_unread(
    order: Sequence[FilmKey], readings: Readings, after: FilmKey | None
) -> FilmKey | None:
    """The next film without a verdict, from the start again at the end; None when all are read."""
    start = order.index(after) + 1 if after in order else 0
    return next((f for f in (*order[start:], *order[:start]) if not readings.of(f)), None)
