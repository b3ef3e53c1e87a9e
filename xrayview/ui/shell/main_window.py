"""The main window: start page and panels, key bindings, and the end of all work on closing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSize, Qt, QUrl
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
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

from xrayview.services.resources import sample_study
from xrayview.services.running_window import StartRequest
from xrayview.services.settings import Settings
from xrayview.services.user_folders import log_folder
from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.key_binding import KeyBinding
from xrayview.ui.keys.shortcut_sheet import ShortcutSheet
from xrayview.ui.reading.blinding import BLOCKED
from xrayview.ui.shell.preferences import Preferences
from xrayview.ui.shell.settings_saver import SAVING
from xrayview.ui.shell.start_page import StartPage
from xrayview.ui.shell.status_line import StatusLine
from xrayview.ui.shell.toolbar import FILM_BUTTONS, MODEL_BUTTONS, VIEW_BUTTONS, TopBar
from xrayview.ui.widgets.banners import FOLDER_TOPICS, Banners, Message
from xrayview.ui.widgets.drop_target import DropTarget, dropped, paths_of
from xrayview.ui.widgets.form_dialog import FormDialog
from xrayview.ui.widgets.full_screen import FullScreen
from xrayview.ui.widgets.window_placement import stay_on_screen, to_next_screen

if TYPE_CHECKING:
    from xrayview.engine.client import Engine
    from xrayview.ui.shell.panels import Panels
    from xrayview.ui.shell.workspace import Workspace

_LEAST = QSize(960, 600)
_DEFAULT = QSize(1280, 800)


class MainWindow(QMainWindow):
    """Shows the start page at once; `build_panels` adds the panels after the first paint.

    Args:
        settings: of the user; written when the window closes.
        results: the folder below which each folder classification gets its own.
    """

    def __init__(self, settings: Settings, results: Path) -> None:
        super().__init__()
        self.setWindowTitle("XrayView")
        self.setAcceptDrops(True)
        self._settings = settings
        self._results = results
        self._pending: list[Callable[[Workspace], None]] = []
        """What was requested before the panels were built."""
        self._panels: Panels | None = None
        self._closed = False
        self._must_close = False
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
            "check_installation": self._check_installation,
            "log_folder": self._show_log_folder,
            "about": self._show_about,
        }
        # By action id; each looks up its action when it runs, as the panels are built later.
        actions = self._named = {key.name: self._action(key.name) for key in shortcuts.KEYS}
        self.bar = TopBar(actions)
        self.bar.setObjectName("tools")
        self.addToolBar(self.bar)
        self.bar.set_enabled(FILM_BUTTONS + VIEW_BUTTONS + MODEL_BUTTONS, enabled=False)
        self._keys = KeyBinding(self, actions)
        saver = self.preferences.saver
        saver.message.connect(self.banners.show_message)
        saver.saved.connect(lambda: self.banners.close_message(SAVING))
        self.preferences.keys_changed.connect(self._keys.renew)
        self.preferences.keys_changed.connect(self.start_page.show_keys)
        self._lay_out()
        self.drop_target = DropTarget(self)
        self._connect()
        self._restore()

    @property
    def panels(self) -> Panels:
        """Workspace, dock and exports, once they are built."""
        assert self._panels is not None
        return self._panels

    @property
    def workspace(self) -> Workspace:
        """The workspace, once it is built."""
        return self.panels.workspace

    @property
    def has_panels(self) -> bool:
        """True once the panels are built."""
        return self._panels is not None and self._panels.is_complete

    @property
    def is_closed(self) -> bool:
        """True once the user has closed the window."""
        return self._closed

    def build_panels(self, engine: Engine, model: Path | None = None) -> None:
        """Build the panels, load a model, then carry out what was requested meanwhile.

        Args:
            engine: closed with the window.
            model: the bundle to load; None: that of the settings, or the default.
        """
        for _ in self.build_steps(engine, model):
            pass

    def build_steps(self, engine: Engine, model: Path | None = None) -> Iterator[None]:
        """Do the same in steps, between which the window may respond."""
        from xrayview.ui.shell.panels import Panels, WindowParts

        parts = WindowParts(self, self.pages, self.bar, self.status, self.start_page, self.banners)
        panels = self._panels = Panels(parts, self._settings, self._results, engine)
        yield from panels.build_steps()
        workspace = panels.workspace
        self._actions |= panels.commands()
        workspace.second_window.set_actions(self._named)
        self._keys.first = workspace.reading_controller.key_actions
        self.preferences.keys_changed.connect(workspace.second_window.renew_keys)
        self.preferences.follow(
            panels.setting_actions(),
            self._store_present_state,
            workspace.model_controller,
            panels.tasks,
        )
        self.pages.addWidget(workspace)
        workspace.films.folder_opened.connect(self._on_folder)
        workspace.identity_hidden.connect(self._show_title)
        workspace.state_changed.connect(self.preferences.saver.save_soon)
        workspace.findings.model_requested.connect(self.choose_model)
        for note in self.preferences.notes:
            self.banners.show_message(Message("settings", "warn", note))
        panels.recent_folders.show()
        panels.model_status.load_first(model)
        for act in self._pending:
            act(workspace)

    # Commands

    def open_paths(self, paths: list[Path]) -> None:
        """Open a folder, a file, or what was dropped."""
        self._when_ready(lambda workspace: workspace.films.open_paths(paths))

    def open_sample(self) -> None:
        """Open the study that ships with the program."""
        self.open_paths([sample_study()])

    def open_request(self, request: StartRequest, *, to_front: bool = False) -> None:
        """Open what a start of the program asks for, and show the window above others."""
        if request.sample:
            self.open_sample()
        elif request.paths:
            self.open_paths(list(request.paths))
        if request.model is not None:
            self.open_model(request.model)
        if to_front:
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
            self.raise_()
            self.activateWindow()

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
        if self.has_panels:
            act(self.workspace)
        else:
            self._pending.append(act)

    def _action(self, name: str) -> Callable[..., None]:
        """An action by its id, looked up when it runs: the panels are built later."""

        def run(*args: int) -> None:
            if name == "cancel_drawing" and self._full.on:
                self._full.leave()  # Esc is bound here, so it does not arrive as a key press
            if self.has_panels and self.workspace.reading_controller.blocks(name):
                self.banners.show_message(Message("reading", "info", BLOCKED))
            elif act := self._actions.get(name):
                act(*args)

        return run

    def _full_screen(self) -> None:
        around: list[QWidget] = [self.bar, self.status]
        if self.has_panels:
            around += [*self.workspace.around_the_film(), self.panels.dock]
        self._full.toggle(around)

    def _next_screen(self) -> None:
        if not to_next_screen(self):
            self.banners.show_message(Message("screen", "info", "Only one monitor is connected."))

    def _show_shortcuts(self) -> None:
        sheet = ShortcutSheet(self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.edit_requested.connect(self._actions["edit_keys"])
        sheet.open()

    def _check_installation(self) -> None:
        from xrayview.ui.shell.installation_check import InstallationCheck

        if not self.findChildren(InstallationCheck):
            InstallationCheck(self).open()

    def _show_about(self) -> None:
        from xrayview.ui.shell.about import AboutBox

        AboutBox(self).open()

    def _show_log_folder(self) -> None:
        folder = log_folder()
        if not folder.is_dir() or not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.banners.show_message(Message("log", "info", f"The log folder is {folder}"))

    def _on_folder(self) -> None:
        session = self.workspace.session
        for topic in FOLDER_TOPICS:
            self.banners.close_message(topic)
        if session.folder is not None:
            self.panels.recent_folders.remember(session.folder, session.source)
        self.pages.setCurrentWidget(self.workspace)
        self.workspace.grid.take_keyboard()  # or Space would press the first button of the bar
        self._show_title()

    def _show_title(self) -> None:
        workspace = self.workspace
        folder = None if workspace.hides_identity else workspace.session.folder
        self.setWindowTitle(f"{folder.name or folder} – XrayView" if folder else "XrayView")

    # Window

    def _lay_out(self) -> None:
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
        self.resize(_DEFAULT)
        geometry = self._settings["window_state"].get("geometry", "")
        self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        stay_on_screen(self)

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

    def end(self) -> None:
        """Close without a question: nobody may be there to answer it."""
        self._must_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._must_close and self._asks_first():
            event.ignore()
            return
        if self._full.on:
            self._full.leave()  # the next start shows the panels
        was_closed, self._closed = self._closed, True
        for dialog in self.findChildren(QDialog):
            # An open one would keep the program running, unseen.
            if self._must_close and isinstance(dialog, FormDialog):
                dialog.discard()
            else:
                dialog.close()
        geometry = self.saveGeometry()
        self.hide()  # at once; the workers end meanwhile
        if not was_closed:
            self.preferences.saver.close(lambda: self._store_state(geometry))
            if self._panels is not None:
                self._panels.close()
        event.accept()

    def _store_state(self, geometry: QByteArray) -> None:
        """Store the state of window and panels in the settings."""
        state = self._settings["window_state"]
        state["geometry"] = geometry.toBase64().toStdString()
        self._settings["window_state"] = state
        if self.has_panels:
            self.panels.store_state()

    def _store_present_state(self) -> None:
        if not self._full.on:  # the next start shows the panels
            self._store_state(self.saveGeometry())

    def _asks_first(self) -> bool:
        """Let a dialog with unused answers ask; the user may close the window again afterwards."""
        forms = [form for form in self.findChildren(FormDialog) if form.isVisible()]
        asking = next((form for form in forms if form.closing_question() is not None), None)
        if asking is not None:
            asking.reject()
        return asking is not None
