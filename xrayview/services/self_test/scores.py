"""What a bundle scores on the sample study, recorded and compared."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xrayview.domain.film import FilmRef
from xrayview.engine.client import Engine
from xrayview.engine.protocol import (
    Classify,
    Explain,
    LoadModel,
    ModelReady,
    ModelRef,
    PreparedFilm,
    PrepareInput,
)
from xrayview.engine.scan import scan_folder
from xrayview.engine.waiting import result_of
from xrayview.errors import Status, XrayViewError
from xrayview.services.resources import resource, sample_study

SCORES = ("self_test", "scores.json")
"""By the SHA-256 of a bundle: each film's status and scores on the CPU, and one heat map."""
SCORE_TOLERANCE = 1e-3
"""Absolute; processors add in different orders, which changes the sixth digit."""
CUDA_TOLERANCE = 1e-2
"""Absolute; a GPU may multiply with fewer digits (TF32)."""
MAP_TOLERANCE = 0.05
"""Of a heat map, whose peak is 1."""

Recorded = Mapping[str, Any]


def recorded_scores(sha256: str) -> Recorded:
    """The record of a bundle. Raises: XrayViewError where there is none."""
    records = json.loads(resource(*SCORES).read_text(encoding="utf-8"))
    if sha256 not in records:
        raise XrayViewError("No scores are recorded for this bundle", why=f"SHA-256 {sha256}")
    record: Recorded = records[sha256]
    return record


def recorded(engine: Engine, model: ModelRef, cancel: threading.Event) -> dict[str, Any]:
    """Classify the sample study, and explain its first film.

    Returns:
        The record of the bundle: plain lists, numbers and texts.

    Raises:
        XrayViewError: a film or the model failed.
    """
    ready = result_of(engine.submit(LoadModel(model)), cancel)
    films: dict[str, Any] = {}
    heat_map: dict[str, Any] = {}
    for file in scan_folder(engine, sample_study(), cancel):
        if not isinstance(file, FilmRef):
            continue
        prepared = _prepared(engine, ready, file, cancel)
        films[file.relative_path] = _film(engine, ready, prepared, cancel)
        if not heat_map:
            heat_map = _heat_map(engine, ready, prepared, cancel)
    card = ready.card
    return {"bundle": f"{card.name} {card.version}", "films": films, "heat_map": heat_map}


def check_model(engine: Engine, model: ModelRef, cancel: threading.Event) -> str:
    """Compare scores and heat map with the record. Raises: XrayViewError where they differ."""
    expected, found = recorded_scores(model.sha256), recorded(engine, model, cancel)
    distance = max_difference(expected["films"], found["films"])
    if distance > SCORE_TOLERANCE:
        raise XrayViewError("The scores are not the recorded ones", why=f"off by {distance:.4g}")
    maps = [np.asarray(record["heat_map"]["values"]) for record in (expected, found)]
    off = float(np.abs(maps[0] - maps[1]).max()) if maps[0].shape == maps[1].shape else np.inf
    if off > MAP_TOLERANCE:
        raise XrayViewError("The heat map is not the recorded one", why=f"off by {off:.2g}")
    return (
        f"{expected['bundle']}: scores of {len(expected['films'])} films and the heat map as "
        f"recorded (off by {distance:.1g}, {off:.1g})"
    )


def check_cuda(engine: Engine, model: ModelRef, cancel: threading.Event) -> str:
    """Compare the scores of CUDA with those of the CPU.

    Raises:
        DeviceUnavailable: CUDA is not there, with the reason.
        XrayViewError: CUDA is there, and its scores differ.
    """
    on_cuda = replace(model, device="cuda")
    ready = result_of(engine.submit(LoadModel(on_cuda)), cancel)
    found = recorded(engine, on_cuda, cancel)
    distance = max_difference(recorded_scores(model.sha256)["films"], found["films"])
    if distance > CUDA_TOLERANCE:
        raise XrayViewError("The scores on CUDA differ", why=f"off by {distance:.4g}")
    return f"{ready.device_name}: scores as on the CPU (off by {distance:.1g})"


def max_difference(expected: Recorded, found: Recorded) -> float:
    """The largest difference of a score; infinite where a status or a film differs."""
    if expected.keys() != found.keys():
        return float("inf")
    return max(film_difference(expected[name], found[name]) for name in expected)


def film_difference(expected: Recorded, found: Recorded) -> float:
    """The largest difference of a film's scores; infinite where the status differs."""
    if expected["status"] != found["status"] or expected["scores"].keys() != found["scores"].keys():
        return float("inf")
    return max(
        (abs(score - found["scores"][name]) for name, score in expected["scores"].items()),
        default=0.0,
    )


def _prepared(
    engine: Engine, ready: ModelReady, film: FilmRef, cancel: threading.Event
) -> PreparedFilm:
    request = PrepareInput(film, ready.card.preprocessing, scope=ready.card.scope)
    return result_of(engine.submit(request), cancel)


def _film(
    engine: Engine, ready: ModelReady, prepared: PreparedFilm, cancel: threading.Event
) -> dict[str, Any]:
    if prepared.gate.refused:
        return {"status": Status.REFUSED.value, "scores": {}}
    (result,) = result_of(engine.submit(Classify(ready.model, (prepared.model_input,))), cancel)
    flagged = bool(prepared.gate.flags or result.gate.flags)
    scores = {
        name: round(score, 6) for name, score in zip(result.findings, result.scores, strict=True)
    }
    return {"status": (Status.WARN if flagged else Status.OK).value, "scores": scores}


def _heat_map(
    engine: Engine, ready: ModelReady, prepared: PreparedFilm, cancel: threading.Event
) -> dict[str, Any]:
    finding = ready.card.findings[0].name
    heat_map = result_of(engine.submit(Explain(ready.model, prepared.model_input, finding)), cancel)
    return {
        "finding": finding,
        "method": heat_map.method,
        "values": [[round(float(v), 3) for v in row] for row in heat_map.values_hw],
    }
