"""The two stages between a header and a row, each in scan order with a bounded number under way.

Both are generators: a stage takes from the one before only what it has room for, and nothing is
lost from the order when one film takes longer than the next.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

from xrayview.batch.each_file import map_films
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.model import ModelCard, Prediction
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import Classify, ModelRef, PreparedFilm, PrepareInput
from xrayview.engine.waiting import cancel_pending, result_of
from xrayview.errors import Cancelled, XrayViewError

Found = FilmRef | RejectedFile
MICRO_BATCH = 8


@dataclass(frozen=True)
class FilmOutcome:
    """How far a file came: rejected, failed, refused by the gate, or judged."""

    found: Found
    prepared: PreparedFilm | None = None
    prediction: Prediction | None = None
    error: XrayViewError | None = None

    @property
    def is_in_scope(self) -> bool:
        """It is a film, and the gate lets it through."""
        return self.prepared is not None and not self.prepared.gate.refused


def prepare_films(
    engine: Engine,
    found: Iterable[Found],
    card: ModelCard,
    cancel: threading.Event,
    is_wanted: Callable[[FilmRef], bool] = lambda _film: True,
) -> Iterator[FilmOutcome]:
    """Decode and preprocess films in the decode workers; what is not wanted passes untried.

    Raises: Cancelled.
    """

    def ask(entry: Found) -> Future[PreparedFilm] | None:
        if isinstance(entry, RejectedFile) or not is_wanted(entry):
            return None
        request = PrepareInput(entry, card.preprocessing, scope=card.scope)
        return engine.submit(request, priority=Priority.BATCH)

    for asked in map_films(engine, found, ask, cancel):
        prepared = asked.answer
        yield FilmOutcome(prepared.film if prepared else asked.entry, prepared, error=asked.error)


def classify_outcomes(
    engine: Engine, model: ModelRef, tried: Iterable[FilmOutcome], cancel: threading.Event
) -> Iterator[FilmOutcome]:
    """Classify what may be judged, some films at a time; the rest passes. Raises: Cancelled.

    While the model works on one group, the next one is prepared.
    """
    source = iter(tried)
    under_way: deque[tuple[tuple[FilmOutcome, ...], Future[tuple[Prediction, ...]] | None]] = (
        deque()
    )
    try:
        while group := tuple(itertools.islice(source, MICRO_BATCH)):
            under_way.append((group, _classify(engine, model, group)))
            if len(under_way) > 1:
                yield from _judged(engine, model, *under_way.popleft(), cancel)
        while under_way:
            yield from _judged(engine, model, *under_way.popleft(), cancel)
    finally:
        cancel_pending(future for _, future in under_way if future)


def _classify(
    engine: Engine, model: ModelRef, group: tuple[FilmOutcome, ...]
) -> Future[tuple[Prediction, ...]] | None:
    inputs = tuple(one.prepared.model_input for one in group if one.prepared and one.is_in_scope)
    return engine.submit(Classify(model, inputs), priority=Priority.BATCH) if inputs else None


def _judged(
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
        judged = result_of(future, cancel)
    except Cancelled:
        raise
    except XrayViewError as error:
        yield from _one_by_one(engine, model, group, error, cancel)
        return
    predictions = iter(judged)
    for one in group:
        yield replace(one, prediction=next(predictions)) if one.is_in_scope else one


def _one_by_one(
    engine: Engine,
    model: ModelRef,
    group: tuple[FilmOutcome, ...],
    error: XrayViewError,
    cancel: threading.Event,
) -> Iterator[FilmOutcome]:
    """A group failed: film by film, so that only the guilty one has no score."""
    alone = sum(one.is_in_scope for one in group) == 1
    for one in group:
        if not one.is_in_scope:
            yield one
        elif alone:
            yield replace(one, error=error)
        else:
            yield from _judged(engine, model, (one,), _classify(engine, model, (one,)), cancel)
