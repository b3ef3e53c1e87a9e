"""The operating point's tick in the findings panel, pulled by hand."""

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
def judged(qtbot: QtBot, ready: MainWindow) -> MainWindow:
    workspace = ready.workspace
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "judged", timeout=WAIT_MS)
    return ready


def bar_of(window: MainWindow, finding: str) -> ScoreBar:
    bars = window.workspace.findings.findChildren(ScoreBar)
    return next(bar for bar in bars if bar.scored.finding.name == finding)


def said_of(window: MainWindow) -> Prediction:
    session = window.workspace.session
    return session.result(session.current).prediction


def pull(qtbot: QtBot, bar: ScoreBar, threshold: float) -> None:
    y = bar.height() - 12
    qtbot.mousePress(bar, LEFT, pos=QPoint(round(bar.tick_x()), y))
    qtbot.mouseMove(bar, QPoint(round(bar.width() * threshold), y))
    qtbot.mouseRelease(bar, LEFT, pos=QPoint(round(bar.width() * threshold), y))


def test_that_the_tick_is_pulled_and_the_finding_flagged_anew(
    qtbot: QtBot, judged: MainWindow
) -> None:
    before = said_of(judged)
    score = before.scores[before.findings.index("Opacity")]
    bar = bar_of(judged, "Opacity")
    for threshold, flagged in ((min(score + 0.2, 0.99), False), (max(score - 0.2, 0.01), True)):
        pull(qtbot, bar, threshold)
        after = said_of(judged)
        place = after.findings.index("Opacity")
        assert after.thresholds[place] == pytest.approx(threshold, abs=0.02)
        assert after.flags[place] is flagged
        assert after.scores == before.scores
    assert bar.scored.point.name == OWN
    assert "your own" in bar.toolTip()


def test_that_pulling_the_tick_asks_for_no_heat_map(qtbot: QtBot, judged: MainWindow) -> None:
    bar, chosen = bar_of(judged, "Opacity"), []
    bar.chosen.connect(chosen.append)
    pull(qtbot, bar, 0.2)
    assert chosen == []
    qtbot.mouseClick(bar, LEFT, pos=QPoint(4, 8))
    assert chosen == ["Opacity"]


def test_that_the_cards_point_is_given_back_by_button_double_click_or_key(
    qtbot: QtBot, judged: MainWindow
) -> None:
    card = said_of(judged)
    bar = bar_of(judged, "Opacity")
    give_back = next(
        b for b in judged.workspace.findings.findChildren(QPushButton) if "give back" in b.text()
    )
    assert not give_back.isVisible()
    for act in (
        lambda: qtbot.mouseClick(give_back, LEFT),
        lambda: qtbot.mouseDClick(bar, LEFT, pos=QPoint(round(bar.tick_x()), bar.height() - 12)),
        lambda: qtbot.keyClick(bar, Qt.Key.Key_Backspace),
    ):
        pull(qtbot, bar, 0.3)
        assert give_back.isVisible()
        act()
        assert said_of(judged) == card


def test_that_the_keys_move_the_tick_by_hundredths(qtbot: QtBot, judged: MainWindow) -> None:
    bar = bar_of(judged, "Opacity")
    bar.setFocus()
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    assert bar.scored.point.threshold == pytest.approx(0.61)
    qtbot.keyClick(bar, Qt.Key.Key_Left)
    qtbot.keyClick(bar, Qt.Key.Key_Left)
    assert bar.scored.point.threshold == pytest.approx(0.59)


def test_that_a_batch_keeps_the_point_in_force_and_says_whose_it_is(
    qtbot: QtBot, judged: MainWindow
) -> None:
    pull(qtbot, bar_of(judged, "Opacity"), 0.3)
    threshold = judged.workspace.session.own_points["Opacity"]
    batch = judged.workspace.batch_runner
    with qtbot.waitSignal(batch.finished, timeout=WAIT_MS):
        qtbot.keyClick(judged, Qt.Key.Key_B)
    assert f",{threshold!r}," in batch.csv_path.read_text(encoding="utf-8")
    points = json.loads(batch.csv_path.with_name("run.json").read_text())["operating_points"]
    of = {point["finding"]: point for point in points}
    assert (of["Opacity"]["threshold"], of["Opacity"]["origin"]) == (threshold, "user")
    assert of["Normal"]["origin"] == "card"
