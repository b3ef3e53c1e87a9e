"""The main window: places the panels, binds the keys, and lets go of everything at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelReady
from xrayview.errors import XrayViewError
from xrayview.services.catalogue import find_model, list_models
from xrayview.services.resources import resource
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.services.tasks import Tasks
from xrayview.ui import shortcuts
from xrayview.ui.banners import Banners, Message
from xrayview.ui.bridge import MainThread
from xrayview.ui.shortcut_sheet import ShortcutSheet
from xrayview.ui.start_page import StartPage
from xrayview.ui.status_line import StatusLine, device_text
from xrayview.ui.toolbar import TopBar

_log = logging.getLogger(__name__)
_FILM_BUTTONS = (
    "tool_window", "tool_zoom", "tool_pan", "auto_window", "invert", "fit", "menu_turn",
    "menu_window",
    "classify", "classify_folder", "heat_map",
)  # fmt: skip


class MainWindow(QMainWindow):
    """Shown at once with the start page; `wake` brings engine and panels after the first paint."""

    woken = Signal()

    def __init__(self, settings: Settings, results: Path) -> None:
        super().__init__()
        self.setWindowTitle("XrayView")
        self.setAcceptDrops(True)
        self._settings = settings
        self._results = results
        self._engine: Engine | None = None
        self._tasks: Tasks | None = None
        self.workspace = None
        self._asleep: list[Callable[[], None]] = []
        self.banners = Banners()
        self.start_page = StartPage()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start_page)
        self.status = StatusLine()
        self.setStatusBar(self.status)
        self._actions = self._window_actions()
        self.bar = TopBar({key.name: self._call(key.name) for key in shortcuts.KEYS})
        self.addToolBar(self.bar)
        self.bar.set_enabled(_FILM_BUTTONS, enabled=False)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banners)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(body)
        shortcuts.bind(self, {key.name: self._call(key.name) for key in shortcuts.KEYS})
        self._connect_start()
        self._restore()

    # Start

    def wake(self, engine: Engine, model: Path | None = None) -> None:
        """Take the engine, build the panels, load the model; then do what was asked meanwhile.

        `model` is a bundle that is asked for; without one the usual one is loaded.
        """
        from xrayview.ui.workspace import Workspace

        self._engine = engine
        thread = MainThread(self)
        self._tasks = Tasks(thread.deliver)
        space = self.workspace = Workspace(
            Session(), self._tasks, engine, self._settings, self._results
        )
        self.pages.addWidget(space)
        self._actions |= space.actions()
        space.message.connect(self.banners.show_message)
        space.judging.message_settled.connect(self.banners.close_message)
        space.judging.model_changed.connect(self._on_model)
        space.judging.result_changed.connect(lambda _: self._refresh_bar())
        space.workbench.folder_opened.connect(self._on_folder)
        space.workbench.film_shown.connect(lambda _: self._on_film())
        space.workbench.film_failed.connect(lambda *_: self._on_film())
        space.viewer.state_changed.connect(self._refresh_bar)
        space.viewer.tool_changed.connect(
            lambda tool: self.bar.set_checked(f"tool_{tool}", checked=True)
        )
        space.heat.switched.connect(lambda _: self._refresh_bar())
        space.findings.model_asked.connect(self.choose_model)
        for note in self._settings.notes:
            self.banners.show_message(Message("settings", "warn", note))
        self._load_first_model(model)
        for act in self._asleep:
            act()
        self._asleep = []
        self.woken.emit()

    def open_paths(self, paths: list[Path]) -> None:
        """Open a folder, a file, or what was dropped."""
        self._when_awake(lambda: self.workspace.workbench.open_paths(paths))

    def open_sample(self) -> None:
        """Open the study that ships with the program."""
        self.open_paths([resource("samples")])

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
        elif self.workspace is not None:
            self._on_model()  # the chooser goes back to the model in force

    def open_model(self, path: Path) -> None:
        """Load a model bundle."""
        self._when_awake(lambda: self.workspace.judging.open_model(path))

    def _load_first_model(self, asked: Path | None) -> None:
        name = str(asked) if asked else self._settings["model"]
        try:
            path = find_model(name, map(Path, self._settings["model_folders"]))
        except XrayViewError as error:
            self.workspace.judging.model_text = f"{error.what[:1].upper()}{error.what[1:]}."
            self._on_model()
            self.workspace.refresh_findings()
            if name:
                self.banners.show_message(Message.of("model", error))
            return
        self.workspace.judging.open_model(path)

    def _when_awake(self, act: Callable[[], None]) -> None:
        if self.workspace is None:
            self._asleep.append(act)
        else:
            act()

    # What changed

    def _on_model(self) -> None:
        judging, ready = self.workspace.judging, self.workspace.session.model
        entries = list_models(map(Path, self._settings["model_folders"]))
        self.bar.show_models(entries, ready)
        self.bar.show_device(judging.device)
        self.status.show_model(None if judging.loading else ready, judging.model_text)
        self.start_page.show_ready(_model_text(ready, judging.model_text), _device_text(ready))
        if ready is not None and not judging.loading:
            self._settings["model"] = str(ready.model.path)
            self._settings["device"] = ready.model.device
        self._refresh_bar()

    def _on_folder(self) -> None:
        folder = self.workspace.session.folder
        self.pages.setCurrentWidget(self.workspace)
        self.setWindowTitle(f"{folder.name or folder} – XrayView")
        self.banners.close_message("folder")
        self._settings.remember_folder(folder)
        self._show_recent()
        self._refresh_bar()

    def _on_film(self) -> None:
        viewer = self.workspace.viewer
        names = [choice.title for choice in viewer.voi_choices()]
        self.bar.show_windows(names, viewer.apply_voi)
        self.status.show_film(self.workspace.session)
        self._refresh_bar()

    def _refresh_bar(self) -> None:
        session = self.workspace.session
        self.bar.set_enabled(_FILM_BUTTONS, enabled=session.radiograph is not None)
        self.bar.set_checked("invert", self.workspace.viewer.inverted)
        ready = session.model is not None
        self.bar.set_enabled(("classify",), enabled=ready and session.radiograph is not None)
        self.bar.set_enabled(("classify_folder",), enabled=ready and session.folder is not None)
        judged = session.result(session.current)
        scored = judged is not None and judged.prediction is not None
        self.bar.set_enabled(("heat_map",), enabled=scored)
        self.bar.set_checked("heat_map", scored and self.workspace.heat.on)

    def _show_recent(self) -> None:
        folders = [Path(name) for name in self._settings["recent_folders"]]
        self.bar.show_recent(folders)
        self.start_page.show_recent(folders)

    # Actions

    def _window_actions(self) -> dict[str, Callable[..., object]]:
        return {
            "open_folder": self.choose_folder,
            "full_screen": self._full_screen,
            "shortcuts": self._show_shortcuts,
        }

    def _call(self, name: str) -> Callable[..., None]:
        """An action by its name, looked up when it is asked for: panels come later."""

        def run(*args: int) -> None:
            if act := self._actions.get(name):
                act(*args)

        return run

    def _full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def _show_shortcuts(self) -> None:
        ShortcutSheet(self).open()

    # Window

    def _connect_start(self) -> None:
        self.start_page.open_asked.connect(self.choose_folder)
        self.start_page.sample_asked.connect(self.open_sample)
        self.start_page.folder_asked.connect(lambda folder: self.open_paths([folder]))
        self.start_page.show_ready("Looking for the model …", "")
        self.bar.recent_asked.connect(lambda folder: self.open_paths([folder]))
        self.bar.model_chosen.connect(self.open_model)
        self.bar.model_file_asked.connect(self.choose_model)
        self.bar.device_chosen.connect(
            lambda device: self._when_awake(lambda: self.workspace.judging.set_device(device))
        )
        self._show_recent()

    def _restore(self) -> None:
        state = self._settings["window_state"]
        self.setMinimumSize(900, 600)
        self.resize(1280, 800)
        geometry = state.get("geometry", "")
        if geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        urls = event.mimeData().urls()
        self.open_paths([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])

    def closeEvent(self, event: QCloseEvent) -> None:
        self.hide()
        if self.workspace is not None:
            self.workspace.save_state()
            self._tasks.close()
            self._engine.close()
        state = self._settings["window_state"]
        state["geometry"] = bytes(self.saveGeometry().toBase64()).decode()
        self._settings["window_state"] = state
        try:
            self._settings.save()
        except OSError as error:
            _log.warning("settings were not saved: %s", type(error).__name__)
        event.accept()


def _model_text(ready: ModelReady | None, text: str) -> str:
    return f"{ready.card.name} {ready.card.version}" if ready else text


def _device_text(ready: ModelReady | None) -> str:
    return device_text(ready) if ready else ""
