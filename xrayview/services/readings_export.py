"""Readings of a project as tables: every verdict in one long table, and labels for training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xrayview.domain.reading import FilmKey, Readings, State, Verdict
from xrayview.io.dated_copy import kept_if_replaced
from xrayview.io.reading_log import SessionHeader
from xrayview.io.tables.cells import printable_name
from xrayview.io.tables.results import write_table

Sessions = Sequence[tuple[SessionHeader, Readings]]
READING_COLUMNS = (
    "reader", "session", "condition", "blinded", "film", "frame", "SOPInstanceUID", "sha256",
    "finding", "state", "rating", "quality", "comment", "time_utc", "seconds", "label_set",
    "counts",
)  # fmt: skip
LABEL_COLUMNS = ("path", "frame", "label", "readers")


@dataclass(frozen=True)
class FilmLabel:
    """What the readers of a film say of it together."""

    film: FilmKey
    present: tuple[str, ...]
    """Findings that most readers of the film call present."""
    differ: tuple[str, ...]
    """Findings on which readers differ; they are in neither list where no side has more."""
    open: tuple[str, ...]
    """Findings that are uncertain, undecided or not assessed by anyone."""
    readers: int


def write_readings(path: Path, sessions: Sessions) -> int:
    """Write one row per verdict and finding; the number of verdicts.

    The column `counts` is 1 for the newest verdict of a reader, session and film that was not
    taken back.

    Raises:
        OSError: it cannot be written.
    """
    rows: list[Sequence[object]] = []
    verdicts = 0
    for header, readings in sessions:
        newest = {id(verdict) for verdict in readings.newest_verdicts}
        for entry in readings.saved:
            verdicts += 1
            counts = int(id(entry.verdict) in newest and not entry.taken_back)
            rows += _rows(header, entry.verdict, counts)
    with kept_if_replaced(path):
        write_table(path, READING_COLUMNS, rows)
    return verdicts


def _rows(header: SessionHeader, verdict: Verdict, counts: int) -> Iterable[Sequence[object]]:
    film = verdict.film
    for finding in sorted({*verdict.states, *verdict.ratings}) or [""]:
        state = verdict.states.get(finding)
        rating = verdict.ratings.get(finding, "")
        yield (
            header.reader, header.session, header.condition, int(header.blinded),
            printable_name(film.path), film.frame, film.sop_uid, film.sha256,
            finding, state.value if state else "", rating,
            verdict.quality.value if verdict.quality else "", verdict.comment,
            verdict.time_utc, verdict.seconds, verdict.label_set, counts,
        )  # fmt: skip


def film_labels(sessions: Sessions, findings: Sequence[str]) -> list[FilmLabel]:
    """Join the newest verdicts of all sessions by film; each reader has one vote per finding.

    A reader's newest verdict counts, whatever its session.
    """
    votes: dict[tuple[str, int, str], dict[str, Verdict]] = {}
    for header, readings in sessions:
        for verdict in readings.newest_verdicts:
            film = verdict.film
            by_reader = votes.setdefault((film.sop_uid, film.frame, film.path), {})
            other = by_reader.get(header.reader)
            if other is None or other.time_utc <= verdict.time_utc:
                by_reader[header.reader] = verdict
    return [
        _label(FilmKey(uid, frame, path), list(by_reader.values()), findings)
        for (uid, frame, path), by_reader in sorted(votes.items(), key=lambda item: item[0][2])
    ]


def _label(film: FilmKey, verdicts: Sequence[Verdict], findings: Sequence[str]) -> FilmLabel:
    present, differ, undecided = [], [], []
    for finding in findings:
        states = Counter(s for v in verdicts if (s := v.states.get(finding)))
        if len(states) > 1:
            differ.append(finding)
        ranked = states.most_common(2)
        has_majority = bool(ranked) and (len(ranked) == 1 or ranked[0][1] > ranked[1][1])
        if not has_majority or ranked[0][0] is State.UNCERTAIN:
            undecided.append(finding)
        elif ranked[0][0] is State.PRESENT:
            present.append(finding)
    return FilmLabel(film, tuple(present), tuple(differ), tuple(undecided), len(verdicts))


def write_labels(path: Path, labels: Iterable[FilmLabel], none: str = "No Finding") -> list[str]:
    """Write `labels.csv` as training reads it; the paths of films that were left out.

    A film has the findings that are present, joined by `|`, or `none` where all are absent. A film
    with an open finding is left out: the table cannot say that a finding is not known.

    Raises:
        OSError: it cannot be written.
    """
    rows, left_out = [], []
    for label in labels:
        if label.open:
            left_out.append(label.film.path)
            continue
        film = label.film
        text = "|".join(label.present) or none
        rows.append((printable_name(film.path), film.frame or "", text, label.readers))
    with kept_if_replaced(path):
        write_table(path, LABEL_COLUMNS, rows)
    return left_out
