"""The model and its device in toolbar, status line and start page; what the settings keep of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from xrayview.errors import XrayViewError
from xrayview.services.catalogue import find_model, list_models
from xrayview.services.resources import resource
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.ui.model_controller import ModelController
from xrayview.ui.shell.start_page import StartPage
from xrayview.ui.shell.status_line import StatusLine, device_text
from xrayview.ui.shell.toolbar import TopBar
from xrayview.ui.widgets.banners import Banners, Message
from xrayview.ui.widgets.refresh_scheduler import RefreshScheduler


class ModelStatus(QObject):
    """Loads the first model, and shows which one is loaded or being loaded."""

    def __init__(
        self,
        session: Session,
        model_controller: ModelController,
        settings: Settings,
        bar: TopBar,
        status_line: StatusLine,
        start_page: StartPage,
        banners: Banners,
        refresh: RefreshScheduler,
    ) -> None:
        super().__init__(bar)
        self._session = session
        self._model_controller = model_controller
        self._settings = settings
        self._bar = bar
        self._status_line = status_line
        self._start_page = start_page
        self._banners = banners
        self._refresh = refresh
        self._for_this_start: Path | None = None
        """A model that was requested for this start only, as on the command line."""
        model_controller.message_settled.connect(banners.close_message)
        model_controller.model_changed.connect(self.show)
        bar.model_dismissed.connect(self.show)

    def setting_actions(self) -> dict[str, Callable[[Any], object]]:
        """Map settings to what applies a new value at once."""
        return {
            "model": self._use_setting,
            "model_folders": lambda _: self.show(),
        }

    def load_first(self, requested: Path | None) -> None:
        """Load the requested model, else the one of the settings, else the shipped one."""
        self._for_this_start = None
        name = str(requested) if requested else self._settings["model"]
        try:
            path = find_model(name, self._model_folders()).absolute()
        except XrayViewError as error:
            self._model_controller.model_text = f"{error.what[:1].upper()}{error.what[1:]}."
            self.show()
            if name:
                self._banners.show_message(Message.of("model", error))
        else:
            self._for_this_start = path if requested is not None else None
            self._model_controller.open_model(path)

    def _use_setting(self, name: str) -> None:
        self.load_first(Path(name) if name else None)
        self._for_this_start = None  # the user's choice stays

    def show(self) -> None:
        """Show the model that is loaded or being loaded, and the requested device."""
        models, ready = self._model_controller, self._session.model
        loading = models.model_text if models.loading else ""
        self._bar.show_models(list_models(self._model_folders()), ready, loading)
        self._bar.show_device(models.device)
        self._status_line.show_model(None if models.loading else ready, models.model_text)
        name = f"{ready.card.name} {ready.card.version}" if ready else models.model_text
        self._start_page.show_ready(name, device_text(ready) if ready else "")
        if ready is not None and not models.loading:
            if ready.model.path != self._for_this_start:
                self._for_this_start = None
                self._settings["model"] = _stored_name(ready.model.path)
            self._settings["device"] = ready.model.device
        self._refresh.request()

    def _model_folders(self) -> Iterable[Path]:
        return (Path(name) for name in self._settings["model_folders"])


def _stored_name(path: Path) -> str:
    """A shipped bundle by its name: the program may be in another folder next time.

    The default bundle has none: a later version may ship another in its place.
    """
    if path.parent != resource("models"):
        return str(path)
    return "" if path == find_model() else path.stem
