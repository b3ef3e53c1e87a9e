"""A reader's session over the films of a folder: what is next, saving, taking back, progress."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from xrayview.domain.film import FilmRef
from xrayview.domain.reading import (
    FilmKey,
    LabelSet,
    RatingScale,
    Readings,
    Saved,
    Verdict,
    next_unread,
    reading_order,
)
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing
from xrayview.io.dated_copy import kept_if_replaced
from xrayview.io.reading_log import (
    SessionHeader,
    append_take_back,
    append_verdict,
    read_log,
    session_files,
    start_log,
)
from xrayview.io.run_lock import run_lock

PROJECT_SUFFIX = ".xrayproject"
READINGS = "readings"
LABEL_SET = "label-set.json"


def project_folder(study: Path) -> Path:
    """The project of a study folder: `STUDY.xrayproject` beside it."""
    study = study.resolve()
    return study.with_name(f"{study.name}{PROJECT_SUFFIX}")


@dataclass(frozen=True)
class Progress:
    """How far a session is."""

    read: int
    total: int
    median_seconds: float | None
    """Time per film; None before the first."""


class ReaderSession:
    """One reader's session; only it writes to its file while it is open.

    Args:
        project: the project folder, which is created with the first session.
        header: reader, session, condition, blinding; those of the file where it exists.
        label_set: the findings to assess, and the rating scale.
        films: the films of the study.

    Raises:
        UsageError: another program has the session open, or its file is damaged or was made with
            another condition or blinding.
        OSError: the project cannot be written.
    """

    def __init__(
        self, project: Path, header: SessionHeader, label_set: LabelSet, films: Sequence[FilmRef]
    ) -> None:
        self.header = header
        self.label_set = label_set
        self._films = {film_key(film): film for film in films}
        self.order = reading_order(list(self._films), header.reader, header.session)
        self.path = session_path(project, header.reader, header.session)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            lock = self.path.with_name(f"{self.path.name}.lock")
            stack.enter_context(run_lock(lock, f"The session {header.session}"))
            self.readings = self._opened()
            self._held = stack.pop_all()
        self._shown_at = time.monotonic()

    def _opened(self) -> Readings:
        with suppress(FileExistsError):
            start_log(self.path, self.header)
            return Readings()
        header, readings = read_log(self.path)
        if header != self.header:
            raise UsageError(
                "The session was begun in another way",
                path=self.path,
                why=f"condition {header.condition or 'none'}, "
                f"{'blinded' if header.blinded else 'not blinded'}",
                hint="Choose the same, or give the session another name.",
            )
        return readings

    def film(self, key: FilmKey) -> FilmRef:
        """The film of a key of `order`."""
        return self._films[key]

    def next(self, after: FilmRef | None = None) -> FilmRef | None:
        """The next unread film in the session's order; None when all are read."""
        key = next_unread(self.order, self.readings, film_key(after) if after else None)
        return None if key is None else self._films[key]

    def shown(self) -> None:
        """Begin to count the time of a film that has come on screen."""
        self._shown_at = time.monotonic()

    def save(self, film: FilmRef, verdict: Verdict, sha256: str = "") -> None:
        """Save a verdict on a film; it is on disk when this returns.

        Raises:
            UsageError: it is empty, or has a finding or rating that is not in the label set.
            OSError: it cannot be written; then it is not among the readings.
        """
        self._check(verdict)
        verdict = replace(
            verdict,
            film=replace(film_key(film), sha256=sha256),
            time_utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
            seconds=round(time.monotonic() - self._shown_at, 3),
            label_set=self.label_set.version,
        )
        with self._as_stored():
            append_verdict(self.path, verdict)
        saved = self.readings.saved
        self.readings = Readings((*saved, Saved(len(saved) + 1, verdict)))

    def take_back(self) -> Verdict | None:
        """Take back the last verdict and return it; both stay in the file.

        Raises:
            OSError: it cannot be written.
        """
        last = self.readings.last
        if last is None:
            return None
        with self._as_stored():
            append_take_back(self.path, last.number)
        taken_back = replace(last, taken_back=True)
        self.readings = Readings(
            taken_back if entry is last else entry for entry in self.readings.saved
        )
        return last.verdict

    @contextmanager
    def _as_stored(self) -> Iterator[None]:
        """After a failed write, know what the file has: a line may be there all the same."""
        try:
            yield
        except OSError:
            with suppress(OSError):
                _, self.readings = read_log(self.path)
            raise

    def verdict(self, film: FilmRef) -> Verdict | None:
        """The verdict that counts."""
        return self.readings.newest(film_key(film))

    @property
    def progress(self) -> Progress:
        """How many films have a verdict, and the median time of a film."""
        newest = [v for key in self.order if (v := self.readings.newest(key))]
        seconds = [verdict.seconds for verdict in newest]
        return Progress(
            len(newest), len(self.order), statistics.median(seconds) if seconds else None
        )

    def close(self) -> None:
        """Let another program open the session."""
        self._held.close()

    def _check(self, verdict: Verdict) -> None:
        scale = self.label_set.scale
        unknown = {*verdict.states, *verdict.ratings} - set(self.label_set.findings)
        outside = [
            rating
            for rating in verdict.ratings.values()
            if scale is None or not scale.low <= rating <= scale.high
        ]
        if unknown or outside:
            what = f"{min(unknown)} is" if unknown else f"{outside[0]} is a rating that is"
            raise UsageError(f"{what} not in the label set", hint="Change the label set first.")
        if not (verdict.states or verdict.ratings or verdict.quality or verdict.comment.strip()):
            raise UsageError("The verdict is empty", hint="Give at least one finding a state.")


def film_key(film: FilmRef) -> FilmKey:
    """The key of a listed film; its content is not known yet."""
    return FilmKey(film.sop_uid, film.frame, film.relative_path)


def session_path(project: Path, reader: str, session: str) -> Path:
    """The file of a session; letters that file systems refuse become underscores.

    Raises:
        UsageError: reader or session is empty.
    """
    names = [re.sub(r"[^\w.-]+", "_", name.strip()).strip(".") for name in (reader, session)]
    if not all(names):
        raise UsageError("A session needs a reader and a name", hint="Fill in both.")
    return project / READINGS / names[0] / f"{names[1]}.jsonl"


def sessions_of(project: Path) -> list[tuple[SessionHeader, Readings]]:
    """All sessions of a project, other readers' too.

    Raises:
        UsageError: a file is damaged.
        OSError: a file cannot be read.
    """
    return [read_log(path) for path in session_files(project / READINGS)]


def load_label_set(project: Path) -> LabelSet | None:
    """The label set of a project; None where there is none.

    Raises:
        UsageError: the file is damaged.
    """
    path = project / LABEL_SET
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        scale = RatingScale(**entry["scale"]) if entry["scale"] else None
        return LabelSet(tuple(map(str, entry["findings"])), scale, int(entry["version"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            "The label set cannot be read", path=path, why=str(error), hint="Repair or remove it."
        ) from error


def save_label_set(project: Path, label_set: LabelSet) -> LabelSet:
    """Save a label set as the next version; the file that it replaces is kept as a copy.

    Raises:
        OSError: it cannot be written.
        UsageError: the stored one is damaged.
    """
    stored = load_label_set(project)
    if stored and replace(label_set, version=stored.version) == stored:
        return stored
    label_set = replace(label_set, version=stored.version + 1 if stored else 1)
    project.mkdir(parents=True, exist_ok=True)
    path = project / LABEL_SET
    with kept_if_replaced(path), replacing(path) as stream:
        json.dump({"schema": 1, **asdict(label_set)}, stream, indent=1)
        stream.write("\n")
    return label_set
