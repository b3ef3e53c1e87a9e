"""The events of a batch: plain objects, for the window and the terminal alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xrayview.domain.film import FilmRef
from xrayview.domain.model import GateVerdict, ModelCard, Prediction
from xrayview.domain.runtimes import TORCH, runtime_text
from xrayview.errors import Status, StatusCode


@dataclass(frozen=True)
class FilmResult:
    """The outcome of one frame of a file; `prediction` is None unless it was classified."""

    relative_path: str
    status: Status
    code: StatusCode
    message: str = ""
    ref: FilmRef | None = None
    sha256: str = ""
    preprocessing_id: str = ""
    prediction: Prediction | None = None
    gate: GateVerdict | None = None
    pixel_gate: GateVerdict | None = None
    """The part of `gate` that rests on the pixels, whatever header and user say."""
    warnings: tuple[str, ...] = ()
    """Notes on reading and preprocessing, which are in `message` too."""
    time_utc: str = ""

    @property
    def frame(self) -> int | None:
        """The frame, counted from 0; None for a file that is not a film."""
        return None if self.ref is None else self.ref.frame

    @property
    def name(self) -> str:
        """The path, and the frame where the file has several: `a/b.dcm frame 4/10`."""
        return f"{self.relative_path} {self.ref.frame_text if self.ref else ''}".rstrip()


@dataclass(frozen=True)
class BatchStarted:
    """The folder has been listed."""

    run_id: str
    files: int
    """Files of the folder, those of earlier runs included."""
    total: int
    """Expected rows, those of earlier runs included; grows as files turn out to have frames."""
    resumed: int
    """Rows from earlier runs."""
    card: ModelCard
    device: str
    compares: bool = True
    """The model has statistics of its training films, so films are compared with them."""
    runtime: str = TORCH
    """The id of the runtime that classifies."""
    precision: str = "float32"
    """The number format of the computation."""

    @property
    def model_text(self) -> str:
        """The model and what runs it: `Chest 1.2 on cpu, OpenVINO, float32`."""
        card, how = self.card, runtime_text(self.device, self.runtime, self.precision)
        return f"{card.name} {card.version} on {how}"


@dataclass(frozen=True)
class FilmFinished:
    """A file, or a frame of a file, is done; events come in scan order."""

    result: FilmResult
    done: int
    total: int
    """Expected rows, as known so far."""


@dataclass(frozen=True)
class BatchFinished:
    """All rows are written; `cancelled` where the user stopped the batch."""

    counts: dict[str, int]
    """Rows per status."""
    seconds: float
    csv_path: Path | None
    cancelled: bool = False
    notes: tuple[str, ...] = ()
    """What the user should know, such as a copy of the old table; sentences."""


BatchEvent = BatchStarted | FilmFinished | BatchFinished
