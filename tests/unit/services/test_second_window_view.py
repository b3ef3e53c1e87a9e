"""The detached view in the session."""

from __future__ import annotations

from pathlib import Path

import pytest

from xrayview.domain.film import FilmRef
from xrayview.services.session import Session

FOLDER = Path("/films")


def film(name: str) -> FilmRef:
    return FilmRef(FOLDER / name, name, rows=8, columns=8)


@pytest.fixture
def session() -> Session:
    """Films a and b in the two views of the grid, and c in the detached view."""
    session = Session()
    session.open_folder(FOLDER, [film(name) for name in "abc"], [])
    session.show_views(2)
    session.set_detached(True)
    for number, name in enumerate("abc"):
        session.select(film(name), number)
    return session


def names(session: Session) -> list[str]:
    return [view.film.relative_path if view.film else "" for view in session.views]


def test_that_the_detached_view_is_the_last_one_in_every_layout(session: Session) -> None:
    for count, shown in ((4, ["a", "b", "", "", "c"]), (1, ["a", "c"]), (2, ["a", "", "c"])):
        session.show_views(count)
        assert names(session) == shown
        assert session.detached == count


def test_that_the_detached_view_stays_active_when_the_layout_changes(session: Session) -> None:
    session.activate(2)
    session.show_views(1)
    assert (session.active, session.active_in_grid) == (1, 0)
    assert session.current == film("c")


def test_that_the_active_view_of_the_grid_stays_in_a_smaller_layout(session: Session) -> None:
    session.activate(1)
    session.activate(2)
    session.show_views(1)
    assert names(session) == ["b", "c"]


def test_that_closing_it_activates_the_view_that_was_active_before(session: Session) -> None:
    session.activate(1)
    session.activate(2)
    session.pinned = True
    session.set_detached(False)
    assert (session.active, session.detached, session.pinned) == (1, None, False)
    assert names(session) == ["a", "b"]


def test_that_another_folder_empties_and_unpins_it(session: Session) -> None:
    session.pinned = True
    session.open_folder(FOLDER, [film("d")], [])
    assert names(session) == ["", "", ""]
    assert not session.pinned
