"""The number of a film on screen is that of the list as it is, and Down goes on from there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from xrayview.domain.film import FilmRef
from xrayview.ui.browser.filter import Filter, Verdict
from xrayview.ui.shell.main_window import MainWindow


def position(window: MainWindow, view_index: int = 0) -> str:
    """The position that is drawn on a film."""
    position, total = window.workspace.grid.viewers[view_index]._position
    return f"{position}/{total}"


def named(window: MainWindow, name: str) -> FilmRef:
    return next(f for f in window.workspace.session.films if f.relative_path == name)


def test_that_the_number_follows_the_filter_in_every_view(qtbot: QtBot, opened: MainWindow) -> None:
    workspace = opened.workspace
    workspace.view_controller.set_layout("1x2")
    qtbot.waitUntil(
        lambda: [position(opened, i) for i in (0, 1)] == ["1/4", "2/4"], timeout=WAIT_MS
    )
    workspace.browser.field.setText("film2")
    qtbot.waitUntil(lambda: [position(opened, i) for i in (0, 1)] == ["0/1", "1/1"])
    workspace.browser.field.setText("")
    qtbot.waitUntil(lambda: [position(opened, i) for i in (0, 1)] == ["1/4", "2/4"])


def test_that_the_number_follows_stars(qtbot: QtBot, opened: MainWindow) -> None:
    workspace = opened.workspace
    workspace.stars.toggle(named(opened, "film1.dcm"))
    workspace.stars.toggle(named(opened, "film3.dcm"))
    workspace.browser.filter.set_criteria(Filter(starred=True))
    qtbot.waitUntil(lambda: position(opened) == "1/2")
    workspace.stars.toggle(named(opened, "film3.dcm"))
    qtbot.waitUntil(lambda: position(opened) == "1/1")
    for film in workspace.session.films:
        if workspace.stars.is_starred(film):
            workspace.stars.toggle(film)


def test_that_the_next_film_is_the_one_after_a_film_that_the_filter_has_hidden(
    qtbot: QtBot, ready: MainWindow
) -> None:
    workspace = ready.workspace
    workspace.browser.filter.set_criteria(Filter(verdicts=frozenset({Verdict.UNCLASSIFIED})))
    workspace.films.open_film(named(ready, "film2.dcm"))
    qtbot.waitUntil(lambda: position(ready) == "2/4", timeout=WAIT_MS)
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: position(ready) == "0/3", timeout=WAIT_MS)
    qtbot.keyClick(ready, Qt.Key.Key_Down)
    assert workspace.session.current is not None
    assert workspace.session.current.relative_path == "film3.dcm"
    qtbot.waitUntil(lambda: position(ready) == "2/3", timeout=WAIT_MS)
