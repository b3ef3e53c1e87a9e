"""A second start opens its paths in the window that runs; a failed start says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QFileOpenEvent
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from xrayview import app
from xrayview.errors import ExitCode, XrayViewError
from xrayview.services.resources import sample_study
from xrayview.services.running_window import StartRequest
from xrayview.services.user_folders import log_folder
from xrayview.ui.shell import application
from xrayview.ui.shell.application import Application, show_start_failure
from xrayview.ui.shell.main_window import MainWindow

ROOT = Path(__file__).parents[2]
_PROGRAM = """
import subprocess, sys
from pathlib import Path

if __name__ == "__main__":
    from tests.driving import drive

    def script(window):
        workspace = window.workspace
        session = workspace.session
        yield "the model is loaded", lambda: session.model is not None
        window.showMinimized()
        start = [sys.executable, "-m", "xrayview", "app", *sys.argv[1:]]
        second = subprocess.Popen(start)
        yield "the second start ends", lambda: second.poll() is not None
        assert second.returncode == 0, second.returncode
        yield "the folder is open", lambda: session.folder == Path(sys.argv[1])
        yield "its model is loaded", lambda: session.model.card.name == sys.argv[3]
        assert not window.isMinimized()
        window.close()

    sys.exit(drive(script))
"""


def test_that_a_second_start_opens_its_paths_in_the_running_window(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_PROGRAM, encoding="utf-8")
    folder, name = sample_study() / "child-2", "paediatric-pneumonia-small"
    ran = subprocess.run(
        [sys.executable, str(tmp_path / "program.py"), str(folder), "--model", name],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=250,
        env={**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen",
             "XRAYVIEW_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_that_arguments_may_be_folders_films_and_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.pt").touch()
    options = app._parse(["films", "a.dcm", "net.pt"])
    assert app._request(options) == StartRequest(
        (tmp_path / "films", tmp_path / "a.dcm"), tmp_path / "net.pt"
    )
    assert app._request(app._parse(["--model", "net.pt"])).model == tmp_path / "net.pt"
    by_name = app._request(app._parse(["--model", "paediatric-pneumonia-small"])).model
    assert by_name is not None
    assert by_name.name == "paediatric-pneumonia-small.pt"
    assert app._request(app._parse(["--model", "unknown"])).model == Path("unknown")


def test_that_a_file_of_the_system_is_announced(tmp_path: Path, qapp: QApplication) -> None:
    class Heard:
        file_opened = type("Signal", (), {"emit": lambda _, path: paths.append(path)})()

    paths: list[Path] = []
    event = QFileOpenEvent(QUrl.fromLocalFile(str(tmp_path / "a.dcm")))
    assert Application.event(Heard(), event)  # type: ignore[arg-type]
    assert paths == [tmp_path / "a.dcm"]


def test_that_a_failed_start_shows_a_message_box(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, str]] = []
    monkeypatch.setattr(
        QMessageBox, "exec", lambda box: shown.append((box.text(), box.informativeText()))
    )
    error = XrayViewError("The installation of XrayView is incomplete", why="missing: icons",
                          hint="Install it again.")  # fmt: skip
    show_start_failure(error)
    assert shown == []  # nobody would see it, or close it
    monkeypatch.setattr(application, "_UNSEEN_PLATFORMS", ())
    show_start_failure(error)
    ((text, details),) = shown
    assert text == "The installation of XrayView is incomplete."
    assert details.startswith("Missing: icons. Install it again.\n\nLog: ")


def test_that_an_incomplete_installation_ends_the_start(tmp_path: Path) -> None:
    code = (
        "import sys; sys._MEIPASS = sys.argv.pop(1); from xrayview.cli import main; "
        "sys.exit(main(['app']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert ran.returncode == ExitCode.INTERNAL
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert "is incomplete (missing: icons, models, samples)" in ran.stderr


def test_that_a_request_brings_a_minimised_window_to_the_front(
    qtbot: QtBot, ready: MainWindow
) -> None:
    ready.showMinimized()
    ready.open_request(StartRequest(), to_front=True)
    assert not ready.isMinimized()


@pytest.mark.parametrize("opens", [True, False])
def test_that_the_log_folder_is_opened_or_named(
    qtbot: QtBot, ready: MainWindow, monkeypatch: pytest.MonkeyPatch, opens: bool
) -> None:
    opened: list[str] = []

    def open_url(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return opens

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    ready._show_log_folder()
    assert opened == [str(log_folder())]
    titles = [message.title for message in ready.banners.messages()]
    assert titles == ([] if opens else [f"The log folder is {log_folder()}"])
