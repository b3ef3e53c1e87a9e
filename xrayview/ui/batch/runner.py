"""Runs a folder classification for the window; its events arrive as signals."""

from __future__ import annotations

import itertools
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from xrayview.batch.equivalent import equivalent_command
from xrayview.batch.rewrite import RunFiles, Settled
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import (
    BatchEvent,
    BatchFinished,
    BatchStarted,
    FilmFinished,
    FilmResult,
)
from xrayview.domain.model import ModelCard
from xrayview.domain.operating_points import effective_point
from xrayview.domain.stated import StatedFilms
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import Cancelled, XrayViewError
from xrayview.io.tables.predictions import IdentityMode
from xrayview.services.identity import identity_key
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.services.tasks import Tasks
from xrayview.ui.model_controller import WITHOUT_MODEL
from xrayview.ui.widgets.banners import Message

_SLOT = "batch"
_PAUSE_S = 0.1
_LONGEST_END_S = 60.0
"""A large table is written in seconds; on a share it may take longer."""
_UPDATE_AFTER_MS = 400
"""A dragged operating point moves many times in a second."""


@dataclass(frozen=True)
class _Request:
    """A folder classification with the settings in force when it was requested."""

    source: Path
    model: ModelRef
    out: Path
    identity: IdentityMode
    own_points: Mapping[str, float]
    stated: StatedFilms
    only: frozenset[str] | None
    """The relative paths of the films to classify; None: all files of the folder."""

    def options(self) -> BatchOptions:
        """The options of the batch. Raises XrayViewError if the identity key cannot be read."""
        return BatchOptions(
            identity=self.identity,
            identity_key=identity_key() if self.identity == "hash" else b"",
            command=("window",),
            own_points=self.own_points,
            stated=self.stated,
            only=self.only,
        )


class BatchRunner(QObject):
    """Classifies the open folder, one run at a time."""

    waiting = Signal(str)
    """The folder is being listed; a text for the user."""
    started = Signal(BatchStarted)
    progressed = Signal(tuple)
    """`FilmFinished` events that arrived together."""
    finished = Signal(BatchFinished)
    withdrawn = Signal()
    """The run was cancelled before it began; nothing was written."""
    failed = Signal()
    message = Signal(Message)
    message_settled = Signal(str)
    """The topic of banners that no longer apply."""

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
        self._files: RunFiles | None = None
        self._run_results: dict[tuple[str, int | None], FilmResult] = {}
        """Of the run, as the model gave them, by path and frame."""
        self._updates = itertools.count(1)
        self._update_timer = QTimer(self)
        self._update_timer.setSingleShot(True)
        self._update_timer.setInterval(_UPDATE_AFTER_MS)
        self._update_timer.timeout.connect(self._update_files)
        self._model_sha256 = ""
        self._request: _Request | None = None
        self._card: ModelCard | None = None
        self._finished: BatchFinished | None = None
        self._paused = threading.Event()

    @property
    def running(self) -> bool:
        """True from the start until the last row is written."""
        return self._tasks.is_busy(_SLOT)

    def can_start(self) -> bool:
        """True where a run can start; else emits a message that says why not."""
        problem = None
        if self.running:
            problem = _RUNNING
        elif self._session.model is None:
            problem = _NO_MODEL
        elif self._session.source is None:
            problem = _NO_SOURCE
        if problem is not None:
            self.message.emit(problem)
        return problem is None

    def start(self, only: frozenset[str] | None = None) -> None:
        """Classify the open folder, or emit a message that says why this is not possible.

        Args:
            only: the relative paths of the films to classify; None: all files of the folder.
        """
        source, model = self._session.source, self._session.model
        if not self.can_start() or model is None or source is None:
            return
        out = _new_folder(self._results, source) / "predictions.csv"
        identity, own_points = self._settings["csv_identity"], dict(self._session.own_points)
        stated = self._session.stated
        self._request = _Request(source, model.model, out, identity, own_points, stated, only)
        self._run(self._request)

    def resume(self) -> None:
        """Continue a run that ended early, with its original settings; its rows stay."""
        if self._request is not None and not self.running:
            self._run(self._request)

    @property
    def command(self) -> tuple[str, str] | None:
        """The command line like the last run, and what it does not repeat; None before a run."""
        run = self._request
        if run is None:
            return None
        left_out = []
        if run.own_points:
            left_out.append("It uses the operating points of the model, and not your own.")
        if run.only is not None:
            left_out.append("It classifies all films of the folder, and not only those chosen.")
        command = equivalent_command(run.source, run.model, run.out, run.identity, run.stated)
        return command, " ".join(left_out)

    @property
    def is_of_open_folder(self) -> bool:
        """True where the last run is of the folder that is open."""
        return self._request is not None and self._session.source == self._request.source

    @property
    def is_in_force(self) -> bool:
        """True while the session has the model and the folder of the last run."""
        request = self._request
        return (
            request is not None
            and self._session.model_sha256 == request.model.sha256
            and self.is_of_open_folder
        )

    def in_force(self, result: FilmResult) -> FilmResult:
        """A result of the last run at the operating points and with the statement in force."""
        result = self._run_results.get(_key(result), result)
        in_force = self._session.in_force(result) if self.is_in_force else None
        # A film that was refused before it was scored stays so in this run.
        return result if in_force is None else in_force

    def results_in_force(self) -> list[FilmResult]:
        """The results of the last run so far, see `in_force`."""
        return [self.in_force(result) for result in self._run_results.values()]

    def update_files(self) -> None:
        """Bring the files of a finished run up to what is in force, soon."""
        if self._files is not None and self.is_in_force:
            self._update_timer.start()

    def _update_files(self) -> None:
        if self._files is None or not self.is_in_force:
            return
        update = partial(
            self._files.update, self._settled(), self.results_in_force(), next(self._updates)
        )
        self._tasks.call(
            "run files",
            update,
            lambda _: None,
            lambda error: self.message.emit(Message.of("run files", error)),
        )

    def close(self) -> None:
        """Write what is pending; called when the window closes."""
        self._tasks.finish(_SLOT, _LONGEST_END_S)
        if self._update_timer.isActive() and self._files is not None and self.is_in_force:
            self._update_timer.stop()
            with suppress(XrayViewError, OSError):  # nobody is there to read a message
                self._files.update(self._settled(), self.results_in_force(), next(self._updates))

    def _settled(self) -> Settled:
        return Settled(self._session.effective_points, self._session.stated)

    def _run(self, request: _Request) -> None:
        self.csv_path, self._model_sha256 = None, request.model.sha256
        self._files = self._finished = None
        self._update_timer.stop()
        self._paused.clear()
        self.message_settled.emit("batch")
        self.waiting.emit(f"Listing {request.source.name or request.source} …")
        self._tasks.stream(
            _SLOT,
            lambda stop: self._events(request, stop),
            self._on_events,
            self._on_ended,
            self._on_failed,
        )

    def cancel(self) -> None:
        """Stop early; the rows so far stay in the CSV."""
        self._tasks.stop(_SLOT)

    def set_paused(self, paused: bool) -> None:
        """Start no further films while paused; those in progress are finished."""
        if paused:
            self._paused.set()
        else:
            self._paused.clear()

    def save_as(self, path: Path) -> None:
        """Write the CSV to `path`, at the operating points in force."""
        if self._files is None or self.csv_path is None:
            return
        try:
            if self.is_in_force:
                self._files.save_as(path, self._settled(), self.results_in_force())
            else:
                shutil.copyfile(self.csv_path, path)
        except XrayViewError as error:
            self.message.emit(Message.of("save", error))
        except OSError as error:
            title = f"{path.name}: the CSV was not saved"
            text = f"{error.strerror or type(error).__name__}. Choose another folder."
            self.message.emit(Message("save", "error", title, text))

    def _events(self, request: _Request, stop: threading.Event) -> Iterator[BatchEvent]:
        request.out.parent.mkdir(parents=True, exist_ok=True)
        events = run_batch(
            self._engine, request.source, request.model, request.out, request.options(), stop
        )
        try:
            for event in events:
                yield event
                # A film starts only when the generator is asked for the next event.
                while self._paused.is_set() and not stop.is_set():
                    stop.wait(_PAUSE_S)
        except Cancelled:
            if not stop.is_set():  # the window closes
                raise

    def _on_events(self, events: list[BatchEvent]) -> None:
        films = [event for event in events if isinstance(event, FilmFinished)]
        for event in events:
            if isinstance(event, BatchStarted):
                self._card = event.card
                if not event.resumed:
                    self._run_results = {}
                self.started.emit(event)
        for event in films:
            self._run_results[_key(event.result)] = event.result
            self._session.accept_result(event.result, self._model_sha256)
        if films:
            self.progressed.emit(tuple(films))
        for event in events:
            if isinstance(event, BatchFinished):
                self._finished = event

    def _on_ended(self) -> None:
        """Only now, since another run cannot be started before."""
        event, request, card = self._finished, self._request, self._card
        if event is None:  # cancelled before the first film
            self.withdrawn.emit()
            return
        if event.csv_path is not None and request is not None and card is not None:
            points = tuple(
                effective_point(card, request.own_points, finding.name) for finding in card.findings
            )
            self.csv_path = event.csv_path
            self._files = RunFiles(event.csv_path, Settled(points, request.stated))
        self.finished.emit(event)
        self.update_files()  # what is in force may have changed during the run

    def _on_failed(self, error: XrayViewError) -> None:
        self.failed.emit()
        self.message.emit(Message.of("batch", error))


def _key(result: FilmResult) -> tuple[str, int | None]:
    return result.relative_path, result.frame


_RUNNING = Message(
    "batch",
    "info",
    "A folder is being classified",
    "Wait until it is done, or cancel it in the line at the bottom.",
)
_NO_MODEL = Message(
    WITHOUT_MODEL,
    "warn",
    "No model is loaded",
    "Wait until the model is loaded, or choose one at the top right.",
)
_NO_SOURCE = Message(
    "batch",
    "warn",
    "No folder is open",
    "Open the folder with the films to classify; single files are not enough.",
)


def _new_folder(results: Path, source: Path) -> Path:
    """A name not yet in use: a run in an existing folder would resume that run's rows."""
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d %H-%M-%S")
    safe = re.sub(r"[^\w.-]+", "_", source.name) or "folder"
    name = f"{safe} {stamp}"
    names = itertools.chain([name], (f"{name} ({number})" for number in itertools.count(2)))
    return next(folder for name in names if not (folder := results / name).exists())
