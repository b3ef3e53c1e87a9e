"""Progress on stderr and the exit code of commands that print one line per file."""

from __future__ import annotations

from collections import Counter

from xrayview.commands.terminal import ProgressLine, print_err
from xrayview.domain.events import FilmFinished
from xrayview.domain.formats import READABLE
from xrayview.errors import ExitCode, Status, StatusCode
from xrayview.services.progress import BatchProgress


class FilmLines:
    """Counts outcomes and shows progress."""

    def __init__(self) -> None:
        self._progress: BatchProgress | None = None
        self._line = ProgressLine()
        self._codes: Counter[StatusCode] = Counter()
        self._failed = 0

    def add(self, event: FilmFinished) -> None:
        """Count one more file."""
        from xrayview.domain.verdict import title_of

        if self._progress is None:
            self._progress = BatchProgress(event.total, title=title_of)
        self._progress.add(event)
        self._codes[event.result.code] += 1
        if event.result.status in (Status.ERROR, Status.REFUSED):
            self._failed += 1
        self._line.show(self._progress.text)

    def clear(self) -> None:
        """Make room for a permanent line."""
        self._line.clear()

    def exit_code(self) -> int:
        """The exit code by the outcomes so far; prints the reason where no file is a film."""
        self._line.clear()
        total = self._codes.total()
        if self._codes[StatusCode.NOT_AN_IMAGE] == total:
            print_err(no_film_text(total))
            return ExitCode.NOTHING_USABLE
        return ExitCode.SOME_FAILED if self._failed else ExitCode.OK


def no_film_text(files: int) -> str:
    """What to tell the user when none of the files is a film."""
    if not files:
        among = "the folder contains no files"
    else:
        among = "the file is not a film" if files == 1 else f"none of the {files} files is a film"
    return f"Nothing to do: {among}. Choose a folder with {READABLE} films."
