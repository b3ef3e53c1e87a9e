"""Settings are saved soon after they were changed, also by two windows; not only at the end."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.settings_saver import SAVING
from xrayview.ui.widgets.banners import Message


def test_that_what_is_changed_in_the_window_is_saved_while_it_is_open(
    qtbot: QtBot, opened: MainWindow, settings: Settings, films: Path
) -> None:
    workspace = opened.workspace
    workspace.findings.heat.opacity.setValue(80)
    qtbot.keyClick(opened, Qt.Key.Key_X)
    workspace.view_controller.set_layout("2x2")
    workspace.show_histogram(True)

    def saved() -> None:
        stored = Settings(settings.path)
        assert stored["heat_map_opacity"] == 0.8
        assert stored["hide_identity"]
        assert stored["recent_folders"] == [str(films)]
        state = stored["window_state"]
        assert (state["layout"], state["histogram"]) == ("2x2", "shown")
        assert state["geometry"]

    qtbot.waitUntil(saved, timeout=WAIT_MS)


def test_that_two_windows_keep_each_others_settings(
    qtbot: QtBot, opened: MainWindow, settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    other = MainWindow(Settings(settings.path), tmp_path / "results")
    qtbot.addWidget(other)
    other.build_panels(SharedEngine(engine))
    qtbot.keyClick(opened, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: Settings(settings.path)["hide_identity"], timeout=WAIT_MS)
    other.workspace.findings.heat.cutoff.setValue(55)
    other.close()
    stored = Settings(settings.path)
    assert stored["hide_identity"]
    assert stored["heat_map_cutoff"] == 0.55
    opened.close()
    assert Settings(settings.path)["heat_map_cutoff"] == 0.55


def test_that_a_failure_is_reported_once_and_ends_with_success(
    qtbot: QtBot, window: MainWindow, settings: Settings, tmp_path: Path
) -> None:
    reported: list[Message] = []
    saver = window.preferences.saver
    saver.message.connect(reported.append)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder would be")
    settings.path = blocked / "settings.json"
    heat = window.workspace.findings.heat
    heat.opacity.setValue(70)
    qtbot.waitUntil(lambda: len(reported) == 1, timeout=WAIT_MS)
    window.banners.close_message(SAVING)
    heat.opacity.setValue(60)
    qtbot.wait(800)  # nothing more is reported
    assert len(reported) == 1
    blocked.unlink()
    with qtbot.waitSignal(saver.saved, timeout=WAIT_MS):
        heat.opacity.setValue(50)
    assert not window.banners.messages()
