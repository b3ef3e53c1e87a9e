"""The settings while the window is open: the dialog, and what another value does at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from xrayview.services.settings import Settings
from xrayview.ui import shortcuts, theme
from xrayview.ui.banners import Message
from xrayview.ui.keymap import Keymap

if TYPE_CHECKING:  # the first paint needs the keys, not the panels
    from xrayview.engine.client import Engine
    from xrayview.ui.dashboard import Dashboard
    from xrayview.ui.settings_dialog.dialog import SettingsDialog
    from xrayview.ui.workspace import Workspace

SAVING = "saving of settings"
"""The matter of the banner."""
_LIMITS = ("decode_timeout_s", "model_timeout_s", "max_megapixels")


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
        self._live: dict[str, Callable[[Any], object]] = {
            "theme": theme.use,
            "shortcuts": lambda _: self._use_keys(),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the settings file does not hold, for the user."""
        return (*self._settings.notes, *self.keymap.problems)

    def follow(self, space: Workspace, board: Dashboard, engine: Engine) -> None:
        """The panels are there: they follow the settings from now on."""
        heat = space.findings.heat

        def use_limits(_: object) -> None:
            engine.limits = self._settings.limits()

        live: dict[str, Callable[[Any], object]] = {
            "hide_identity": space.set_identity_hidden,
            "heat_map_method": space.heat.prefer,
            "heat_map_opacity": lambda part: heat.opacity.setValue(round(part * 100)),
            "heat_map_cutoff": lambda part: heat.cutoff.setValue(round(part * 100)),
            "device": space.judging.set_device,
            "model": lambda name: board.load_first_model(Path(name) if name else None),
            "model_folders": lambda _: board.show_model(),
        }
        self._live |= live | dict.fromkeys(_LIMITS, use_limits)
        # What was changed in the window itself is kept when it closes, and shown here now.
        self._keep_panels = space.save_state

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
            self.dialog.show()
        if page:
            self.dialog.turn_to(page)
        self.dialog.raise_()
        self.dialog.activateWindow()

    def apply(self, key: str) -> None:
        """Do what the new value of a setting asks for; rows that wait for a start do nothing."""
        if act := self._live.get(key):
            act(self._settings[key])

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
