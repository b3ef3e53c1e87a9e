"""Handlers of model requests; torch is imported inside the functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.domain.devices import DEVICES
from xrayview.domain.model import HeatMap, ModelCard, Prediction
from xrayview.engine.memory import limited_memory
from xrayview.engine.progress import reporting_to
from xrayview.engine.protocol import Classify, Explain, LoadModel, ModelReady, ModelRef
from xrayview.errors import DeviceUnavailable, ModelError, ModelLost

if TYPE_CHECKING:
    from xrayview.inference.ood_score import TrainingStatistics
    from xrayview.inference.runtime import Runtime

_BASE = 3 << 30
_PER_FILE_BYTE = 8
"""The bytes of the file, its weights, a frozen copy, and copies for its parts."""
_PER_PIXEL = 8 << 10
"""Maps of the test films that are in memory together."""
_OF_A_DEVICE = 16 << 30
"""What the driver of another device than the CPU takes."""


@dataclass(frozen=True, eq=False)
class _Model:
    runtime: Runtime
    card: ModelCard
    statistics: TrainingStatistics | None
    card_sha256: str


_Key = tuple[str, str, str, str]

_loaded: dict[_Key, _Model] = {}
"""The models in memory, by hash, device, runtime and precision: one, and what stays beside it."""
_cache: list[Path] = []
"""The folder of converted networks, if there is one."""


def load_runtime(cache: Path | None = None) -> None:
    """Import what every model needs, so that no request waits for it.

    Args:
        cache: the folder of converted networks; None to convert each time.
    """
    _cache[:] = [cache] if cache else []
    from xrayview.inference import acceleration, classifier, explain, loading  # noqa: F401

    acceleration.import_runtimes()


def load_model(request: LoadModel) -> ModelReady:
    """Load the bundle and check it against its card, or against the card of the request."""
    loaded = _load(request.model, request.card) if request.card else _current(request.model)
    runtime = loaded.runtime
    return ModelReady(
        model=replace(
            request.model,
            card_sha256=loaded.card_sha256,
            device_in_use=runtime.device,
            runtime_in_use=runtime.name,
        ),
        card=loaded.card,
        device=runtime.device,
        device_name=runtime.device_name,
        precision=runtime.precision,
        runtime=runtime.name,
        score_difference=runtime.score_difference,
        explain_methods=runtime.explain_methods,
        features_note=runtime.features_note,
        notes=runtime.notes,
        has_training_statistics=loaded.statistics is not None,
    )


def classify_films(request: Classify) -> tuple[Prediction, ...]:
    """Classify films: one prediction per input, in order."""
    from xrayview.inference.classifier import classify

    loaded = _same_model(request.model)
    return classify(loaded.runtime, loaded.card, request.inputs, loaded.statistics)


def explain_film(request: Explain) -> HeatMap:
    """Compute the heat map of one finding. Raises: Cancelled."""
    from xrayview.inference.explain import explain

    loaded = _same_model(request.model)
    with reporting_to(request.progress) as report:
        return explain(
            loaded.runtime,
            loaded.card,
            request.model_input,
            request.finding,
            request.method,
            report,
        )


def _model(model: ModelRef) -> _Model:
    """The model, loaded first where it is not in memory."""
    key = _key(model)
    if key not in _loaded:
        kept = {_key(other) for other in model.beside}
        for other in _loaded.keys() - kept:
            del _loaded[other]
        _loaded[key] = _load(model)
    return _loaded[key]


def _key(model: ModelRef) -> _Key:
    return model.sha256, model.device, model.runtime, model.precision


def _same_model(model: ModelRef) -> _Model:
    """The model as it was when the caller loaded it. Raises: ModelLost."""
    try:
        loaded = _model(model)
    except (ModelError, DeviceUnavailable) as error:
        raise ModelLost(error.what, path=error.path, why=error.why, hint=error.hint) from error
    if model.card_sha256 not in ("", loaded.card_sha256):
        raise ModelLost(
            "The card beside the model has changed since it was loaded",
            path=model.path,
            why="scores before and after would be of different cards",
            hint="Put the earlier card back to continue, or load the model again and start over.",
        )
    runtime = loaded.runtime
    for before, now, kind in (
        (model.device_in_use, runtime.device, "device"),
        (model.runtime_in_use, runtime.name, "runtime"),
    ):
        if before not in ("", now):
            raise ModelLost(
                f"The model had to start again, and {before} does not work any more",
                path=model.path,
                why=f"scores before and after would be of different {kind}s ({now})",
                hint=f"Start again when the {kind} works, or choose another one and start over.",
            )
    return loaded


def _current(model: ModelRef) -> _Model:
    """The model with its current card; one beside the file may have changed since."""
    from xrayview.io.model.bundle import read_card

    loaded = _model(model)
    if loaded.card != read_card(model.path):
        del _loaded[_key(model)]
        loaded = _model(model)
    return loaded


def _load(model: ModelRef, card: ModelCard | None = None) -> _Model:
    from xrayview.inference import gate_file
    from xrayview.inference.loading import load
    from xrayview.io.model.bundle import card_sha256, read_card, require_torchscript

    # Card, network and statistics are read one after the other, so the hash is checked twice.
    _require_trusted(model)
    require_torchscript(model.path)
    card = card or read_card(model.path)
    with limited_memory(_memory_for(model, card)):
        runtime = load(
            model.path,
            card,
            model.device,
            sha256=model.sha256,
            runtime=model.runtime,
            precision=model.precision,
            cache=_cache[0] if _cache else None,
        )
    statistics = gate_file.read_statistics(model.path)
    if statistics is not None:
        gate_file.require_matching_features(statistics, runtime, card, model.path)
    _require_trusted(model)
    return _Model(runtime, card, statistics, card_sha256(card))


def _memory_for(model: ModelRef, card: ModelCard) -> int:
    """Bytes that loading and checking a model may add to the worker's memory."""
    from xrayview.inference.loading import choose_device

    height, width = card.preprocessing.size
    cpu = _BASE + _PER_FILE_BYTE * model.path.stat().st_size + _PER_PIXEL * height * width
    return cpu if choose_device(model.device) is DEVICES["cpu"] else cpu + _OF_A_DEVICE


def _require_trusted(model: ModelRef) -> None:
    from xrayview.io.model.bundle import require_trusted, sha256_of

    require_trusted(sha256_of(model.path), model.sha256, model.path)
