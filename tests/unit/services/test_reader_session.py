"""A reader's session on disk: order, saving, taking back, crashes, and what is exported."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from xrayview.domain.film import FilmRef
from xrayview.domain.reading import FIVE_STEPS, LabelSet, Quality, State, Verdict
from xrayview.errors import UsageError
from xrayview.io.reading_log import SessionHeader, read_log
from xrayview.services.labels import read_labels
from xrayview.services.reader_session import (
    ReaderSession,
    film_key,
    load_label_set,
    project_folder,
    save_label_set,
    session_path,
    sessions_of,
)
from xrayview.services.readings_export import film_labels, write_labels, write_readings

LABELS = LabelSet(("Pneumonia", "Effusion"), FIVE_STEPS)
HEADER = SessionHeader("MK", "first", "without AI", blinded=True)


def films(study: Path, count: int = 6) -> list[FilmRef]:
    return [FilmRef(study / f"f{i}.png", f"f{i}.png") for i in range(count)]


def verdict(**states: State) -> Verdict:
    return Verdict(film_key(films(Path("x"))[0]), states)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[ReaderSession]:
    opened = ReaderSession(tmp_path / "p", HEADER, LABELS, films(tmp_path))
    yield opened
    opened.close()


def reopened(session: ReaderSession, tmp_path: Path) -> ReaderSession:
    session.close()
    return ReaderSession(tmp_path / "p", HEADER, LABELS, films(tmp_path))


def test_that_the_order_is_one_of_its_own_for_each_reader_and_session(tmp_path: Path) -> None:
    orders = []
    for header in (HEADER, replace(HEADER, reader="AB"), replace(HEADER, session="second")):
        opened = ReaderSession(tmp_path / "p", header, LABELS, films(tmp_path)[::-1])
        orders.append([key.path for key in opened.order])
        opened.close()
    assert len({tuple(order) for order in orders}) == 3
    again = ReaderSession(tmp_path / "p", HEADER, LABELS, films(tmp_path))
    assert [key.path for key in again.order] == orders[0]
    again.close()


def test_that_next_is_the_next_unread_film_and_begins_again(session: ReaderSession) -> None:
    first, second, last = (session.film(session.order[i]) for i in (0, 1, -1))
    assert session.next() == first
    session.save(first, verdict(Pneumonia=State.PRESENT))
    assert session.next(after=first) == second
    assert session.next(after=last) == second
    for key in session.order[1:]:
        session.save(session.film(key), verdict(Pneumonia=State.ABSENT))
    assert session.next(after=first) is None
    assert session.progress.read == session.progress.total == 6


def test_that_a_saved_verdict_is_there_after_a_restart(
    session: ReaderSession, tmp_path: Path
) -> None:
    film = session.film(session.order[0])
    said = replace(
        verdict(Pneumonia=State.UNCERTAIN),
        ratings={"Pneumonia": 3}, quality=Quality.LIMITED, comment="motion", viewer={"zoom": 2.0},
    )  # fmt: skip
    session.save(film, said, sha256="ab")
    again = reopened(session, tmp_path)
    found = again.verdict(film)
    assert found is not None
    assert (found.states, found.ratings, found.quality, found.comment, found.viewer) == (
        said.states, said.ratings, said.quality, said.comment, said.viewer,
    )  # fmt: skip
    assert found.film.sha256 == "ab"
    assert found.time_utc
    again.close()


def test_that_a_second_verdict_keeps_the_first_and_both_can_be_taken_back(
    session: ReaderSession, tmp_path: Path
) -> None:
    film = session.film(session.order[0])
    session.save(film, verdict(Pneumonia=State.PRESENT))
    session.save(film, verdict(Pneumonia=State.ABSENT))
    assert len(session.readings.of(film_key(film))) == 2
    session.take_back()
    found = session.verdict(film)
    assert found is not None
    assert found.states == {"Pneumonia": State.PRESENT}
    again = reopened(session, tmp_path)
    again.take_back()
    assert again.verdict(film) is None
    assert again.take_back() is None
    assert [entry.taken_back for entry in again.readings.saved] == [True, True]
    again.close()


def test_that_a_verdict_cut_off_by_a_crash_costs_nothing_else(
    session: ReaderSession, tmp_path: Path
) -> None:
    first, second = (session.film(key) for key in session.order[:2])
    session.save(first, verdict(Pneumonia=State.PRESENT))
    with session.path.open("ab") as stream:
        stream.write(b'{"verdict": {"film": {"sop_u')
    again = reopened(session, tmp_path)
    assert again.progress.read == 1
    again.save(second, verdict(Pneumonia=State.ABSENT))
    assert again.take_back() is not None
    last = reopened(again, tmp_path)
    assert last.progress.read == 1
    assert last.verdict(first) is not None
    last.close()


def test_that_a_damaged_line_is_refused_and_left_alone(
    session: ReaderSession, tmp_path: Path
) -> None:
    for key in session.order[:2]:
        session.save(session.film(key), verdict(Pneumonia=State.PRESENT))
    lines = session.path.read_bytes().split(b"\n")
    damaged = b"\n".join([lines[0], lines[1][:40], *lines[2:]])
    session.path.write_bytes(damaged)
    with pytest.raises(UsageError, match="line 2"):
        reopened(session, tmp_path)
    assert session.path.read_bytes() == damaged


def test_that_one_program_at_a_time_has_a_session(session: ReaderSession, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"in use by another run.*process {os.getpid()}"):
        ReaderSession(tmp_path / "p", HEADER, LABELS, films(tmp_path))


def test_that_a_session_keeps_its_condition(session: ReaderSession, tmp_path: Path) -> None:
    session.close()
    with pytest.raises(UsageError, match="condition without AI, blinded"):
        ReaderSession(tmp_path / "p", replace(HEADER, blinded=False), LABELS, films(tmp_path))


def test_that_what_is_not_in_the_label_set_is_refused(session: ReaderSession) -> None:
    film = session.film(session.order[0])
    wrong = [
        verdict(Fracture=State.PRESENT),
        replace(verdict(), ratings={"Pneumonia": 6}),
        verdict(),
    ]
    for said in wrong:
        with pytest.raises(UsageError):
            session.save(film, said)
    assert session.readings.saved == ()


def test_that_a_film_without_space_on_disk_is_unread(
    session: ReaderSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = session.film(session.order[0])
    real = os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) < 60:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:50])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space"):
            session.save(film, verdict(Pneumonia=State.PRESENT))
    assert session.progress.read == 0
    session.save(film, verdict(Pneumonia=State.ABSENT))
    again = reopened(session, tmp_path)
    found = again.verdict(film)
    assert found is not None
    assert found.states == {"Pneumonia": State.ABSENT}
    again.close()


def test_that_label_sets_are_versioned(tmp_path: Path) -> None:
    project = project_folder(tmp_path / "study")
    assert project.name == "study.xrayproject"
    assert load_label_set(project) is None
    assert save_label_set(project, LABELS).version == 1
    assert save_label_set(project, LABELS).version == 1
    more = LabelSet(("Pneumonia", "Effusion", "Nodule"))
    assert save_label_set(project, more).version == 2
    assert load_label_set(project) == replace(more, version=2)
    assert len(list(project.glob("label-set.*.json"))) == 1


def test_that_readers_have_files_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a reader and a name"):
        session_path(tmp_path, " ", "first")
    assert session_path(tmp_path, "M/K", "1. Sitzung").parts[-2:] == ("M_K", "1._Sitzung.jsonl")


def test_that_readings_are_exported_as_a_long_table_and_as_labels(tmp_path: Path) -> None:
    project, study = tmp_path / "p", films(tmp_path, 3)
    said = {
        "MK": [(0, State.PRESENT), (1, State.ABSENT), (2, State.ABSENT), (0, State.PRESENT)],
        "AB": [(0, State.PRESENT), (1, State.ABSENT), (2, State.PRESENT)],
    }
    for reader, verdicts in said.items():
        opened = ReaderSession(project, SessionHeader(reader, "1"), LABELS, study)
        for index, state in verdicts:
            opened.save(study[index], verdict(Pneumonia=state, Effusion=State.ABSENT))
        opened.close()
    sessions = sessions_of(project)
    assert write_readings(tmp_path / "readings.csv", sessions) == 7
    with (tmp_path / "readings.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 14
    assert sum(row["counts"] == "1" for row in rows) == 12
    labels = film_labels(sessions, LABELS.findings)
    assert [label.differ for label in labels] == [(), (), ("Pneumonia",)]
    assert write_labels(tmp_path / "labels.csv", labels) == ["f2.png"]
    read = read_labels(tmp_path / "labels.csv")
    assert [read.of(f"f{i}.png") for i in range(3)] == ["Pneumonia", "No Finding", ""]


def test_that_a_log_names_its_reader(session: ReaderSession) -> None:
    assert read_log(session.path)[0] == HEADER
