"""The settings while the window is open: the dialog, and what another value does at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from xrayview.services.settings import Settings
from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.keymap import Keymap
from xrayview.ui.style import theme
from xrayview.ui.widgets.banners import Message

if TYPE_CHECKING:  # the first paint needs the keys, not the panels
    from xrayview.engine.client import Engine
    from xrayview.ui.settings_dialog.dialog import SettingsDialog
    from xrayview.ui.shell.status_controller import StatusController
    from xrayview.ui.shell.workspace import Workspace

SAVING = "saving of settings"
"""The matter of the banner."""
_LIMITS = ("decode_timeout_s", "model_timeout_s", "max_megapixels")
_OF_THE_MODEL = ("model", "device")
"""What is asked for and is in force only once a model has kept its contract."""
_IN_THE_WINDOW = ("hide_identity", "heat_map_opacity", "heat_map_cutoff")
"""What can be changed in the window too."""


class Preferences(QObject):
    """Puts the user's keys in force when it is made; the rest when a setting changes."""

    keys_changed = Signal()
    message = Signal(object)
    saved = Signal()

    def __init__(self, window: QWidget, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self.keymap = Keymap(settings["shortcuts"])
        shortcuts.use(self.keymap.own())
        self.dialog: SettingsDialog | None = None
        self._keep_panels: Callable[[], None] = lambda: None
        self._find_missing: Callable[[], None] = lambda: None
        self._asked = ""
        """Which of the model's settings was changed last."""
        self._why = ""
        """What was said of it."""
        self._live: dict[str, Callable[[Any], object]] = {
            "theme": theme.use,
            "shortcuts": lambda _: self._use_keys(),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the settings file does not hold, for the user."""
        return (*self._settings.notes, *self.keymap.problems)

    def follow(self, workspace: Workspace, board: StatusController, engine: Engine) -> None:
        """The panels are there: they follow the settings from now on."""
        heat = workspace.findings.heat

        def use_limits(_: object) -> None:
            engine.limits = self._settings.limits()

        def use_model_folders(_: object) -> None:
            board.show_model()
            self._find_missing()

        live: dict[str, Callable[[Any], object]] = {
            "hide_identity": workspace.set_identity_hidden,
            "heat_map_method": workspace.heat_maps.prefer,
            "heat_map_opacity": lambda part: heat.opacity.setValue(round(part * 100)),
            "heat_map_cutoff": lambda part: heat.cutoff.setValue(round(part * 100)),
            "device": workspace.model_controller.set_device,
            "model": lambda name: board.load_first_model(Path(name) if name else None),
            "model_folders": use_model_folders,
        }
        self._live |= live | dict.fromkeys(_LIMITS, use_limits)
        # What was changed in the window itself is kept when it closes, and shown here now.
        self._keep_panels = workspace.save_state
        self._find_missing = lambda: board.find_missing(
            "model folders", self._settings["model_folders"], self._show_missing
        )
        workspace.model_controller.message.connect(self._on_model_said)
        workspace.model_controller.model_changed.connect(
            lambda: self._on_model(workspace.model_controller.loading)
        )

    def show(self, page: str = "") -> None:
        """Open the dialog, on the page of a group."""
        from xrayview.ui.settings_dialog.checks import CHECKS
        from xrayview.ui.settings_dialog.dialog import SettingsDialog

        if self.dialog is None:
            self._keep_panels()
            self.dialog = SettingsDialog(self._settings, self.keymap, CHECKS, self._window)
            self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self.dialog.changed.connect(self.apply)
            self.dialog.finished.connect(self._on_closed)
            self.dialog.installEventFilter(self)
            self.dialog.show()
            self._find_missing()
        if page:
            self.dialog.turn_to(page)
        self.dialog.raise_()
        self.dialog.activateWindow()

    def apply(self, key: str) -> None:
        """Do what the new value of a setting asks for; rows that wait for a start do nothing."""
        if key in _OF_THE_MODEL:
            self._asked, self._why = key, ""
        if act := self._live.get(key):
            act(self._settings[key])

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate:
            self._show_changes_of_the_window()
        return False

    def _show_changes_of_the_window(self) -> None:
        before = {key: self._settings[key] for key in _IN_THE_WINDOW}
        self._keep_panels()
        for key, value in before.items():
            if self.dialog is not None and self._settings[key] != value:
                self.dialog.show_value(key)

    def _show_missing(self, missing: frozenset[Path]) -> None:
        if self.dialog is not None:
            self.dialog.show_missing("model_folders", [str(folder) for folder in missing])

    def _on_model_said(self, message: Message) -> None:
        if message.matter == "model":
            asked = replace(message, text="The main window asks.")
            self._why = (asked if message.actions else message).words

    def _on_model(self, loading: bool) -> None:
        """The dialog shows what is in force, and why that is not what was asked for."""
        if loading:
            return
        why, self._why = self._why, ""
        if self.dialog is not None:
            for key in _OF_THE_MODEL:
                self.dialog.show_value(key, why if key == self._asked else "")

    def _use_keys(self) -> None:
        self._settings["shortcuts"] = self.keymap.as_setting()
        shortcuts.use(self.keymap.own())
        self.keys_changed.emit()
        shortcuts.refresh(self._window)

    def _on_closed(self) -> None:
        self.dialog = None
        self.save()

    def save(self) -> None:
        """Write the settings, or say why they cannot be written."""
        try:
            self._settings.save()
        except OSError as error:
            self.message.emit(_not_saved(self._settings.path, error))
        else:
            self.saved.emit()


def _not_saved(path: Path, error: OSError) -> Message:
    return Message(
        SAVING,
        "error",
        f"{path.name}: The settings were not saved",
        f"{error.strerror or type(error).__name__}. They hold until the program ends; "
        f"to keep them, make {path.parent} a folder that you can write to.",
    )
