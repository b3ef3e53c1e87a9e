"""What the model worker does with a request. torch is imported in the functions only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xrayview.domain.model import HeatMap, ModelCard, Prediction
from xrayview.engine.protocol import Classify, Explain, LoadModel, ModelReady, ModelRef

if TYPE_CHECKING:
    from xrayview.inference.runtime import Runtime

_loaded: dict[tuple[str, str], tuple[Runtime, ModelCard]] = {}
"""The one model in memory, by (sha256, device). A new worker fills it with its first request."""


def load_runtime() -> None:
    """Import what every model needs, so that no request waits for it."""
    from xrayview.inference import classifier, explain, runtime  # noqa: F401


def load_model(request: LoadModel) -> ModelReady:
    """Load the bundle and check its contract."""
    runtime, card = _runtime(request.model)
    return ModelReady(
        model=request.model,
        card=card,
        device=runtime.device,
        device_name=runtime.device_name,
        precision=runtime.precision,
        explain_methods=runtime.explain_methods,
    )


def classify_films(request: Classify) -> tuple[Prediction, ...]:
    """One prediction per input, in order."""
    from xrayview.inference.classifier import classify

    runtime, card = _runtime(request.model)
    return classify(runtime, card, request.inputs)


def explain_film(request: Explain) -> HeatMap:
    """Where the model found evidence for one finding."""
    from xrayview.inference.explain import explain

    runtime, card = _runtime(request.model)
    return explain(runtime, card, request.model_input, request.finding, request.method)


def _runtime(model: ModelRef) -> tuple[Runtime, ModelCard]:
    """The loaded model; loaded now where this worker is new or held another one."""
    key = (model.sha256, model.device)
    if key not in _loaded:
        _loaded.clear()
        _loaded[key] = _load(model)
    return _loaded[key]


def _load(model: ModelRef) -> tuple[Runtime, ModelCard]:
    from xrayview.inference import runtime
    from xrayview.io.bundle import read_card

    card = read_card(model.path)
    return runtime.load(model.path, card, model.device, sha256=model.sha256), card
