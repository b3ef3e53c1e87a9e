"""The dialog of the self-test shows each check as it ends, and ends it when it is closed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from xrayview.ui.shell import installation_check
from xrayview.ui.shell.installation_check import InstallationCheck

_LINE = (
    "import json, sys, time; "
    "print(json.dumps({'name': 'A', 'status': 'ok', 'seconds': 1.0, 'detail': 'fine'}), "
    "flush=True); "
)
_FAILS = (
    "print('noise'); "
    "print(json.dumps({'name': 'B', 'status': 'failed', 'seconds': 2.0, 'detail': 'why'})); "
    "sys.exit(1)"
)


def dialog_of(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, code: str) -> InstallationCheck:
    command = [sys.executable, "-c", code]
    monkeypatch.setattr(installation_check, "program_command", lambda: command)
    dialog = InstallationCheck()
    qtbot.addWidget(dialog)
    return dialog


def test_that_each_check_is_a_row(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = dialog_of(qtbot, monkeypatch, _LINE + _FAILS)
    assert dialog.text.text() == installation_check.RUNNING
    qtbot.waitUntil(lambda: not dialog.is_running, timeout=30_000)
    qtbot.waitUntil(lambda: dialog.text.text() == "Failed: B (3 s).")
    cells = [
        [dialog.table.item(row, column).text() for column in range(4)]
        for row in range(dialog.table.rowCount())
    ]
    assert cells == [["A", "ok", "1.0 s", "fine"], ["B", "failed", "2.0 s", "why"]]
    dialog._copy.click()
    assert QGuiApplication.clipboard().text().splitlines()[0] == "Failed: B (3 s)."


def test_that_a_check_that_ends_early_is_reported(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = dialog_of(qtbot, monkeypatch, _LINE + "sys.exit(7)")
    qtbot.waitUntil(lambda: "ended with code 7" in dialog.text.text(), timeout=30_000)


def test_that_a_check_that_cannot_start_is_reported(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installation_check, "program_command", lambda: [str(tmp_path / "none")])
    dialog = InstallationCheck()
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.text.text().startswith("The check cannot start"), timeout=30_000)


def test_that_closing_ends_the_check(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = dialog_of(qtbot, monkeypatch, _LINE + "time.sleep(600)")
    qtbot.waitUntil(lambda: dialog.table.rowCount() == 1, timeout=30_000)
    process = dialog._process
    ended: list[int] = []
    process.stateChanged.connect(lambda state: ended.append(state.value))
    dialog.close()
    assert ended == [0]
