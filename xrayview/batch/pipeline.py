"""The two stages between header and row, each in scan order with a bounded number of requests.

Both are generators: a stage takes only as many items from the one before as it has room for, and
the order holds when one film takes longer than the next.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

from xrayview.batch.map_films import map_films
from xrayview.domain.film import FilmRef, RejectedFile, ScannedFile
from xrayview.domain.model import ModelCard, Prediction
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import Classify, ModelRef, PreparedFilm, PrepareInput
from xrayview.engine.waiting import cancel_pending, result_of
from xrayview.errors import Cancelled, ModelLost, XrayViewError

MICRO_BATCH = 8


@dataclass(frozen=True)
class FilmOutcome:
    """How far a file got: rejected, failed, refused by the gate, or classified."""

    file: ScannedFile
    prepared: PreparedFilm | None = None
    prediction: Prediction | None = None
    error: XrayViewError | None = None

    @property
    def is_classifiable(self) -> bool:
        """True for a prepared film that the gate does not refuse."""
        return self.prepared is not None and not self.prepared.gate.refused


def prepare_films(
    engine: Engine,
    files: Iterable[ScannedFile],
    card: ModelCard,
    cancel: threading.Event,
    is_wanted: Callable[[FilmRef], bool] = lambda _film: True,
    stated: StatedFilms = NOTHING_STATED,
) -> Iterator[FilmOutcome]:
    """Decode and preprocess films in the decode workers; others pass through unchanged.

    Args:
        engine: its decode workers do the work.
        files: in scan order.
        card: states the preprocessing and the scope.
        cancel: ends the work.
        is_wanted: False for films that pass through without being decoded.
        stated: what the user states of all films.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
    """

    def submit(file: ScannedFile) -> Future[PreparedFilm] | None:
        if isinstance(file, RejectedFile) or not is_wanted(file):
            return None
        request = PrepareInput(file, card.preprocessing, scope=card.scope, stated=stated)
        return engine.submit(request, priority=Priority.BATCH)

    for item in map_films(engine, files, submit, cancel):
        prepared = item.reply
        yield FilmOutcome(prepared.film if prepared else item.entry, prepared, error=item.error)


def classify_films(
    engine: Engine, model: ModelRef, outcomes: Iterable[FilmOutcome], cancel: threading.Event
) -> Iterator[FilmOutcome]:
    """Classify prepared films in groups; other outcomes pass through unchanged.

    While the model works on one group, the next one is prepared.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
        ModelLost: the worker had to start again, and the model is not the same any more.
    """
    source = iter(outcomes)
    pending: deque[tuple[tuple[FilmOutcome, ...], Future[tuple[Prediction, ...]] | None]] = deque()
    try:
        while group := tuple(itertools.islice(source, MICRO_BATCH)):
            pending.append((group, _submit(engine, model, group)))
            if len(pending) > 1:
                yield from _classified(engine, model, *pending.popleft(), cancel)
        while pending:
            yield from _classified(engine, model, *pending.popleft(), cancel)
    finally:
        cancel_pending(future for _, future in pending if future)


def _submit(
    engine: Engine, model: ModelRef, group: tuple[FilmOutcome, ...]
) -> Future[tuple[Prediction, ...]] | None:
    inputs = tuple(
        outcome.prepared.model_input
        for outcome in group
        if outcome.prepared and outcome.is_classifiable
    )
    return engine.submit(Classify(model, inputs), priority=Priority.BATCH) if inputs else None


def _classified(
    engine: Engine,
    model: ModelRef,
    group: tuple[FilmOutcome, ...],
    future: Future[tuple[Prediction, ...]] | None,
    cancel: threading.Event,
) -> Iterator[FilmOutcome]:
    if future is None:
        yield from group
        return
    try:
        reply = result_of(future, cancel)
    except (Cancelled, ModelLost):
        raise
    except XrayViewError as error:
        yield from _one_by_one(engine, model, group, error, cancel)
        return
    predictions = iter(reply)
    for outcome in group:
        if outcome.is_classifiable:
            yield replace(outcome, prediction=next(predictions))
        else:
            yield outcome


def _one_by_one(
    engine: Engine,
    model: ModelRef,
    group: tuple[FilmOutcome, ...],
    error: XrayViewError,
    cancel: threading.Event,
) -> Iterator[FilmOutcome]:
    """Classify the films of a failed group one by one, so that only the film at fault fails."""
    is_single = sum(outcome.is_classifiable for outcome in group) == 1
    for outcome in group:
        if not outcome.is_classifiable:
            yield outcome
        elif is_single:
            yield replace(outcome, error=error)
        else:
            future = _submit(engine, model, (outcome,))
            yield from _classified(engine, model, (outcome,), future, cancel)
