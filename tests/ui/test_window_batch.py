"""Folder classification in the window: its CSV, its line of progress and its results table."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom
from tests.ui.conftest import WAIT_MS
from xrayview import cli
from xrayview.errors import ExitCode, Status
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow

OWN_TO_A_RUN = ("run_id", "time_utc")


def run(qtbot: QtBot, window: MainWindow) -> Path:
    """Classify the open folder; the path of its CSV."""
    batch = window.workspace.batch_runner
    with qtbot.waitSignal(batch.finished, timeout=WAIT_MS):
        qtbot.keyClick(window, Qt.Key.Key_B)
    assert batch.csv_path is not None
    return batch.csv_path


def open_many(qtbot: QtBot, window: MainWindow, films: Path, folder: Path, count: int) -> None:
    """Open a folder with this many copies of one film."""
    folder.mkdir()
    for number in range(count):
        shutil.copy(films / "png" / "a.png", folder / f"{number:03}.png")
    with qtbot.waitSignal(window.workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([folder])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [{k: v for k, v in row.items() if k not in OWN_TO_A_RUN} for row in rows]


def test_that_the_window_writes_the_rows_of_the_command_line(
    qtbot: QtBot, ready: MainWindow, films: Path, bundle: Path, tmp_path: Path
) -> None:
    from_window = rows_of(run(qtbot, ready))
    out = tmp_path / "cli.csv"
    code = cli.main(
        ["classify", str(films), "--model", str(bundle), "--out", str(out), "--device", "cpu"]
    )
    assert code == ExitCode.SOME_FAILED
    assert from_window == rows_of(out)
    assert [row["path"] for row in from_window] == [
        "empty.dcm", "film1.dcm", "film2.dcm", "film3.dcm", "notes.txt", "png/a.png",
    ]  # fmt: skip


def test_that_every_file_is_a_row_of_the_table_and_films_get_their_scores(
    qtbot: QtBot, ready: MainWindow
) -> None:
    run(qtbot, ready)
    workspace = ready.workspace
    results = workspace.result_table.rows.results
    assert [r.relative_path for r in results if r.status is Status.ERROR] == [
        "empty.dcm",
        "notes.txt",
    ]
    assert all(workspace.session.result(film) is not None for film in workspace.session.films)
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "classified")
    assert "6 rows" in workspace.batch_line.text()


def test_that_the_run_names_its_model_and_gives_its_command(
    qtbot: QtBot, ready: MainWindow
) -> None:
    run(qtbot, ready)
    table = ready.workspace.result_table
    assert "cpu" in table.model.text()
    assert "float32" in table.model.text()
    table.show_command.click()
    box = ready.workspace.batch_controller.command_box
    assert box.text.toPlainText().startswith("xrayview classify ")
    assert "--precision exact" in box.text.toPlainText()
    box.copy_button.click()
    assert QGuiApplication.clipboard().text() == box.text.toPlainText()
    box.close()


def test_that_a_row_opens_its_film(qtbot: QtBot, ready: MainWindow) -> None:
    run(qtbot, ready)
    workspace = ready.workspace
    workspace.result_table.show()
    paths = [r.relative_path for r in workspace.result_table.rows.results]
    workspace.result_table.view.selectRow(paths.index("png/a.png"))
    film = next(f for f in workspace.session.films if f.relative_path == "png/a.png")
    qtbot.waitUntil(lambda: workspace.viewer.film_id == film.film_id, timeout=WAIT_MS)


def test_that_the_arrow_keys_move_through_the_table(qtbot: QtBot, ready: MainWindow) -> None:
    run(qtbot, ready)
    workspace = ready.workspace
    workspace.result_table.show()
    workspace.result_table.show_only(Status.OK)
    workspace.result_table.view.setFocus()
    workspace.result_table.view.selectRow(0)
    opened = []
    workspace.result_table.film_chosen.connect(lambda result: opened.append(result.relative_path))
    qtbot.keyClick(workspace.result_table.view, Qt.Key.Key_Down)
    qtbot.keyClick(workspace.result_table.view, Qt.Key.Key_Down)
    assert opened == ["film2.dcm", "film3.dcm"]


def test_that_the_table_can_show_one_status(qtbot: QtBot, ready: MainWindow) -> None:
    run(qtbot, ready)
    table = ready.workspace.result_table
    table.show_only(Status.ERROR)
    shown = [table.filter.index(n, 1).data() for n in range(table.filter.rowCount())]
    assert shown == ["empty.dcm", "notes.txt"]
    table.show_only(None)
    assert table.filter.rowCount() == 6


def test_that_a_file_without_a_prediction_has_no_number(qtbot: QtBot, ready: MainWindow) -> None:
    run(qtbot, ready)
    table = ready.workspace.result_table
    table.show_only(Status.ERROR)
    columns = range(2, table.rows.columnCount() - 1)
    assert {table.filter.index(0, c).data() for c in columns} <= {"", "–"}


def test_that_a_cancelled_batch_leaves_a_valid_csv(
    qtbot: QtBot, ready: MainWindow, films: Path, tmp_path: Path
) -> None:
    workspace = ready.workspace
    open_many(qtbot, ready, films, tmp_path / "many", 200)
    finished = []
    workspace.batch_runner.finished.connect(finished.append)
    workspace.batch_runner.progressed.connect(lambda _: workspace.batch_runner.cancel())
    workspace.batch_runner.start()
    qtbot.waitUntil(lambda: bool(finished), timeout=WAIT_MS)
    assert finished[0].cancelled
    rows = rows_of(finished[0].csv_path)
    assert 0 < len(rows) < 200
    assert {row["status"] for row in rows} == {"ok"}


def test_that_a_batch_started_before_the_model_is_loaded_shows_a_message_until_it_is(
    qtbot: QtBot, opened: MainWindow, bundle: Path
) -> None:
    opened.workspace.batch_runner.start()
    assert "Wait until" in opened.banners.messages()[0].text
    opened.open_model(bundle)
    qtbot.waitUntil(lambda: opened.workspace.session.model is not None, timeout=WAIT_MS)
    assert not opened.banners.messages()


def test_that_a_cancelled_batch_resumes_in_the_same_csv(
    qtbot: QtBot, ready: MainWindow, settings: Settings, films: Path, tmp_path: Path
) -> None:
    workspace = ready.workspace
    open_many(qtbot, ready, films, tmp_path / "many", 120)
    rest = next(b for b in workspace.batch_line.findChildren(QPushButton) if "rest" in b.text())
    finished = []
    workspace.batch_runner.finished.connect(finished.append)
    once = Qt.ConnectionType.SingleShotConnection
    workspace.batch_runner.progressed.connect(lambda _: workspace.batch_runner.cancel(), once)
    workspace.batch_runner.start()
    assert not rest.isVisible()
    qtbot.waitUntil(lambda: len(finished) == 1, timeout=WAIT_MS)
    before = len(workspace.result_table.rows.results)
    assert 0 < before < 120
    settings["csv_identity"] = "none"  # applies to the next batch only
    qtbot.mouseClick(rest, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(finished) == 2, timeout=WAIT_MS)
    assert (finished[1].cancelled, finished[1].csv_path) == (False, finished[0].csv_path)
    names = [row["path"] for row in rows_of(finished[1].csv_path)]
    assert names == [f"{number:03}.png" for number in range(120)]
    assert sorted(r.relative_path for r in workspace.result_table.rows.results) == names
    assert "Scope not checked 120" in workspace.batch_line.findChild(QLabel, "counts").text()
    assert not rest.isVisible()


def test_that_the_csv_is_saved_where_the_user_wants(
    qtbot: QtBot, ready: MainWindow, tmp_path: Path
) -> None:
    written = run(qtbot, ready)
    ready.workspace.batch_runner.save_as(tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_bytes() == written.read_bytes()
    ready.workspace.batch_runner.save_as(tmp_path / "no such folder" / "mine.csv")
    assert "was not saved" in ready.banners.messages()[-1].title


def test_that_a_paused_batch_starts_no_film_until_it_continues(
    qtbot: QtBot, ready: MainWindow, films: Path, tmp_path: Path
) -> None:
    workspace = ready.workspace
    open_many(qtbot, ready, films, tmp_path / "many", 240)
    pause = next(b for b in workspace.batch_line.findChildren(QPushButton) if b.text() == "Pause")
    with qtbot.waitSignal(workspace.batch_runner.progressed, timeout=WAIT_MS):
        workspace.batch_runner.start()
    qtbot.mouseClick(pause, Qt.MouseButton.LeftButton)
    assert pause.text() == "Continue"
    assert "paused" in workspace.batch_line.text()
    # Films in progress may still finish, slowly on a busy machine; then nothing follows.
    done = -1
    while done < (now := len(workspace.result_table.rows.results)):
        done = now
        QTest.qWait(4000)
    assert done < 240
    with qtbot.waitSignal(workspace.batch_runner.finished, timeout=WAIT_MS):
        qtbot.mouseClick(pause, Qt.MouseButton.LeftButton)
    assert len(workspace.result_table.rows.results) == 240


def test_that_labels_are_shown_beside_the_scores_with_their_disagreements(
    qtbot: QtBot, ready: MainWindow, tmp_path: Path
) -> None:
    run(qtbot, ready)
    table = ready.workspace.result_table
    table.show()
    classified = [r for r in table.rows.results if r.prediction is not None]
    wrong = {"Normal": "Opacity", "Opacity": "Normal"}
    lines = [f"{r.relative_path},{r.prediction.predicted.lower()}" for r in classified[1:]]
    lines.append(f"{classified[0].relative_path},{wrong[classified[0].prediction.predicted]}")
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["path,label", *lines]), encoding="utf-8")
    ready.workspace.batch_controller.compare_with_labels(path)
    disagree = next(b for b in table.findChildren(QPushButton) if "Disagree" in b.text())
    qtbot.waitUntil(disagree.isVisible, timeout=WAIT_MS)
    assert disagree.text() == "Disagree 1"
    assert (
        f"{len(classified)} of {len(classified)} classified films compared"
        in table.comparison.text()
    )
    qtbot.mouseClick(disagree, Qt.MouseButton.LeftButton)
    assert table.filter.rowCount() == 1
    assert table.filter.index(0, 1).data() == classified[0].relative_path


def test_that_a_table_without_labels_says_what_is_missing(
    qtbot: QtBot, ready: MainWindow, tmp_path: Path
) -> None:
    run(qtbot, ready)
    path = tmp_path / "other.csv"
    path.write_text("path,age\na.png,4\n", encoding="utf-8")
    ready.workspace.batch_controller.compare_with_labels(path)
    qtbot.waitUntil(lambda: bool(ready.banners.messages()), timeout=WAIT_MS)
    message = ready.banners.messages()[-1]
    assert "The labels cannot be read" in message.title
    assert "label" in message.text


def test_that_a_batch_without_a_model_says_so(qtbot: QtBot, opened: MainWindow) -> None:
    opened.workspace.batch_runner.start()
    assert "No model" in opened.banners.messages()[-1].title
    assert not opened.workspace.batch_runner.running


def test_that_a_row_of_a_frame_opens_the_film_at_that_frame(
    qtbot: QtBot, ready: MainWindow, tmp_path: Path
) -> None:
    folder = tmp_path / "cine"
    folder.mkdir()
    frames = np.stack([np.roll(phantom(96, 80), 9 * step, axis=0) for step in range(4)])
    write_dicom(folder / "a.dcm", phantom(96, 80), bits_stored=12)
    write_dicom(folder / "b.dcm", frames, frames=4, bits_stored=12)
    workspace = ready.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        ready.open_paths([folder])
    rows = rows_of(run(qtbot, ready))
    assert [(row["path"], row["frame"]) for row in rows] == [
        ("a.dcm", "0"), *(("b.dcm", str(n)) for n in range(4)),
    ]  # fmt: skip
    workspace.result_table.show()
    names = [workspace.result_table.filter.index(n, 1).data() for n in range(5)]
    assert names == ["a.dcm", *(f"b.dcm frame {n}/4" for n in (1, 2, 3, 4))]
    for row, frame in ((3, 2), (4, 3), (1, 0), (0, 0)):
        workspace.result_table.view.selectRow(row)
        film = workspace.result_table.rows.results[row].ref
        qtbot.waitUntil(lambda f=film: workspace.viewer.film_id == f.film_id, timeout=WAIT_MS)
        assert workspace.viewer.frames.frame == frame
        result = workspace.session.result(workspace.session.current)
        assert result is not None
        assert result.prediction == workspace.result_table.rows.results[row].prediction
    ready.workspace.set_identity_hidden(True)
    hidden = [workspace.result_table.filter.index(n, 1).data() for n in range(5)]
    assert hidden == ["File 1", *(f"File 2 frame {n}/4" for n in (1, 2, 3, 4))]


def test_that_the_reason_of_a_row_is_shown_in_full(qtbot: QtBot, ready: MainWindow) -> None:
    run(qtbot, ready)
    table = ready.workspace.result_table
    table.show()
    paths = [r.relative_path for r in table.rows.results]
    table.view.selectRow(paths.index("notes.txt"))
    result = table.rows.results[paths.index("notes.txt")]
    assert table.detail.isVisible()
    assert table.detail.text() == f"notes.txt: {result.code}: {result.message}"
    assert result.message.split(". ")[-1] in table.detail.text()  # what to do comes last
    last = table.rows.columnCount() - 1
    tip = table.rows.index(paths.index("notes.txt"), last).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.startswith("<p>")  # Qt wraps rich text only
    ready.workspace.set_identity_hidden(True)
    assert "notes.txt" not in table.detail.text()
    table.view.selectRow(paths.index("film1.dcm"))
    assert table.detail.isVisible() is bool(table.rows.detail(table.rows.results[1]))
