"""One heat map for every film in the model's scope; other films pass with the reason."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from xrayview.batch.map_films import FilmReply, map_films
from xrayview.batch.outcome import result_of_film
from xrayview.batch.pipeline import FilmOutcome, classify_films, prepare_films
from xrayview.domain.events import FilmResult
from xrayview.domain.figure import HeatLayer
from xrayview.domain.film import FilmRef, ScannedFile
from xrayview.domain.heat_map_methods import method_title
from xrayview.domain.model import HeatMap
from xrayview.domain.operating_points import effective_point
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.domain.verdict import verdict_text
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.progress import ProgressFile
from xrayview.engine.protocol import Explain, LoadModel, ModelReady, ModelRef
from xrayview.engine.waiting import result_of
from xrayview.errors import Status, UsageError


@dataclass(frozen=True)
class HeatMapOptions:
    """Which heat map to draw on each film, and how."""

    model: ModelRef
    finding: str = ""
    """Empty: the abnormal finding, where the model has only one."""
    method: str | None = None
    """None: the first method that the model offers."""
    opacity: float = 0.5
    cutoff: float = 0.0
    own_points: Mapping[str, float] = field(default_factory=dict)
    """The user's own thresholds by finding, which override those of the card."""
    stated: StatedFilms = NOTHING_STATED
    """What the user states of all films."""


@dataclass(frozen=True, eq=False)
class ExplainedFilm:
    """A file with its heat map, or with its result where there is no heat map."""

    file: ScannedFile
    heat: HeatLayer | None = None
    result: FilmResult | None = None
    """None where the model was not run: the file is not a film, or its picture is not wanted."""
    model: str = ""
    """Name and version."""

    @property
    def failed(self) -> bool:
        """True where the heat map could not be computed."""
        return self.result is not None and self.result.status is Status.ERROR

    @property
    def result_text(self) -> str:
        """The caption of a film that is refused and so has no heat map."""
        if self.result is None or self.result.status is not Status.REFUSED:
            return ""
        return f"No heat map · Out of scope for {self.model} · {_reasons(self.result)}"


class Explainer:
    """A loaded model that explains one film after the other.

    Raises:
        ModelError, DeviceUnavailable: the model cannot run.
        UsageError: it has no such finding or method.
        Cancelled: `cancel` was set.
    """

    def __init__(self, engine: Engine, options: HeatMapOptions, cancel: threading.Event) -> None:
        self._engine, self._options, self._cancel = engine, options, cancel
        ready = result_of(engine.submit(LoadModel(options.model)), cancel)
        self._model = ready.model
        self._progress: set[ProgressFile] = set()
        """Of the heat maps in progress."""
        self._card, self._name = ready.card, f"{ready.card.name} {ready.card.version}"
        self._finding = _finding(options.finding, ready)
        self._method = _method(options.method, ready)
        point = effective_point(ready.card, options.own_points, self._finding)
        self._threshold = point.threshold

    def explain(
        self, files: Iterable[ScannedFile], is_wanted: Callable[[FilmRef], bool]
    ) -> Iterator[ExplainedFilm]:
        """Explain each file, in order. Raises: Cancelled."""
        engine, cancel = self._engine, self._cancel
        stated = self._options.stated
        prepared = prepare_films(engine, files, self._card, cancel, is_wanted, stated)
        classified = classify_films(engine, self._model, prepared, cancel)
        try:
            for item in map_films(engine, classified, self._submit, cancel):
                yield self._explained(item)
        finally:  # a map that nobody waits for would keep the model worker busy
            for progress in tuple(self._progress):
                progress.stop()

    def _submit(self, outcome: FilmOutcome) -> Future[HeatMap] | None:
        if outcome.prepared is None or outcome.error:
            return None
        if result_of_film(outcome).prediction is None:
            return None
        model_input = outcome.prepared.model_input
        progress = ProgressFile()
        self._progress.add(progress)
        request = Explain(self._model, model_input, self._finding, self._method, progress.path)

        def close(_: object) -> None:
            self._progress.discard(progress)
            progress.close()

        future = self._engine.submit(request, priority=Priority.BATCH)
        future.add_done_callback(close)
        return future

    def _explained(self, item: FilmReply[FilmOutcome, HeatMap]) -> ExplainedFilm:
        outcome, heat = item.entry, item.reply
        if not isinstance(outcome.file, FilmRef) or not (outcome.prepared or outcome.error):
            return ExplainedFilm(outcome.file)
        result = result_of_film(replace(outcome, error=outcome.error or item.error))
        if heat is None:
            return ExplainedFilm(outcome.file, None, result, self._name)
        heat = replace(heat, threshold=self._threshold)
        options, verdict = self._options, verdict_text(result)
        layer = HeatLayer(heat, self._name, options.opacity, options.cutoff, verdict)
        return ExplainedFilm(outcome.file, layer, result, self._name)


def _reasons(result: FilmResult) -> str:
    return " ".join(result.gate.reasons if result.gate else ()) or result.code.value


def _finding(name: str, ready: ModelReady) -> str:
    known = [finding.name for finding in ready.card.findings]
    if name in known:
        return name
    abnormal = [finding.name for finding in ready.card.findings if finding.abnormal]
    if not name and len(abnormal) == 1:
        return abnormal[0]
    what = f"The model does not score {name!r}" if name else "The model has several findings"
    raise UsageError(what, path=ready.model.path, hint=f"Choose one of {', '.join(known)}.")


def _method(method: str | None, ready: ModelReady) -> str:
    available = ready.explain_methods
    if method in available or (method is None and available):
        return method or available[0]
    raise UsageError(
        f"{method_title(method or 'A heat map')} is not available for this model",
        path=ready.model.path,
        hint=f"Choose {' or '.join(available)}." if available else "Choose another model.",
    )
