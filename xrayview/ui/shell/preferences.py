"""The settings dialog, and the settings that take effect while the window is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from xrayview.services.settings import Settings
from xrayview.ui.keys import shortcuts
from xrayview.ui.keys.keymap import Keymap
from xrayview.ui.shell.settings_saver import SettingsSaver
from xrayview.ui.style import theme
from xrayview.ui.widgets.banners import Message

if TYPE_CHECKING:  # not needed before the first paint
    from xrayview.services.tasks import Tasks
    from xrayview.ui.model_controller import ModelController
    from xrayview.ui.settings_dialog.dialog import SettingsDialog

_MODEL_SETTINGS = ("model", "device")
"""Settings that are in force only once a model has been loaded with them."""
_WINDOW_SETTINGS = ("hide_identity", "heat_map_opacity", "heat_map_cutoff")
"""Settings that can also be changed in the main window."""


class Preferences(QObject):
    """Applies the user's keys at once, and other settings when they change."""

    keys_changed = Signal()

    def __init__(self, window: QWidget, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self.saver = SettingsSaver(settings, self)
        self.keymap = Keymap(settings["shortcuts"])
        shortcuts.use(self.keymap.own())
        self.dialog: SettingsDialog | None = None
        self._store_window_state: Callable[[], None] = lambda: None
        self._find_missing: Callable[[], None] = lambda: None
        self._changed_key = ""
        """The model setting that was changed last."""
        self._problem = ""
        """Why its value is not in force."""
        self._effects: dict[str, Callable[[Any], object]] = {
            "theme": theme.use,
            "shortcuts": lambda _: self._use_keys(),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Problems of the settings file, for the user."""
        return (*self._settings.notes, *self.keymap.problems)

    def follow(
        self,
        effects: Mapping[str, Callable[[Any], object]],
        store_window_state: Callable[[], None],
        model_controller: ModelController,
        tasks: Tasks,
    ) -> None:
        """Apply changes of settings to the panels from now on.

        Args:
            effects: by setting, what applies a new value at once.
            store_window_state: stores what was changed in the panels themselves.
            model_controller: says whether a requested model was loaded.
            tasks: for looking up missing folders.
        """
        from xrayview.ui.shell.recent_folders import find_missing

        self._effects |= effects
        self._store_window_state = store_window_state
        self.saver.follow(tasks, store_window_state)
        self._find_missing = lambda: find_missing(
            tasks, "model folders", self._settings["model_folders"], self._show_missing
        )
        model_controller.message.connect(self._on_model_message)
        model_controller.model_changed.connect(lambda: self._on_model(model_controller.loading))

    def show(self, page: str = "") -> None:
        """Open the dialog, if given on a certain page."""
        from xrayview.ui.settings_dialog.checks import CHECKS
        from xrayview.ui.settings_dialog.dialog import SettingsDialog

        if self.dialog is None:
            self._store_window_state()
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
        """Apply the new value of a setting, unless it takes effect at the next start."""
        if key in _MODEL_SETTINGS:
            self._changed_key, self._problem = key, ""
        if apply_value := self._effects.get(key):
            apply_value(self._settings[key])
        if key == "model_folders":
            self._find_missing()

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate:
            self._show_window_changes()
        return False

    def _show_window_changes(self) -> None:
        before = {key: self._settings[key] for key in _WINDOW_SETTINGS}
        self._store_window_state()
        for key, value in before.items():
            if self.dialog is not None and self._settings[key] != value:
                self.dialog.show_value(key)

    def _show_missing(self, missing: frozenset[Path]) -> None:
        if self.dialog is not None:
            self.dialog.show_missing("model_folders", [str(folder) for folder in missing])

    def _on_model_message(self, message: Message) -> None:
        if message.topic == "model":
            question = replace(message, text="Answer the question in the main window.")
            self._problem = (question if message.actions else message).one_line

    def _on_model(self, loading: bool) -> None:
        """Show the values in force, with the reason if they are not those of the user."""
        if loading:
            return
        problem, self._problem = self._problem, ""
        if self.dialog is not None:
            for key in _MODEL_SETTINGS:
                self.dialog.show_value(key, problem if key == self._changed_key else "")

    def _use_keys(self) -> None:
        self._settings["shortcuts"] = self.keymap.as_setting()
        shortcuts.use(self.keymap.own())
        self.keys_changed.emit()
        shortcuts.refresh(self._window)

    def _on_closed(self) -> None:
        self.dialog = None
        self.saver.save()
