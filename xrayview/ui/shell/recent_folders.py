"""The folders that were opened last, in the toolbar's menu and on the start page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject

from xrayview.services.settings import Settings
from xrayview.services.tasks import Tasks
from xrayview.ui.shell.start_page import StartPage
from xrayview.ui.shell.toolbar import TopBar


class RecentFolders(QObject):
    """Lists the recent folders of the settings, and says which of them are missing."""

    def __init__(
        self, settings: Settings, tasks: Tasks, bar: TopBar, start_page: StartPage
    ) -> None:
        super().__init__(bar)
        self._settings = settings
        self._tasks = tasks
        self._bar = bar
        self._start_page = start_page
        start_page.folder_forgotten.connect(self.forget)

    def show(self) -> None:
        """List the folders; those that are missing are marked once that is known."""
        folders = [Path(name) for name in self._settings["recent_folders"]]
        self._show(folders, frozenset())
        find_missing(
            self._tasks, "recent folders", folders, lambda missing: self._show(folders, missing)
        )

    def remember(self, folder: Path, source: Path | None) -> None:
        """Put a folder first; `source` is opened at the next start."""
        self._settings.remember_folder(folder)
        state = self._settings["window_state"]
        state["source"] = str(source or "")
        self._settings["window_state"] = state
        self.show()

    def forget(self, folder: Path) -> None:
        """Remove a folder from the list."""
        self._settings.forget_folder(folder)
        self.show()

    def _show(self, folders: list[Path], missing: frozenset[Path]) -> None:
        self._bar.show_recent(folders, missing)
        self._start_page.show_recent(folders, missing)


def find_missing(
    tasks: Tasks,
    slot: str,
    folders: Iterable[Path | str],
    done: Callable[[frozenset[Path]], None],
) -> None:
    """Call `done` with the folders that do not exist; a drive that is gone may take seconds."""
    paths = [Path(folder) for folder in folders]
    tasks.call(
        slot,
        lambda: frozenset(path for path in paths if not path.is_dir()),
        done,
        lambda _error: None,
    )
