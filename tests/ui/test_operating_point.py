"""Dragging the operating point's tick in the findings panel."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from xrayview.domain.model import Prediction
from xrayview.domain.operating_points import OWN
from xrayview.ui.findings.score_bar import ScoreBar
from xrayview.ui.shell.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def classified(qtbot: QtBot, ready: MainWindow) -> MainWindow:
    workspace = ready.workspace
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "classified", timeout=WAIT_MS)
    return ready


def bar_of(window: MainWindow, finding: str) -> ScoreBar:
    bars = window.workspace.findings.findChildren(ScoreBar)
    return next(bar for bar in bars if bar.scored.finding.name == finding)


def prediction_of(window: MainWindow) -> Prediction:
    session = window.workspace.session
    return session.result(session.current).prediction


def drag(qtbot: QtBot, bar: ScoreBar, threshold: float) -> None:
    y = bar.height() - 12
    qtbot.mousePress(bar, LEFT, pos=QPoint(round(bar.tick_x()), y))
    qtbot.mouseMove(bar, QPoint(round(bar.width() * threshold), y))
    qtbot.mouseRelease(bar, LEFT, pos=QPoint(round(bar.width() * threshold), y))


def test_that_a_dragged_tick_changes_the_flag_of_the_finding(
    qtbot: QtBot, classified: MainWindow
) -> None:
    before = prediction_of(classified)
    score = before.scores[before.findings.index("Opacity")]
    bar = bar_of(classified, "Opacity")
    for threshold, flagged in ((min(score + 0.2, 0.99), False), (max(score - 0.2, 0.01), True)):
        drag(qtbot, bar, threshold)
        after = prediction_of(classified)
        index = after.findings.index("Opacity")
        assert after.thresholds[index] == pytest.approx(threshold, abs=0.02)
        assert after.flags[index] is flagged
        assert after.scores == before.scores
    assert bar.scored.point.name == OWN
    assert "your own" in bar.toolTip()


def test_that_dragging_the_tick_requests_no_heat_map(qtbot: QtBot, classified: MainWindow) -> None:
    bar, chosen = bar_of(classified, "Opacity"), []
    bar.chosen.connect(chosen.append)
    drag(qtbot, bar, 0.2)
    assert chosen == []
    qtbot.mouseClick(bar, LEFT, pos=QPoint(4, 8))
    assert chosen == ["Opacity"]


def test_that_a_button_a_double_click_or_a_key_resets_the_point_to_the_cards(
    qtbot: QtBot, classified: MainWindow
) -> None:
    card = prediction_of(classified)
    bar = bar_of(classified, "Opacity")
    reset = next(
        b for b in classified.workspace.findings.findChildren(QPushButton) if "Reset" in b.text()
    )
    assert not reset.isVisible()
    for act in (
        lambda: qtbot.mouseClick(reset, LEFT),
        lambda: qtbot.mouseDClick(bar, LEFT, pos=QPoint(round(bar.tick_x()), bar.height() - 12)),
        lambda: qtbot.keyClick(bar, Qt.Key.Key_Backspace),
    ):
        drag(qtbot, bar, 0.3)
        assert reset.isVisible()
        act()
        assert prediction_of(classified) == card


def test_that_the_keys_move_the_tick_by_hundredths(qtbot: QtBot, classified: MainWindow) -> None:
    bar = bar_of(classified, "Opacity")
    bar.setFocus()
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    assert bar.scored.point.threshold == pytest.approx(0.61)
    qtbot.keyClick(bar, Qt.Key.Key_Left)
    qtbot.keyClick(bar, Qt.Key.Key_Left)
    assert bar.scored.point.threshold == pytest.approx(0.59)


def test_that_a_batch_uses_the_point_in_force_and_records_its_origin(
    qtbot: QtBot, classified: MainWindow
) -> None:
    drag(qtbot, bar_of(classified, "Opacity"), 0.3)
    threshold = classified.workspace.session.own_points["Opacity"]
    batch = classified.workspace.batch_runner
    with qtbot.waitSignal(batch.finished, timeout=WAIT_MS):
        qtbot.keyClick(classified, Qt.Key.Key_B)
    assert f",{threshold!r}," in batch.csv_path.read_text(encoding="utf-8")
    points = json.loads(batch.csv_path.with_name("predictions.run.json").read_text())[
        "operating_points"
    ]
    of = {point["finding"]: point for point in points}
    assert (of["Opacity"]["threshold"], of["Opacity"]["origin"]) == (threshold, "user")
    assert of["Normal"]["origin"] == "card"
