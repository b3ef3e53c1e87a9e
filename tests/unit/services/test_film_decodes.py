"""Decodes of films: once each, with raised priority on request, cancelled unless started."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.builders import phantom, write_dicom
from xrayview.domain.film import FilmRef
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import DecodeFilm
from xrayview.engine.scan import scan_folder
from xrayview.services.film_decodes import FilmDecodes
from xrayview.services.tasks import Tasks

WAIT_S = 120


@pytest.fixture(scope="module")
def films(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> list[FilmRef]:
    folder = tmp_path_factory.mktemp("films")
    large = phantom(2000, 2000, 12)
    write_dicom(folder / "0.dcm", large, transfer_syntax="1.2.840.10008.1.2.4.90")
    for name in "123":
        write_dicom(folder / f"{name}.dcm", phantom(), SOPInstanceUID=f"1.2.{name}")
    return [film for film in scan_folder(engine, folder) if isinstance(film, FilmRef)]


class Desk:
    """Requests films and records the results in order."""

    def __init__(self, engine: Engine) -> None:
        self._turns: queue.Queue[Callable[[], None]] = queue.Queue()
        self.heard: list[tuple[str, str]] = []
        self.tasks = Tasks(self._turns.put)
        self.decodes = FilmDecodes(self.tasks, engine, self._done, self._failed)

    def _done(self, film: FilmRef, radiograph: object, ready: object) -> None:
        self.heard.append((film.path.stem, "shown"))

    def _failed(self, film: FilmRef, error: Exception) -> None:
        self.heard.append((film.path.stem, str(error)))

    def until(self, count: int) -> list[str]:
        """Go on until so many films have come; their names."""
        while len(self.heard) < count:
            self._turns.get(timeout=WAIT_S)()
        return [name for name, _ in self.heard]


@pytest.fixture
def desk(engine: Engine) -> Iterator[Desk]:
    desk = Desk(engine)
    yield desk
    desk.tasks.close()


def test_that_a_film_requested_while_it_is_prefetched_is_decoded_once(
    desk: Desk, engine: Engine, films: list[FilmRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[object] = []
    submit = engine.submit
    monkeypatch.setattr(engine, "submit", lambda r, **k: (requests.append(r), submit(r, **k))[1])
    desk.decodes.request(films[0], Priority.PREFETCH)
    desk.decodes.request(films[0])
    desk.decodes.request(films[0])
    assert desk.until(1) == ["0"]
    assert len(requests) == 1
    assert not desk.decodes.is_pending(films[0])


def test_that_a_requested_film_overtakes_prefetched_ones(desk: Desk, films: list[FilmRef]) -> None:
    for film in films:  # the first ones keep the workers busy
        desk.decodes.request(film, Priority.PREFETCH)
    desk.decodes.request(films[3])
    landed = desk.until(4)
    assert landed.index("3") < landed.index("2")


def test_that_a_film_that_is_not_needed_is_cancelled_unless_it_has_started(
    desk: Desk, engine: Engine, films: list[FilmRef]
) -> None:
    begun = engine.submit(DecodeFilm(films[0], engine.limits))
    for film in films[1:]:
        desk.decodes.request(film)
    desk.decodes.cancel_all_except({films[2].film_id})
    assert [desk.decodes.is_pending(film) for film in films[1:]] == [False, True, False]
    assert desk.until(1) == ["2"]
    assert begun.result(WAIT_S).pixels_HW.shape == (2000, 2000)


def test_that_a_film_that_fails_is_reported_and_may_be_requested_again(
    desk: Desk, films: list[FilmRef], tmp_path: Path
) -> None:
    gone = FilmRef(tmp_path / "gone.dcm", "gone.dcm", format="dicom")
    for count in (1, 2):
        desk.decodes.request(gone)
        desk.until(count)
    assert desk.heard[0] == desk.heard[1]
    assert desk.heard[0][1] != "shown"


def test_that_cancelled_films_have_no_result(desk: Desk, films: list[FilmRef]) -> None:
    desk.decodes.request(films[0])
    desk.decodes.cancel_all()
    desk.decodes.request(films[1])
    assert desk.until(1) == ["1"]
