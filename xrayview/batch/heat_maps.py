"""One heat map for every film that its model may judge; the others pass with the reason."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from xrayview.batch.each_file import FilmReply, map_films
from xrayview.batch.outcome import result_of_film
from xrayview.batch.pipeline import FilmOutcome, Found, classify_outcomes, prepare_films
from xrayview.domain.events import FilmResult
from xrayview.domain.figure import HeatLayer
from xrayview.domain.film import FilmRef
from xrayview.domain.model import HeatMap
from xrayview.domain.operating_points import effective_point
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import Explain, LoadModel, ModelReady, ModelRef
from xrayview.engine.waiting import result_of
from xrayview.errors import Status, UsageError


@dataclass(frozen=True)
class HeatMapOptions:
    """Which heat map is wanted of each film, and how it is shown."""

    model: ModelRef
    finding: str = ""
    """Empty: the model's only abnormal one."""
    method: str | None = None
    """None: the first that the model can give."""
    opacity: float = 0.5
    cutoff: float = 0.0
    own_points: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of the user's own by finding, in the place of the card's."""


@dataclass(frozen=True, eq=False)
class ExplainedFilm:
    """A file with its heat map, or with what the model's side came to without one."""

    found: Found
    heat: HeatLayer | None = None
    verdict: FilmResult | None = None
    """None where the model was not asked: it is no film, or its picture is not wanted."""
    model: str = ""
    """Name and version."""

    @property
    def failed(self) -> bool:
        """There should be a heat map, and there is none."""
        return self.verdict is not None and self.verdict.status is Status.ERROR

    @property
    def said(self) -> str:
        """In the caption of a film that may not have a heat map."""
        if self.verdict is None or self.verdict.status is not Status.REFUSED:
            return ""
        return f"No heat map · {self.model} must not judge this film · {_reasons(self.verdict)}"


class Explainer:
    """A loaded model that explains film after film.

    Raises:
        ModelError, DeviceUnavailable: the model cannot run.
        UsageError: it has no such finding or method.
        Cancelled: `cancel` was set.
    """

    def __init__(self, engine: Engine, wanted: HeatMapOptions, cancel: threading.Event) -> None:
        self._engine, self._wanted, self._cancel = engine, wanted, cancel
        ready = result_of(engine.submit(LoadModel(wanted.model)), cancel)
        self._card, self._name = ready.card, f"{ready.card.name} {ready.card.version}"
        self._finding = _finding(wanted.finding, ready)
        self._method = _method(wanted.method, ready)
        point = effective_point(ready.card, wanted.own_points, self._finding)
        self._threshold = point.threshold

    def explained(
        self, found: Iterable[Found], is_wanted: Callable[[FilmRef], bool]
    ) -> Iterator[ExplainedFilm]:
        """Each file in order. Raises: Cancelled."""
        engine, cancel = self._engine, self._cancel
        prepared = prepare_films(engine, found, self._card, cancel, is_wanted)
        judged = classify_outcomes(engine, self._wanted.model, prepared, cancel)
        return map(self._explained, map_films(engine, judged, self._ask, cancel))

    def _ask(self, tried: FilmOutcome) -> Future[HeatMap] | None:
        if tried.prepared is None or tried.error or result_of_film(tried).prediction is None:
            return None
        request = Explain(
            self._wanted.model, tried.prepared.model_input, self._finding, self._method
        )
        return self._engine.submit(request, priority=Priority.BATCH)

    def _explained(self, asked: FilmReply[FilmOutcome, HeatMap]) -> ExplainedFilm:
        tried, heat = asked.entry, asked.answer
        if not isinstance(tried.found, FilmRef) or not (tried.prepared or tried.error):
            return ExplainedFilm(tried.found)
        verdict = result_of_film(replace(tried, error=tried.error or asked.error))
        if heat is None:
            return ExplainedFilm(tried.found, None, verdict, self._name)
        shown = replace(heat, threshold=self._threshold)
        caution = verdict.gate.caution if verdict.gate else ""
        layer = HeatLayer(shown, self._name, self._wanted.opacity, self._wanted.cutoff, caution)
        return ExplainedFilm(tried.found, layer, verdict, self._name)


def _reasons(verdict: FilmResult) -> str:
    return " ".join(verdict.gate.reasons if verdict.gate else ()) or verdict.code.value


def _finding(name: str, ready: ModelReady) -> str:
    known = [finding.name for finding in ready.card.findings]
    if name in known:
        return name
    abnormal = [finding.name for finding in ready.card.findings if finding.abnormal]
    if not name and len(abnormal) == 1:
        return abnormal[0]
    what = f"The model does not score {name!r}" if name else "The model has several findings"
    raise UsageError(what, path=ready.model.path, hint=f"Choose one of {', '.join(known)}.")


def _method(name: str | None, ready: ModelReady) -> str:
    offered = ready.explain_methods
    if name in offered or (name is None and offered):
        return name or offered[0]
    raise UsageError(
        f"The model cannot give a {name or 'heat'} map",
        path=ready.model.path,
        hint=f"It offers {', '.join(offered) or 'none'}.",
    )
