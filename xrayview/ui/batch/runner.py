"""The batch of the window: the same run as the command line's, heard as signals."""

from __future__ import annotations

import itertools
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import BatchEvent, BatchFinished, BatchStarted, FilmFinished
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import XrayViewError
from xrayview.io.tables.predictions import IdentityMode
from xrayview.services.identity import identity_key
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.services.tasks import Tasks
from xrayview.ui.model_controller import WITHOUT_MODEL
from xrayview.ui.widgets.banners import Message

_SLOT = "batch"
_PAUSE_S = 0.1


@dataclass(frozen=True)
class _Asked:
    """A batch with all that was in force when it was asked for."""

    source: Path
    model: ModelRef
    out: Path
    identity: IdentityMode
    own_points: Mapping[str, float]

    def options(self) -> BatchOptions:
        """Raises XrayViewError where the key of the hashes cannot be had."""
        return BatchOptions(
            identity=self.identity,
            identity_key=identity_key() if self.identity == "hash" else b"",
            command=("window",),
            own_points=self.own_points,
        )


class BatchRunner(QObject):
    """Runs one batch at a time over the open folder."""

    waiting = Signal(str)
    started = Signal(object)
    progressed = Signal(object)
    """`FilmFinished` events that came together, as a list."""
    finished = Signal(object)
    failed = Signal()
    message = Signal(object)

    def __init__(
        self, session: Session, tasks: Tasks, engine: Engine, settings: Settings, results: Path
    ) -> None:
        super().__init__()
        self._session = session
        self._tasks = tasks
        self._engine = engine
        self._settings = settings
        self._results = results
        self.csv_path: Path | None = None
        self._model_sha256 = ""
        self._asked: _Asked | None = None
        self._paused = threading.Event()

    @property
    def running(self) -> bool:
        """True until the last row is written."""
        return self._tasks.busy(_SLOT)

    def start(self) -> None:
        """Classify the open folder; a message says why it cannot be done."""
        source, model = self._session.source, self._session.model
        if self.running:
            return
        if model is None or source is None:
            self.message.emit(_NO_MODEL if model is None else _NO_SOURCE)
            return
        out = _new_folder(self._results, source) / "predictions.csv"
        identity, own_points = self._settings["csv_identity"], dict(self._session.own_points)
        self._asked = _Asked(source, model.model, out, identity, own_points)
        self._run(self._asked)

    def resume(self) -> None:
        """Go on with a batch that ended early, as it was asked for; its rows stay."""
        if self._asked is not None and not self.running:
            self._run(self._asked)

    def _run(self, asked: _Asked) -> None:
        self.csv_path, self._model_sha256 = None, asked.model.sha256
        self._paused.clear()
        self.waiting.emit(f"Batch: listing {asked.source.name or asked.source} …")
        self._tasks.stream(
            _SLOT,
            lambda stop: self._events(asked, stop),
            self._on_events,
            lambda: None,
            self._on_failed,
        )

    def cancel(self) -> None:
        """End early; the rows so far are written."""
        self._tasks.stop(_SLOT)

    def set_paused(self, paused: bool) -> None:
        """Begin no further film until it goes on; what is under way is finished."""
        if paused:
            self._paused.set()
        else:
            self._paused.clear()

    def save_as(self, path: Path) -> None:
        """Copy the CSV to where the user wants it."""
        if self.csv_path is None:
            return
        try:
            shutil.copyfile(self.csv_path, path)
        except OSError as error:
            self.message.emit(
                Message("save", "error", f"{path.name}: the CSV was not saved", str(error.strerror))
            )

    def _events(self, asked: _Asked, stop: threading.Event) -> Iterator[BatchEvent]:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        for event in run_batch(
            self._engine, asked.source, asked.model, asked.out, asked.options(), stop
        ):
            yield event
            # While nobody asks for the next film, none is begun.
            while self._paused.is_set() and not stop.is_set():
                stop.wait(_PAUSE_S)

    def _on_events(self, events: list[BatchEvent]) -> None:
        films = [event for event in events if isinstance(event, FilmFinished)]
        for event in events:
            if isinstance(event, BatchStarted):
                self.started.emit(event)
        for event in films:
            self._session.accept_result(event.result, self._model_sha256)
        if films:
            self.progressed.emit(films)
        for event in events:
            if isinstance(event, BatchFinished):
                self.csv_path = event.csv_path
                self.finished.emit(event)

    def _on_failed(self, error: XrayViewError) -> None:
        self.failed.emit()
        self.message.emit(Message.of("batch", error))


_NO_MODEL = Message(
    WITHOUT_MODEL,
    "warn",
    "There is no model to classify with",
    "Wait for the one that is being loaded, or choose one at the top right.",
)
_NO_SOURCE = Message(
    "batch",
    "warn",
    "Only some files are listed, so there is no folder to classify",
    "Open the folder that holds them.",
)


def _new_folder(results: Path, source: Path) -> Path:
    """One of its own: a batch in another's folder would go on with that one's rows."""
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d %H-%M-%S")
    safe = re.sub(r"[^\w.-]+", "_", source.name) or "folder"
    name = f"{safe} {stamp}"
    names = itertools.chain([name], (f"{name} ({number})" for number in itertools.count(2)))
    return next(folder for name in names if not (folder := results / name).exists())
