"""What `render` and `tags` have in common: one line per file, progress, and the exit code."""

from __future__ import annotations

from collections import Counter

from xrayview.commands.terminal import ProgressLine, tell
from xrayview.domain.events import FilmFinished
from xrayview.errors import ExitCode, Status, StatusCode
from xrayview.services.progress import BatchProgress


class FilmLines:
    """Counts outcomes and shows progress on stderr."""

    def __init__(self) -> None:
        self._progress: BatchProgress | None = None
        self._line = ProgressLine()
        self._codes: Counter[StatusCode] = Counter()
        self._failed = 0

    def add(self, event: FilmFinished) -> None:
        """One more file was tried."""
        if self._progress is None:
            self._progress = BatchProgress(event.total)
        self._progress.add(event)
        self._codes[event.result.code] += 1
        if event.result.status in (Status.ERROR, Status.REFUSED):
            self._failed += 1
        self._line.show(self._progress.text)

    def clear(self) -> None:
        """Make room for a line that stays."""
        self._line.clear()

    def exit_code(self) -> int:
        """From the outcomes so far; tells why where nothing was of use."""
        self._line.clear()
        total = self._codes.total()
        if self._codes[StatusCode.NOT_AN_IMAGE] == total:
            tell(f"No film among {total} files: choose a folder with DICOM or image films.")
            return ExitCode.NOTHING_USABLE
        return ExitCode.SOME_FAILED if self._failed else ExitCode.OK
