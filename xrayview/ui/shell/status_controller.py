"""What bar, status line and start page show of the work: model, device, film, what is possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject

from xrayview.display.measure_text import probe_text
from xrayview.domain.measurement import Probe
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import XrayViewError
from xrayview.services.catalogue import find_model, list_models
from xrayview.services.resources import resource
from xrayview.services.settings import Settings
from xrayview.services.tasks import Tasks
from xrayview.ui.measure.tools import BY_NAME
from xrayview.ui.shell.start_page import StartPage
from xrayview.ui.shell.status_line import StatusLine, device_text
from xrayview.ui.shell.toolbar import FILM_BUTTONS, VIEW_BUTTONS, TopBar
from xrayview.ui.shell.workspace import Workspace
from xrayview.ui.widgets.banners import Banners, Message


class StatusController(QObject):
    """Follows the workspace; remembers in the settings what is to be there next time."""

    def __init__(
        self,
        workspace: Workspace,
        bar: TopBar,
        status: StatusLine,
        start_page: StartPage,
        banners: Banners,
        settings: Settings,
        tasks: Tasks,
    ) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._bar = bar
        self._status = status
        self._start_page = start_page
        self._banners = banners
        self._settings = settings
        self._tasks = tasks
        start_page.folder_forgotten.connect(self.forget_folder)
        workspace.message.connect(banners.show_message)
        workspace.refreshed.connect(self._refresh)
        workspace.model_controller.message_settled.connect(banners.close_message)
        workspace.model_controller.model_changed.connect(self.show_model)
        workspace.films.folder_opened.connect(self._on_folder)
        workspace.films.film_loading.connect(self._on_loading)
        workspace.films.film_shown.connect(self._on_film)
        workspace.films.film_failed.connect(self._on_film)
        workspace.grid.viewer_changed.connect(self._refresh)
        workspace.grid.tool_changed.connect(self._on_tool)
        for viewer in workspace.grid.viewers:
            viewer.measure.probed.connect(self._on_pixel)
        workspace.heat_maps.switched.connect(self._refresh)

    def load_first_model(self, asked: Path | None) -> None:
        """Load the model that is asked for, else the last one, else the one that ships."""
        name = str(asked) if asked else self._settings["model"]
        try:
            path = find_model(name, self._model_folders())
        except XrayViewError as error:
            self._workspace.model_controller.model_text = (
                f"{error.what[:1].upper()}{error.what[1:]}."
            )
            self.show_model()
            self._workspace.findings_controller.refresh()
            if name:
                self._banners.show_message(Message.of("model", error))
        else:
            self._workspace.model_controller.open_model(path)

    def show_model(self) -> None:
        """The model in force, or on its way; and the device that is asked for."""
        model_controller, ready = self._workspace.model_controller, self._workspace.session.model
        text = model_controller.model_text
        self._bar.show_models(list_models(self._model_folders()), ready)
        self._bar.show_device(model_controller.device)
        self._status.show_model(None if model_controller.loading else ready, text)
        name = f"{ready.card.name} {ready.card.version}" if ready else text
        self._start_page.show_ready(name, device_text(ready) if ready else "")
        if ready is not None and not model_controller.loading:
            self._settings["model"] = _lasting_name(ready.model.path)
            self._settings["device"] = ready.model.device
        self._refresh()

    def show_recent(self) -> None:
        """The folders that were opened last, in the menu and on the start page."""
        folders = [Path(name) for name in self._settings["recent_folders"]]
        self._show_recent(folders, frozenset())
        self.find_missing(
            "recent folders", folders, lambda missing: self._show_recent(folders, missing)
        )

    def find_missing(
        self, slot: str, folders: Iterable[Path | str], then: Callable[[frozenset[Path]], None]
    ) -> None:
        """Tell which folders are not there now."""
        asked = [Path(folder) for folder in folders]
        # In a thread: a drive that has gone away may take seconds to say so.
        self._tasks.call(
            slot,
            lambda: frozenset(folder for folder in asked if not folder.is_dir()),
            then,
            lambda _error: None,
        )

    def forget_folder(self, folder: Path) -> None:
        """Take a folder out of the recent ones."""
        self._settings.forget_folder(folder)
        self.show_recent()

    def _show_recent(self, folders: list[Path], missing: frozenset[Path]) -> None:
        self._bar.show_recent(folders, missing)
        self._start_page.show_recent(folders, missing)

    def _on_folder(self) -> None:
        folder = self._workspace.session.folder
        self._banners.close_message("folder")
        if folder is not None:
            self._settings.remember_folder(folder)
            state = self._settings["window_state"]
            state["source"] = str(self._workspace.session.source or "")
            self._settings["window_state"] = state
        self.show_recent()
        if self._workspace.session.films:
            self._refresh()
        else:
            self._on_film()  # there is none any more

    def _on_loading(self) -> None:
        self._banners.close_message("film")

    def _on_film(self) -> None:
        viewer, radiograph = self._workspace.viewer, self._workspace.session.radiograph
        titles = [choice.title for choice in viewer.voi_choices()]
        self._bar.show_windows(titles, viewer.apply_voi)
        self._status.show_film(radiograph)
        if radiograph is not None and radiograph.warnings:
            self._banners.show_message(_warnings(radiograph))
        self._refresh()

    def _on_tool(self, tool: str) -> None:
        self._bar.show_tool(tool)
        self._status.show_hint(BY_NAME[tool].hint if tool in BY_NAME else "")

    def _on_pixel(self, pixel: Probe | None) -> None:
        self._status.show_pixel(probe_text(pixel) if pixel is not None else "")

    def _refresh(self) -> None:
        session, bar = self._workspace.session, self._bar
        film, ready = session.radiograph is not None, session.model is not None
        result = session.result(session.current)
        scored = film and result is not None and result.prediction is not None
        bar.set_enabled(FILM_BUTTONS, enabled=film)
        bar.set_enabled(VIEW_BUTTONS, enabled=session.folder is not None)
        bar.set_checked(f"layout_{self._workspace.view_controller.layout_name}", checked=True)
        bar.set_checked("link_views", checked=self._workspace.view_controller.linking.on)
        bar.set_enabled(("classify",), enabled=film and ready)
        bar.set_enabled(("classify_folder",), enabled=ready and session.folder is not None)
        bar.set_enabled(("heat_map",), enabled=scored)
        bar.set_checked("invert", checked=self._workspace.viewer.inverted)
        bar.set_checked("histogram", checked=self._workspace.shows_histogram)
        bar.set_checked("heat_map", checked=scored and self._workspace.heat_maps.on)

    def _model_folders(self) -> Iterable[Path]:
        return (Path(name) for name in self._settings["model_folders"])


def _lasting_name(path: Path) -> str:
    """A shipped bundle by its name: the program may lie elsewhere next time.

    The one that is loaded unasked has none: a later version may ship another in its place.
    """
    if path.parent != resource("models"):
        return str(path)
    return "" if path == find_model() else path.stem


def _warnings(radiograph: Radiograph) -> Message:
    return Message("film", "warn", radiograph.ref.path.name, " ".join(radiograph.warnings))
