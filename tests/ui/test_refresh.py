"""The window's refresh: once per turn of the event loop, and only of what differs."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from xrayview.ui.film_controller import ViewChange, ViewEvent
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.widgets.refresh_scheduler import RefreshScheduler


def test_that_many_requests_are_one_refresh(qapp: QApplication) -> None:
    scheduler, refreshed = RefreshScheduler(), []
    scheduler.due.connect(lambda: refreshed.append(True))
    for _ in range(5):
        scheduler.request()
    assert refreshed == []
    QCoreApplication.sendPostedEvents(scheduler)
    assert refreshed == [True]


def test_that_a_refresh_at_once_replaces_the_requested_one(qapp: QApplication) -> None:
    scheduler, refreshed = RefreshScheduler(), []
    scheduler.due.connect(lambda: refreshed.append(True))
    scheduler.request()
    scheduler.run_now()
    QCoreApplication.sendPostedEvents(scheduler)
    assert refreshed == [True]


def test_that_a_step_to_a_decoded_film_is_one_change_and_one_refresh(
    qtbot: QtBot, opened: MainWindow
) -> None:
    workspace = opened.workspace
    following = workspace.session.films[1]
    qtbot.waitUntil(lambda: workspace.session.is_decoded(following), timeout=WAIT_MS)
    workspace.refresh.run_now()
    changes: list[ViewChange] = []
    refreshed: list[bool] = []
    changed_actions: list[bool] = []
    workspace.films.view_changed.connect(changes.append)
    workspace.refresh.due.connect(lambda: refreshed.append(True))
    for action in opened.bar.actions():
        action.changed.connect(lambda: changed_actions.append(True))
    workspace.films.step(1)
    QCoreApplication.sendPostedEvents(workspace.refresh)
    assert changes == [ViewChange(0, ViewEvent.FILM)]
    assert refreshed == [True]
    assert changed_actions == []
    assert workspace.viewer.film_id == following.film_id
