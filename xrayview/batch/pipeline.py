"""The two stages between header and row, each in scan order with a bounded number of requests.

Both are generators: a stage takes only as many items from the one before as it has room for, and
the order holds when one film takes longer than the next.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace

from xrayview.batch.grouping import GroupSize, ScoredInputs
from xrayview.batch.map_films import map_films
from xrayview.domain.film import FilmRef, RejectedFile, ScannedFile
from xrayview.domain.model import ModelCard, Prediction
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import Classify, ModelRef, PreparedFilm, PrepareInput
from xrayview.engine.waiting import cancel_pending, result_of
from xrayview.errors import Cancelled, ModelLost, XrayViewError


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

    While the model works on one group, the next one is prepared. A group is as large as the model
    is fast, and films whose inputs are equal are scored once; neither changes a score.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
        ModelLost: the worker had to start again, and the model is not the same any more.
    """
    source = iter(outcomes)
    pending: deque[_Group] = deque()
    scored, size = ScoredInputs(), GroupSize()

    def ended() -> Iterator[FilmOutcome]:
        group = pending.popleft()
        yield from _classified(engine, model, group, scored, cancel)
        size.measure(len(group.new), group.submitted_s)

    try:
        while films := tuple(itertools.islice(source, size.films)):
            pending.append(_submit(engine, model, films, scored))
            if len(pending) > 1:
                yield from ended()
        while pending:
            yield from ended()
    finally:
        cancel_pending(group.future for group in pending if group.future)


@dataclass(frozen=True)
class _Group:
    """Films that go on together; `future` has the predictions of those that are new."""

    outcomes: tuple[FilmOutcome, ...]
    """With the predictions that are known already."""
    new: Mapping[str, PreparedFilm]
    """A film for each input to be scored, by the hash of the input."""
    future: Future[tuple[Prediction, ...]] | None
    submitted_s: float


def _submit(
    engine: Engine, model: ModelRef, films: tuple[FilmOutcome, ...], scored: ScoredInputs
) -> _Group:
    outcomes: list[FilmOutcome] = []
    new: dict[str, PreparedFilm] = {}
    for outcome in films:
        if outcome.prepared and outcome.is_classifiable:
            prepared = outcome.prepared
            outcome = replace(outcome, prediction=scored.find(_key(prepared), prepared.model_input))
            if outcome.prediction is None:
                new.setdefault(_key(prepared), prepared)
        outcomes.append(outcome)
    inputs = tuple(prepared.model_input for prepared in new.values())
    future = engine.submit(Classify(model, inputs), priority=Priority.BATCH) if inputs else None
    return _Group(tuple(outcomes), new, future, time.monotonic())


def _key(prepared: PreparedFilm) -> str:
    """Equal for films that the network sees alike; without a hash, each film is its own."""
    return prepared.input_sha256 or prepared.model_input.film_id


def _classified(
    engine: Engine,
    model: ModelRef,
    group: _Group,
    scored: ScoredInputs,
    cancel: threading.Event,
) -> Iterator[FilmOutcome]:
    if group.future is None:
        yield from group.outcomes
        return
    try:
        reply = result_of(group.future, cancel)
    except (Cancelled, ModelLost):
        raise
    except XrayViewError as error:
        yield from _one_by_one(engine, model, group, scored, error, cancel)
        return
    for digest, prediction in zip(group.new, reply, strict=True):
        scored.add(digest, prediction)
    for outcome in group.outcomes:
        if _is_missing(outcome) and (prepared := outcome.prepared):
            found = scored.find(_key(prepared), prepared.model_input)
            yield replace(outcome, prediction=found)
        else:
            yield outcome


def _is_missing(outcome: FilmOutcome) -> bool:
    return outcome.is_classifiable and outcome.prediction is None


def _one_by_one(
    engine: Engine,
    model: ModelRef,
    group: _Group,
    scored: ScoredInputs,
    error: XrayViewError,
    cancel: threading.Event,
) -> Iterator[FilmOutcome]:
    """Classify the films of a failed group one by one, so that only the film at fault fails."""
    for outcome in group.outcomes:
        if not _is_missing(outcome):
            yield outcome
        elif len(group.new) == 1:
            yield replace(outcome, error=error)
        else:
            single = _submit(engine, model, (outcome,), scored)
            yield from _classified(engine, model, single, scored, cancel)
