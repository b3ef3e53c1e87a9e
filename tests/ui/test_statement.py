"""Stating what is true of all films of the folder, from the panel to the rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_raster
from tests.bundles import write_bundle
from tests.ui.conftest import FINDINGS, WAIT_MS
from xrayview.domain.model import Scope
from xrayview.domain.stated import StatedFilms
from xrayview.errors import Status
from xrayview.io.tables.predictions import read_predictions
from xrayview.services.catalogue import trust_model
from xrayview.services.settings import Settings
from xrayview.services.statements import stored_statement
from xrayview.ui.findings.panel import FindingsPanel
from xrayview.ui.shell.main_window import MainWindow


@pytest.fixture(scope="module")
def children_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "children.pt"
    scope = Scope(age_years=(1, 5), view_positions=("AP",))
    write_bundle(
        path, name="children", task="multiclass", activation="softmax", findings=FINDINGS,
        scope=scope,
    )  # fmt: skip
    trust_model(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Doe Jane"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        write_raster(folder / name, phantom(64, 64, 8))
    return folder


@pytest.fixture
def classified(qtbot: QtBot, window: MainWindow, children_model: Path, folder: Path) -> MainWindow:
    workspace = window.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([folder])
    workspace.model_controller.open_model(children_model)
    qtbot.waitUntil(lambda: workspace.session.model is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: workspace.session.radiograph is not None, timeout=WAIT_MS)
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "classified", timeout=WAIT_MS)
    return window


def link_of(panel: FindingsPanel) -> QPushButton:
    buttons = panel.findChildren(QPushButton)
    return next(button for button in buttons if "for the folder" in button.text())


def state(qtbot: QtBot, window: MainWindow, age: str, view: str) -> None:
    controller = window.workspace.statement_controller
    qtbot.mouseClick(link_of(window.workspace.findings), Qt.MouseButton.LeftButton)
    dialog = controller.dialog
    assert dialog is not None
    dialog.age.setText(age)
    dialog.view.setCurrentIndex(dialog.view.findData(view))
    with qtbot.waitSignal(controller.changed):
        qtbot.keyClick(dialog.age, Qt.Key.Key_Return)


def test_that_a_statement_counts_at_once_everywhere_and_is_recorded(
    qtbot: QtBot, classified: MainWindow, settings: Settings, folder: Path
) -> None:
    workspace = classified.workspace
    session, panel = workspace.session, workspace.findings
    assert "Age, view, body part, modality: not in the file" in texts(panel)
    state(qtbot, classified, "18+", "AP")
    qtbot.waitUntil(lambda: "Caution" in texts(panel), timeout=WAIT_MS)
    assert "Stated: 18 years or older, AP" in texts(panel)
    result = session.result(session.current)
    assert result is not None
    assert result.status is Status.WARN
    state(qtbot, classified, "1-5", "AP")
    qtbot.waitUntil(lambda: "Caution" not in texts(panel), timeout=WAIT_MS)

    batch = workspace.batch_runner
    with qtbot.waitSignal(batch.finished, timeout=WAIT_MS):
        batch.start()
    assert batch.csv_path is not None
    flags = {row["gate_flags"] for row in read_predictions(batch.csv_path).rows}
    assert flags == {"AGE_STATED|VIEW_STATED|BODY_PART_UNKNOWN|MODALITY_UNKNOWN"}
    report = json.loads(batch.csv_path.with_name("predictions.run.json").read_text())
    assert report["stated"] == {"age_years": [1, 5], "view_position": "AP"}

    qtbot.waitUntil(
        lambda: stored_statement(Settings(settings.path), folder) == StatedFilms((1, 5), "AP")
    )
    assert "Doe Jane" not in json.dumps(Settings(settings.path)["folder_statements"])
    classified.open_paths([folder.parent])
    qtbot.waitUntil(lambda: session.stated == StatedFilms(), timeout=WAIT_MS)
    classified.open_paths([folder])
    qtbot.waitUntil(lambda: session.stated.view_position == "AP", timeout=WAIT_MS)


def test_that_an_answer_that_is_no_age_stays_in_the_dialog_with_its_problem(
    qtbot: QtBot, classified: MainWindow
) -> None:
    controller = classified.workspace.statement_controller
    controller.ask()
    dialog = controller.dialog
    assert dialog is not None
    dialog.age.setText("children")
    qtbot.keyClick(dialog.age, Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert "1-5" in dialog.problem.text()
    assert dialog.age.text() == "children"
    dialog.discard()
    assert classified.workspace.session.stated == StatedFilms()


def test_that_the_dialog_has_a_key_and_does_not_lose_answers(
    qtbot: QtBot, classified: MainWindow
) -> None:
    controller = classified.workspace.statement_controller
    qtbot.keyClick(classified, Qt.Key.Key_B, Qt.KeyboardModifier.ShiftModifier)
    dialog = controller.dialog
    assert dialog is not None
    dialog.age.setText("1-5")
    dialog.reject()
    assert dialog.isVisible()
    assert dialog.question is not None
    dialog.discard()
    assert classified.workspace.session.stated == StatedFilms()


def test_that_without_a_folder_the_statement_says_what_is_missing(window: MainWindow) -> None:
    window.workspace.statement_controller.ask()
    assert [message.title for message in window.banners.messages()] == ["No folder is open"]


def texts(panel: FindingsPanel) -> str:
    widgets = (*panel.findChildren(QLabel), *panel.findChildren(QPushButton))
    return "\n".join(widget.text() for widget in widgets if widget.isVisible())
