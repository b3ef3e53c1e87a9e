"""The engine's interface: submit a request, get a future."""

from __future__ import annotations

import os
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, overload

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.inspection import FilmInspection
from xrayview.domain.model import HeatMap, Prediction
from xrayview.domain.radiograph import Radiograph
from xrayview.domain.tags import TagNode
from xrayview.engine.lane import Lane, Priority
from xrayview.engine.memory import memory_of_each
from xrayview.engine.protocol import (
    Classify,
    DecodeFilm,
    DeidentifiedFilm,
    DeidentifyFilm,
    Explain,
    FilmRequest,
    InspectFilm,
    Limits,
    LoadModel,
    MakeThumbnail,
    ModelReady,
    PreparedFilm,
    PrepareInput,
    PrepareInputs,
    PruneThumbnails,
    ReadAttributes,
    ReadHeaders,
    ReadIndex,
    ReadTags,
    RenderedFilm,
    RenderFilm,
    Request,
    Thumbnail,
)
from xrayview.engine.worker import start_decode_worker, start_model_worker
from xrayview.inference.cores import available_cores


@dataclass(frozen=True)
class Route:
    """The lane, the priority and the time limit of a kind of request."""

    lane: Literal["decode", "model"]
    priority: Priority
    timeout: Literal["decode_timeout_s", "header_timeout_s", "model_timeout_s"]


ROUTES: dict[type, Route] = {
    ReadHeaders: Route("decode", Priority.SCAN, "header_timeout_s"),
    DecodeFilm: Route("decode", Priority.INTERACTIVE, "decode_timeout_s"),
    ReadIndex: Route("decode", Priority.SCAN, "header_timeout_s"),
    MakeThumbnail: Route("decode", Priority.PREFETCH, "decode_timeout_s"),
    PruneThumbnails: Route("decode", Priority.BATCH, "decode_timeout_s"),
    InspectFilm: Route("decode", Priority.INTERACTIVE, "decode_timeout_s"),
    RenderFilm: Route("decode", Priority.BATCH, "decode_timeout_s"),
    DeidentifyFilm: Route("decode", Priority.BATCH, "decode_timeout_s"),
    ReadTags: Route("decode", Priority.INTERACTIVE, "header_timeout_s"),
    ReadAttributes: Route("decode", Priority.BATCH, "header_timeout_s"),
    PrepareInput: Route("decode", Priority.INTERACTIVE, "decode_timeout_s"),
    PrepareInputs: Route("decode", Priority.BATCH, "decode_timeout_s"),
    LoadModel: Route("model", Priority.INTERACTIVE, "model_timeout_s"),
    Classify: Route("model", Priority.INTERACTIVE, "model_timeout_s"),
    Explain: Route("model", Priority.INTERACTIVE, "model_timeout_s"),
}


class Engine:
    """Decode workers and the model worker, processes whose crash does not affect the program.

    A future ends with the reply that `protocol.py` states, or with an `XrayViewError`:
    `UnreadableFilm` (TIMED_OUT, DECODER_CRASHED, TOO_LARGE, DECODE_FAILED and the readers' own
    codes), `ModelError`, `DeviceUnavailable`. `future.cancel()` works at any time before the end;
    the worker of a running task is ended and replaced. Callbacks of futures run in a thread of the
    engine and must not block it.

    Args:
        decode_workers: decode processes for all requests; by default one fewer than the cores that
            this process may use.
        limits: what one request may cost.
        spare_workers: further decode processes, reserved for requests the user waits for.
        crash_log: where a crashing worker writes its stack trace, without any text of films.
        cache: the folder of converted networks; None to convert each time.
    """

    def __init__(
        self,
        decode_workers: int | None = None,
        limits: Limits | None = None,
        *,
        spare_workers: int = 1,
        crash_log: Path | None = None,
        cache: Path | None = None,
    ) -> None:
        limits = limits or Limits()
        busy = decode_workers or max(1, available_cores() - 1)
        log = os.fspath(crash_log) if crash_log else os.devnull
        self.decode_workers = busy
        self.limits = limits
        memory_mib = memory_of_each(limits.memory_mib, busy + spare_workers)
        self._lanes = {
            "decode": Lane(
                "decode",
                busy + spare_workers,
                busy,
                partial(start_decode_worker, memory_mib, log),
            ),
            "model": Lane("model", 1, 1, partial(start_model_worker, log, cache)),
        }

    @overload
    def submit(
        self, request: ReadHeaders, *, priority: Priority | None = None
    ) -> Future[tuple[FilmRef | RejectedFile, ...]]: ...
    @overload
    def submit(
        self, request: DecodeFilm, *, priority: Priority | None = None
    ) -> Future[Radiograph]: ...
    @overload
    def submit(
        self, request: MakeThumbnail, *, priority: Priority | None = None
    ) -> Future[Thumbnail]: ...
    @overload
    def submit(
        self, request: ReadIndex, *, priority: Priority | None = None
    ) -> Future[tuple[Path | RejectedFile, ...]]: ...
    @overload
    def submit(
        self, request: PruneThumbnails, *, priority: Priority | None = None
    ) -> Future[int]: ...
    @overload
    def submit(
        self, request: InspectFilm, *, priority: Priority | None = None
    ) -> Future[FilmInspection]: ...
    @overload
    def submit(
        self, request: RenderFilm, *, priority: Priority | None = None
    ) -> Future[RenderedFilm]: ...
    @overload
    def submit(
        self, request: DeidentifyFilm, *, priority: Priority | None = None
    ) -> Future[DeidentifiedFilm]: ...
    @overload
    def submit(
        self, request: ReadTags, *, priority: Priority | None = None
    ) -> Future[tuple[TagNode, ...]]: ...
    @overload
    def submit(
        self, request: ReadAttributes, *, priority: Priority | None = None
    ) -> Future[tuple[str, ...]]: ...
    @overload
    def submit(
        self, request: PrepareInput, *, priority: Priority | None = None
    ) -> Future[PreparedFilm]: ...
    @overload
    def submit(
        self, request: PrepareInputs, *, priority: Priority | None = None
    ) -> Future[tuple[PreparedFilm, ...]]: ...
    @overload
    def submit(
        self, request: LoadModel, *, priority: Priority | None = None
    ) -> Future[ModelReady]: ...
    @overload
    def submit(
        self, request: Classify, *, priority: Priority | None = None
    ) -> Future[tuple[Prediction, ...]]: ...
    @overload
    def submit(self, request: Explain, *, priority: Priority | None = None) -> Future[HeatMap]: ...

    def submit(self, request: Request, *, priority: Priority | None = None) -> Future[Any]:
        """Queue a request; by default its kind decides the priority.

        Raises:
            Cancelled: the engine is closed.
        """
        route = ROUTES[type(request)]
        limits = getattr(request, "limits", None) or self.limits
        if isinstance(request, FilmRequest):
            request = replace(request, limits=limits)
        priority = route.priority if priority is None else priority
        return self._lanes[route.lane].submit(request, priority, getattr(limits, route.timeout))

    def hasten(self, future: Future[Any], priority: Priority = Priority.INTERACTIVE) -> None:
        """Raise the priority of a request that has not started; others are not affected."""
        for lane in self._lanes.values():
            lane.hasten(future, priority)

    def close(self) -> None:
        """Cancel all requests and end all workers; may be called twice."""
        for lane in self._lanes.values():
            lane.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
