"""What a batch says while it runs; plain objects, so that a window and a terminal both listen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xrayview.domain.film import FilmRef
from xrayview.domain.model import GateVerdict, ModelCard, Prediction
from xrayview.errors import Status, StatusCode


@dataclass(frozen=True)
class FilmResult:
    """The outcome of one file that was tried. `prediction` is None unless it was judged."""

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


@dataclass(frozen=True)
class BatchStarted:
    """The folder has been listed; `total` files will be tried."""

    run_id: str
    total: int
    resumed: int
    card: ModelCard
    device: str


@dataclass(frozen=True)
class FilmFinished:
    """One more file has its row, in scan order."""

    result: FilmResult
    done: int
    total: int


@dataclass(frozen=True)
class BatchFinished:
    """All rows are written; `cancelled` says that the user stopped it."""

    counts: dict[str, int]
    """Rows per status."""
    seconds: float
    csv_path: Path | None
    cancelled: bool = False


BatchEvent = BatchStarted | FilmFinished | BatchFinished
