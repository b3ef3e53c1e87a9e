"""What the main window has besides its start page; imported and built after the first paint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from xrayview.engine.client import Engine
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.services.tasks import Tasks
from xrayview.ui.model_import.controller import ModelImportController
from xrayview.ui.shell.export_commands import ExportCommands
from xrayview.ui.shell.film_dock import FilmDock
from xrayview.ui.shell.model_status import ModelStatus
from xrayview.ui.shell.recent_folders import RecentFolders
from xrayview.ui.shell.start_page import StartPage
from xrayview.ui.shell.status_controller import StatusController
from xrayview.ui.shell.status_line import StatusLine
from xrayview.ui.shell.toolbar import TopBar
from xrayview.ui.shell.workspace import Workspace
from xrayview.ui.widgets.banners import Banners
from xrayview.ui.widgets.main_thread import MainThread

_LIMITS = ("decode_timeout_s", "model_timeout_s", "max_megapixels")


@dataclass(frozen=True)
class WindowParts:
    """The main window, and those of its parts that are there before the panels."""

    window: QMainWindow
    pages: QStackedWidget
    bar: TopBar
    status_line: StatusLine
    start_page: StartPage
    banners: Banners


class Panels:
    """Workspace, dock, and what ties them to the main window; complete after `build_steps`."""

    def __init__(
        self, parts: WindowParts, settings: Settings, results: Path, engine: Engine
    ) -> None:
        self._parts = parts
        self._window = parts.window
        self._settings = settings
        self._results = results
        self._engine = engine
        self.tasks = Tasks(MainThread(parts.window).deliver)
        self.is_complete = False

    def build_steps(self) -> Iterator[None]:
        """Build in steps; between them the window may respond."""
        window, settings, tasks, engine = self._window, self._settings, self.tasks, self._engine
        self.dock = FilmDock(window)
        yield
        session = Session(settings["film_memory_mib"])
        workspace = self.workspace = Workspace(
            session, tasks, engine, settings, self._results, self.dock, self._parts.pages
        )
        yield from workspace.build_steps()
        self._restore_dock()
        self.exports = ExportCommands(
            session,
            workspace.grid,
            workspace.findings.heat,
            lambda: workspace.hides_identity,
            tasks,
            engine,
            settings,
            window,
        )
        models = workspace.model_controller
        self.model_import = ModelImportController(models, tasks, engine, window)
        models.card_requested.connect(self.model_import.ask)
        parts = self._parts
        bar, line, page, banners = (parts.bar, parts.status_line, parts.start_page, parts.banners)
        self.recent_folders = RecentFolders(settings, tasks, bar, page)
        self.model_status = ModelStatus(
            session, models, settings, bar, line, page, banners, workspace.refresh
        )
        self.status_controller = StatusController(
            session,
            workspace.grid,
            workspace.view_controller,
            workspace.heat_maps,
            workspace.histogram,
            bar,
            line,
            banners,
            workspace.refresh,
            lambda: workspace.hides_identity,
        )
        workspace.message.connect(banners.show_message)
        workspace.message_settled.connect(banners.close_message)
        self.exports.message.connect(banners.show_message)
        self.is_complete = True

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        return self.workspace.commands() | self.dock.commands() | self.exports.commands()

    def setting_actions(self) -> dict[str, Callable[[Any], object]]:
        """Map settings to what applies a new value at once."""

        def apply_limits(_: object) -> None:
            self._engine.limits = self._settings.limits()

        limits: dict[str, Callable[[Any], object]] = dict.fromkeys(_LIMITS, apply_limits)
        return limits | self.workspace.setting_actions() | self.model_status.setting_actions()

    def store_state(self) -> None:
        """Store sizes, layout and the dock in the settings."""
        self.workspace.save_state()
        self._save_dock()

    def close(self) -> None:
        """Write what is unsaved, and end all work; also before the last step."""
        if self.is_complete:
            self.workspace.second_window.close()
            self.workspace.model_controller.progress.close()
            self.workspace.measurement_controller.close()
            self.workspace.batch_runner.close()
            self.workspace.stars.close()
            self.workspace.reading_controller.close()
        self.tasks.close()
        self._engine.close()

    def _restore_dock(self) -> None:
        window, dock = self._window, self.dock
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        state = self._settings["window_state"]
        window.restoreState(QByteArray.fromBase64(state.get("docks", "").encode()))
        dock.hide()  # until there is a film
        once = Qt.ConnectionType.SingleShotConnection
        page = state.get("film_dock", "")
        self.workspace.films.folder_opened.connect(lambda: dock.open_page(page), once)

    def _save_dock(self) -> None:
        state = self._settings["window_state"]
        state["film_dock"] = self.dock.page
        state["docks"] = self._window.saveState().toBase64().toStdString()
        self._settings["window_state"] = state
