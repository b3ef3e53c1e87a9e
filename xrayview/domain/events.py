"""What a batch says while it runs; plain objects, so that a window and a terminal both listen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xrayview.domain.film import FilmRef
from xrayview.domain.model import GateVerdict, ModelCard, Prediction
from xrayview.errors import Status, StatusCode


@dataclass(frozen=True)
class FilmResult:
    """The outcome of one frame of a file. `prediction` is None unless it was judged."""

    relative_path: str
    status: Status
    code: StatusCode
    message: str = ""
    ref: FilmRef | None = None
    sha256: str = ""
    preprocessing_id: str = ""
    prediction: Prediction | None = None
    gate: GateVerdict | None = None
    time_utc: str = ""

    @property
    def frame(self) -> int | None:
        """Of the file, from 0; None where the file as a whole is meant: it is no film."""
        return None if self.ref is None else self.ref.frame

    @property
    def name(self) -> str:
        """The path, with the frame where the file has several: `a/b.dcm frame 4/10`."""
        return f"{self.relative_path} {self.ref.frame_text if self.ref else ''}".rstrip()


@dataclass(frozen=True)
class BatchStarted:
    """The folder has been listed."""

    run_id: str
    files: int
    """So many will be tried, or were."""
    total: int
    """Rows to come and those of earlier runs; it grows where files turn out to have frames."""
    resumed: int
    """Rows of earlier runs."""
    card: ModelCard
    device: str


@dataclass(frozen=True)
class FilmFinished:
    """One more file, or frame of a file, has its row, in scan order."""

    result: FilmResult
    done: int
    total: int
    """Rows, as far as is known by now."""


@dataclass(frozen=True)
class BatchFinished:
    """All rows are written; `cancelled` says that the user stopped it."""

    counts: dict[str, int]
    """Rows per status."""
    seconds: float
    csv_path: Path | None
    cancelled: bool = False


BatchEvent = BatchStarted | FilmFinished | BatchFinished
