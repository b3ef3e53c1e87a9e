"""A signal ends the window as closing it does: a folder classification has its table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from tests.ui.test_form_dialog import answer_tags, is_open, open_form
from tests.ui.test_window_batch import open_many, rows_of
from xrayview.batch.report import report_path
from xrayview.errors import ExitCode
from xrayview.ui.shell.main_window import MainWindow

ROOT = Path(__file__).parents[2]
_PROGRAM = """
import os, signal, sys
from pathlib import Path

if __name__ == "__main__":
    import xrayview.app
    from tests.driving import drive

    films, bundle, results, name = sys.argv[1:]
    xrayview.app.results_folder = lambda: Path(results)

    def script(window):
        workspace = window.workspace
        done = []
        workspace.batch_runner.progressed.connect(done.extend)
        yield "the model is loaded", lambda: workspace.session.model is not None
        yield "the folder is open", lambda: workspace.session.source is not None
        workspace.batch_runner.start()
        yield "some films are classified", lambda: len(done) > 2
        os.kill(os.getpid(), getattr(signal, name))
        yield "the window ends", lambda: False

    sys.exit(drive(script, [films, "--model", bundle]))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_that_a_signal_leaves_the_table_and_report_of_a_running_batch(
    qtbot: QtBot, films: Path, bundle: Path, tmp_path: Path, name: str
) -> None:
    folder, results = tmp_path / "many", tmp_path / "results"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number:03}.png").write_bytes((films / "png" / "a.png").read_bytes())
    script = tmp_path / "program.py"
    script.write_text(_PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(bundle), str(results), name],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=200,
        env={**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )
    assert done.returncode == ExitCode.INTERRUPTED, done.stderr[-2000:]
    (table,) = results.glob("*/predictions.csv")
    rows = rows_of(table)
    assert 2 < len(rows) < 400
    assert all(row["status"] == "ok" and row["score_Opacity"] for row in rows)
    report = json.loads(report_path(table).read_text(encoding="utf-8"))
    assert report["cancelled"]
    assert report["counts"] == {"ok": len(rows)}


def test_that_the_end_of_the_program_does_not_wait_for_answers(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    dialog = open_form(qtbot, opened, "tag_table", tmp_path)
    answer_tags(dialog)
    opened.end()
    assert not opened.isVisible()
    assert not is_open(opened, dialog)


def test_that_a_closed_window_has_written_the_table_of_a_running_batch(
    qtbot: QtBot, ready: MainWindow, films: Path, tmp_path: Path
) -> None:
    open_many(qtbot, ready, films, tmp_path / "many", 100)
    batch = ready.workspace.batch_runner
    with qtbot.waitSignal(batch.progressed, timeout=WAIT_MS):
        batch.start()
    ready.close()
    (table,) = (tmp_path / "results").glob("*/predictions.csv")
    assert rows_of(table)
