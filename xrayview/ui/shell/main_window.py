"""The main window: places the panels, binds the keys, and lets go of everything at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
)
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from xrayview.services.resources import resource
from xrayview.services.settings import Settings
from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.key_binding import KeyBinding
from xrayview.ui.keys.shortcut_sheet import ShortcutSheet
from xrayview.ui.shell.preferences import SAVING, Preferences
from xrayview.ui.shell.start_page import StartPage
from xrayview.ui.shell.status_line import StatusLine
from xrayview.ui.shell.toolbar import FILM_BUTTONS, MODEL_BUTTONS, VIEW_BUTTONS, TopBar
from xrayview.ui.style import theme
from xrayview.ui.widgets.banners import Banners, Message
from xrayview.ui.widgets.drop_target import DropTarget, dropped, paths_of
from xrayview.ui.widgets.full_screen import FullScreen
from xrayview.ui.widgets.main_thread import MainThread
from xrayview.ui.widgets.window_placement import stay_on_screen, to_next_screen

if TYPE_CHECKING:
    from xrayview.engine.client import Engine
    from xrayview.ui.shell.workspace import Workspace

_log = logging.getLogger(__name__)
_LEAST = QSize(960, 600)
_USUAL = QSize(1280, 800)


class MainWindow(QMainWindow):
    """Shows the start page at once; `build_panels` adds engine and panels after the first paint.

    Args:
        settings: the user's; written when the window closes.
        results: the folder below which each batch gets a folder of its own.
    """

    def __init__(self, settings: Settings, results: Path) -> None:
        super().__init__()
        self.setWindowTitle("XrayView")
        self.setAcceptDrops(True)
        self._settings = settings
        self._results = results
        self._pending: list[Callable[[Workspace], None]] = []
        self._release_steps: list[Callable[[], None]] = []
        self._workspace: Workspace | None = None
        self._closed = False
        self._full = FullScreen(self)
        self.preferences = Preferences(self, settings)
        self.banners = Banners()
        self.start_page = StartPage()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start_page)
        self.status = StatusLine()
        self.setStatusBar(self.status)
        self._actions: dict[str, Callable[..., object]] = {
            "open_folder": self.choose_folder,
            "full_screen": self._full_screen,
            "next_screen": self._next_screen,
            "shortcuts": self._show_shortcuts,
            "settings": self.preferences.show,
            "edit_keys": lambda: self.preferences.show("Keys"),
        }
        actions = self._named = {key.name: self._action(key.name) for key in shortcuts.KEYS}
        self.bar = TopBar(actions)
        self.bar.setObjectName("tools")
        self.addToolBar(self.bar)
        self.bar.set_enabled(FILM_BUTTONS + VIEW_BUTTONS + MODEL_BUTTONS, enabled=False)
        self._keys = KeyBinding(self, actions)
        self.preferences.message.connect(self.banners.show_message)
        self.preferences.saved.connect(lambda: self.banners.close_message(SAVING))
        self.preferences.keys_changed.connect(self._keys.renew)
        self.preferences.keys_changed.connect(self.start_page.show_keys)
        self._place()
        self.drop_target = DropTarget(self)
        self._connect()
        self._restore()

    @property
    def workspace(self) -> Workspace:
        """The panels; there once `build_panels` is done."""
        assert self._workspace is not None
        return self._workspace

    @property
    def has_panels(self) -> bool:
        """True once engine and panels are there."""
        return self._workspace is not None

    @property
    def is_closed(self) -> bool:
        """True once the user has closed it."""
        return self._closed

    def build_panels(self, engine: Engine, model: Path | None = None) -> None:
        """Take the engine, build the panels, load a model; then do what was asked meanwhile.

        `model` is the bundle that is asked for; without one the usual one is loaded.
        """
        for _ in self.build_steps(engine, model):
            pass

    def build_steps(self, engine: Engine, model: Path | None = None) -> Iterator[None]:
        """The same in steps, between which the window may answer its user."""
        from xrayview.services.session import Session
        from xrayview.services.tasks import Tasks
        from xrayview.ui.model_import.controller import ModelImportController
        from xrayview.ui.shell.export_commands import ExportCommands
        from xrayview.ui.shell.film_dock import FilmDock
        from xrayview.ui.shell.status_controller import StatusController
        from xrayview.ui.shell.workspace import Workspace

        tasks = Tasks(MainThread(self).deliver)
        self._release_steps = [tasks.close, engine.close]
        self.dock = FilmDock(self)
        yield from self.dock.build_steps()
        session = Session(self._settings["film_memory_mib"])
        workspace = Workspace(session, tasks, engine, self._settings, self._results, self.pages)
        yield from workspace.build_steps()
        self._workspace = workspace
        self.dock.follow(workspace, tasks, engine)
        self._restore_dock(workspace)
        self._release_steps = [
            workspace.save_state,
            workspace.second_window.close,
            self._save_dock,
            workspace.measurement_controller.close,
            tasks.close,
            engine.close,
        ]
        self.exports = ExportCommands(workspace, tasks, engine, self._settings, self)
        self._actions |= workspace.commands() | self.dock.commands() | self.exports.commands()
        workspace.second_window.use(self._named)
        self.preferences.keys_changed.connect(workspace.second_window.renew_keys)
        self.pages.addWidget(workspace)
        workspace.films.folder_opened.connect(self._on_folder)
        workspace.identity_hidden.connect(self._show_title)
        workspace.findings.model_requested.connect(self.choose_model)
        self.model_import = ModelImportController(workspace.model_controller, tasks, engine, self)
        workspace.model_controller.card_requested.connect(self.model_import.ask)
        board = StatusController(
            workspace, self.bar, self.status, self.start_page, self.banners, self._settings, tasks
        )
        self.bar.model_dismissed.connect(board.show_model)
        theme.on_switch(workspace.findings_controller.refresh)
        self.preferences.follow(workspace, board, engine)
        for note in self.preferences.notes:
            self.banners.show_message(Message("settings", "warn", note))
        board.show_recent()
        board.load_first_model(model)
        for act in self._pending:
            act(workspace)

    # What the user asks for

    def open_paths(self, paths: list[Path]) -> None:
        """Open a folder, a file, or what was dropped."""
        self._when_ready(lambda workspace: workspace.films.open_paths(paths))

    def open_sample(self) -> None:
        """Open the study that ships with the program."""
        self.open_paths([resource("samples")])

    def open_model(self, path: Path) -> None:
        """Load a model bundle."""
        self._when_ready(lambda workspace: workspace.model_controller.open_model(path))

    def choose_folder(self) -> None:
        """Ask for a folder and open it."""
        recent = self._settings["recent_folders"]
        name = QFileDialog.getExistingDirectory(
            self, "Open a folder of films", recent[0] if recent else ""
        )
        if name:
            self.open_paths([Path(name)])

    def choose_model(self) -> None:
        """Ask for a model bundle and load it."""
        name, _ = QFileDialog.getOpenFileName(
            self, "Choose a model bundle", "", "Model bundles (*.pt);;All files (*)"
        )
        if name:
            self.open_model(Path(name))
        else:
            self.bar.model_dismissed.emit()

    def _choose_device(self, device: str) -> None:
        self._when_ready(lambda workspace: workspace.model_controller.set_device(device))

    def _when_ready(self, act: Callable[[Workspace], None]) -> None:
        if self._workspace is None:
            self._pending.append(act)
        else:
            act(self._workspace)

    def _action(self, name: str) -> Callable[..., None]:
        """An action by its name, looked up when it is asked for: the panels come later."""

        def run(*args: int) -> None:
            if name == "cancel_drawing" and self._full.on:
                self._full.leave()  # Esc is bound, and would not come as a press
            if act := self._actions.get(name):
                act(*args)

        return run

    def _full_screen(self) -> None:
        around: list[QWidget] = [self.bar, self.status]
        if self._workspace is not None:
            around += [*self._workspace.around_the_film(), self.dock]
        self._full.toggle(around)

    def _next_screen(self) -> None:
        if not to_next_screen(self):
            self.banners.show_message(Message("screen", "info", "Only one monitor is connected."))

    def _show_shortcuts(self) -> None:
        sheet = ShortcutSheet(self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.edit_requested.connect(self._actions["edit_keys"])
        sheet.open()

    def _on_folder(self) -> None:
        self.pages.setCurrentWidget(self.workspace)
        self.workspace.grid.take_keyboard()  # or Space would press the first button of the bar
        self._show_title()

    def _show_title(self) -> None:
        workspace = self.workspace
        folder = None if workspace.hides_identity else workspace.session.folder
        self.setWindowTitle(f"{folder.name or folder} – XrayView" if folder else "XrayView")

    # Window

    def _place(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banners)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(body)

    def _connect(self) -> None:
        page, bar = self.start_page, self.bar
        page.open_requested.connect(self.choose_folder)
        page.sample_requested.connect(self.open_sample)
        page.folder_requested.connect(self._open_folder)
        page.show_ready("Looking for the model …", "")
        bar.recent_requested.connect(self._open_folder)
        bar.model_chosen.connect(self.open_model)
        bar.model_file_requested.connect(self.choose_model)
        bar.device_chosen.connect(self._choose_device)

    def _open_folder(self, folder: Path) -> None:
        self.open_paths([folder])

    def _restore(self) -> None:
        self.setMinimumSize(_LEAST)
        self.resize(_USUAL)
        geometry = self._settings["window_state"].get("geometry", "")
        self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        stay_on_screen(self)

    def _restore_dock(self, workspace: Workspace) -> None:
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
        state = self._settings["window_state"]
        self.restoreState(QByteArray.fromBase64(state.get("docks", "").encode()))
        self.dock.hide()  # until there is a film
        once = Qt.ConnectionType.SingleShotConnection
        page = state.get("film_dock", "")
        workspace.films.folder_opened.connect(lambda: self.dock.open_page(page), once)

    def _save_dock(self) -> None:
        state = self._settings["window_state"]
        state["film_dock"] = self.dock.page
        state["docks"] = self.saveState().toBase64().toStdString()
        self._settings["window_state"] = state

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if text := dropped(paths_of(event.mimeData())).text:
            event.acceptProposedAction()
            self.drop_target.show_text(text)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop_target.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_target.hide()
        what = dropped(paths_of(event.mimeData()))
        if what.films:
            self.open_paths(list(what.films))
        if what.model is not None:
            self.open_model(what.model)
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._full.on:
            self._full.leave()  # the next start is with everything around the film
        state = self._settings["window_state"]
        state["geometry"] = self.saveGeometry().toBase64().toStdString()
        self._settings["window_state"] = state
        self._closed = True
        for dialog in self.findChildren(QDialog):
            dialog.close()  # one left open would keep the program alive, unseen
        self.hide()  # at once; the workers end behind it
        for release in self._release_steps:
            release()
        self._release_steps = []
        try:
            self._settings.save()
        except OSError as error:
            _log.warning("settings were not saved: %s", type(error).__name__)
        event.accept()
