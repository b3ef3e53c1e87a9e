"""A heat map that takes a while shows how far it is, and can be cancelled."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.bundles import Slow, write_bundle
from tests.ui.conftest import FINDINGS, WAIT_MS
from xrayview.services.catalogue import trust_model
from xrayview.ui.shell.main_window import MainWindow


@pytest.fixture
def computing(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> MainWindow:
    """The window with an occlusion map in progress."""
    path = write_bundle(
        tmp_path / "slow.pt", Slow, task="multiclass", activation="softmax", findings=FINDINGS
    )
    trust_model(path)
    opened.open_model(path)
    workspace = opened.workspace
    session = workspace.session
    qtbot.waitUntil(lambda: session.model is not None, timeout=WAIT_MS)
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: session.result(session.current) is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "classified")
    workspace.heat_maps.set_method("occlusion")
    workspace.heat_maps.set_on(True)
    heat = workspace.findings.heat
    qtbot.waitUntil(lambda: "%" in heat.note.text(), timeout=WAIT_MS)
    assert not heat.cancel.isHidden()
    return opened


def test_that_a_long_map_can_be_cancelled(qtbot: QtBot, computing: MainWindow) -> None:
    workspace = computing.workspace
    heat = workspace.findings.heat
    heat.cancel.click()
    assert heat.note.text() == "The heat map was cancelled."
    assert heat.cancel.isHidden()
    assert not workspace.heat_maps.on
    workspace.heat_maps.set_method("input-gradient")
    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS) as ready:
        workspace.heat_maps.set_on(True)
    assert ready.args[0].method == "input-gradient"
    assert heat.cancel.isHidden()


def test_that_the_map_of_another_method_is_never_shown_under_the_chosen_one(
    qtbot: QtBot, computing: MainWindow
) -> None:
    workspace = computing.workspace
    viewer, method = workspace.viewer, workspace.findings.heat.method
    shown: list[str | None] = []

    def choose(name: str) -> None:
        method.setCurrentIndex(method.findData(name))
        shown.append(viewer.heat_layer.heat.method if viewer.heat_layer else None)

    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS):
        choose("input-gradient")
    choose("occlusion")  # it is not there yet
    choose("input-gradient")  # it is known
    choose("occlusion")
    assert shown == [None, None, "input-gradient", None]
    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS):
        pass
    assert viewer.heat_layer is not None
    assert viewer.heat_layer.heat.method == "occlusion"


def test_that_the_same_request_does_not_start_over(qtbot: QtBot, computing: MainWindow) -> None:
    workspace = computing.workspace
    files = workspace.model_controller.progress._files
    before = dict(files)
    workspace.heat_maps.request_all()
    assert files == before
    workspace.heat_maps.cancel()


def test_that_another_film_ends_the_map_of_the_one_before(
    qtbot: QtBot, computing: MainWindow
) -> None:
    workspace = computing.workspace
    session, before = workspace.session, workspace.session.current
    (_, progress) = next(iter(workspace.model_controller.progress._files.values()))
    workspace.films.step(1)
    assert session.current is not before
    assert progress._map is None or progress._map[-1] == 1
    qtbot.waitUntil(workspace.findings.heat.cancel.isHidden)
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: session.result(session.current) is not None, timeout=WAIT_MS)


def test_that_switching_it_off_cancels_it(qtbot: QtBot, computing: MainWindow) -> None:
    workspace = computing.workspace
    workspace.heat_maps.set_on(False)
    assert not workspace.model_controller.progress._files
    assert workspace.findings.heat.note.isHidden()
    assert workspace.findings.heat.cancel.isHidden()
