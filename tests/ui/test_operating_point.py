"""Dragging the operating point's tick in the findings panel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.bundles import write_bundle
from tests.ui.conftest import FINDINGS, WAIT_MS
from xrayview.domain.model import Prediction
from xrayview.domain.operating_points import OWN
from xrayview.io.tables.predictions import Row, read_predictions, write_predictions
from xrayview.services.catalogue import trust_model
from xrayview.ui.export.heat_map_choice import heat_map_offer
from xrayview.ui.findings.controller import chip_of
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


def test_that_a_moved_point_is_in_force_everywhere_until_it_is_reset(
    qtbot: QtBot, classified: MainWindow, tmp_path: Path
) -> None:
    # What a multiclass model predicts does not depend on operating points.
    path = write_bundle(tmp_path / "many.pt", task="multilabel", findings=FINDINGS)
    trust_model(path)
    workspace = classified.workspace
    workspace.model_controller.open_model(path)
    qtbot.waitUntil(lambda: workspace.session.model.card.task == "multilabel", timeout=WAIT_MS)
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "classified", timeout=WAIT_MS)
    session, batch, table = workspace.session, workspace.batch_runner, workspace.result_table
    with qtbot.waitSignal(batch.finished, timeout=WAIT_MS):
        qtbot.keyClick(classified, Qt.Key.Key_B)
    rows = rows_of(batch.csv_path)
    film = session.current
    drag(qtbot, bar_of(classified, "Normal"), 0.99)
    labels = tmp_path / "labels.csv"
    labels.write_text("path,label\n" + f"{film.relative_path},Opacity\n", encoding="utf-8")
    workspace.batch_controller.compare_with_labels(labels)
    qtbot.waitUntil(lambda: not table.comparison.isHidden(), timeout=WAIT_MS)
    before = prediction_of(classified)
    score = before.scores[before.findings.index("Opacity")]

    def seen() -> dict[str, object]:
        """The flag of the film's finding, wherever it can be seen."""
        shown = next(r for r in table.rows.results if r.relative_path == film.relative_path)
        row = rows_of(batch.csv_path)[film.relative_path]
        copy = tmp_path / "copy.csv"
        batch.save_as(copy)
        report = json.loads(batch.csv_path.with_name("predictions.run.json").read_text())
        points = {point["finding"]: point for point in report["operating_points"]}
        return {
            "panel": bar_of(classified, "Opacity").scored.flagged,
            "list": chip_of(session, film).filled,
            "table": shown.prediction.flags[shown.prediction.findings.index("Opacity")],
            "CSV": row["flag_Opacity"] == "1",
            "saved CSV": rows_of(copy)[film.relative_path]["flag_Opacity"] == "1",
            "agreement": "100.0%" in table.comparison.text(),
            "report": points["Opacity"]["threshold"] <= score,
            "pictures": heat_map_offer(session, workspace.findings.heat).settings.own_points.get(
                "Opacity", 0.5
            )
            <= score,
        }

    for threshold, flagged in ((max(score - 0.2, 0.01), True), (min(score + 0.2, 0.99), False)):
        drag(qtbot, bar_of(classified, "Opacity"), threshold)
        expected = dict.fromkeys(seen(), flagged)
        qtbot.waitUntil(lambda expected=expected: seen() == expected, timeout=WAIT_MS)
    for finding in ("Opacity", "Normal"):
        qtbot.keyClick(bar_of(classified, finding), Qt.Key.Key_Backspace)
    qtbot.waitUntil(lambda: rows_of(batch.csv_path) == rows, timeout=WAIT_MS)
    assert not session.own_points


def test_that_a_point_that_is_moved_during_a_run_is_in_force_in_its_csv(
    qtbot: QtBot, classified: MainWindow
) -> None:
    batch = classified.workspace.batch_runner
    with qtbot.waitSignal(batch.finished, timeout=WAIT_MS):
        batch.start()
        drag(qtbot, bar_of(classified, "Opacity"), 0.3)
    threshold = repr(classified.workspace.session.own_points["Opacity"])

    def thresholds() -> set[str]:
        rows = rows_of(batch.csv_path).values()
        return {row["threshold_Opacity"] for row in rows if row["score_Opacity"]}

    qtbot.waitUntil(lambda: thresholds() == {threshold}, timeout=WAIT_MS)


def test_that_a_csv_that_a_person_has_edited_is_not_rewritten(
    qtbot: QtBot, classified: MainWindow, tmp_path: Path
) -> None:
    batch, messages = classified.workspace.batch_runner, []
    batch.message.connect(messages.append)
    with qtbot.waitSignal(batch.finished, timeout=WAIT_MS):
        batch.start()
    edited = rows_of(batch.csv_path)
    name = next(iter(edited))
    edited[name]["label"] = "typed by a person"
    write_predictions(batch.csv_path, ("Normal", "Opacity"), edited.values())
    drag(qtbot, bar_of(classified, "Opacity"), 0.3)
    qtbot.waitUntil(lambda: bool(messages), timeout=WAIT_MS)
    assert "changed by another program" in messages[0].title + messages[0].text
    assert rows_of(batch.csv_path) == edited
    batch.save_as(tmp_path / "copy.csv")
    copied = rows_of(tmp_path / "copy.csv")
    assert copied[name]["label"] == "typed by a person"
    assert {row["threshold_Opacity"] for row in copied.values() if row["score_Opacity"]} == {
        repr(classified.workspace.session.own_points["Opacity"])
    }


def rows_of(path: Path) -> dict[str, Row]:
    return {row["path"]: row for row in read_predictions(path).rows}
