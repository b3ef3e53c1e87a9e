"""The OpenVINO runtime, which takes films through a network on the CPU faster than torch does.

The network is converted from the loaded TorchScript module, with its features as a second output,
and compiled for one film. Each stream computes its film on one core, so that a film's logits do not
depend on others. Whatever needs a gradient stays with torch, on the same weights.

OpenVINO chooses bfloat16 on CPUs that have it unless it is told otherwise, and its package reports
every import to its makers unless the module that does so is missing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xrayview.domain.model import ModelCard
from xrayview.domain.runtimes import EXACT
from xrayview.inference.converted_cache import ConvertedCache
from xrayview.inference.streams import stream_count
from xrayview.inference.torch_errors import reason
from xrayview.inference.torchscript import TorchScriptRuntime

Array = npt.NDArray[np.float32]

_TELEMETRY = "openvino_telemetry"
_FORMATS = (("BF16", "bf16", "bfloat16"), ("FP16", "f16", "float16"))
"""What the CPU may be capable of, OpenVINO's name for it, and ours."""


class CannotConvert(Exception):
    """The network cannot be converted, or `fast` has no format here; the text says why."""


class OpenVinoRuntime:
    """A network compiled by OpenVINO for the CPU, beside the torch module that it was made from."""

    name = "openvino"
    device = "cpu"

    def __init__(self, torch_runtime: TorchScriptRuntime, compiled: Any, precision: str) -> None:
        self.torch = torch_runtime
        self.precision = precision
        self.sha256 = torch_runtime.sha256
        self.device_name = torch_runtime.device_name
        self.notes = torch_runtime.notes
        self.score_difference = 0.0
        self._compiled = compiled
        self._has_features_output = len(compiled.outputs) == 2
        self._requests = [compiled.create_infer_request() for _ in range(stream_count())]

    def each_film(
        self, x_BCHW: Array, *, with_features: bool = False
    ) -> tuple[Array, Array | None]:
        """See Runtime."""
        if with_features and not self._has_features_output:
            return self.torch.each_film(x_BCHW, with_features=True)
        with self.torch.failures(x_BCHW):
            outputs = self._outputs(x_BCHW)
            logits = [self.torch.logits_of(torch.tensor(each[0]), 1).numpy() for each in outputs]
            logits_BK = np.concatenate(logits).astype(np.float32, copy=False)
        if not with_features:
            return logits_BK, None
        return logits_BK, np.concatenate([each[-1] for each in outputs])

    def _outputs(self, x_BCHW: Array) -> list[list[Array]]:
        """The outputs of the network for each film, one film on each stream at a time.

        This thread starts the requests and waits for them. Two threads that call into OpenVINO
        at the same time can wait for each other forever: for its lock, and for the interpreter's.
        """
        streams = len(self._requests)
        outputs: list[list[Array]] = []
        try:
            for i in range(len(x_BCHW) + streams):
                request = self._requests[i % streams]
                if i >= streams and i - streams < len(x_BCHW):
                    request.wait()
                    outputs.append(self._copied(request))
                if i < len(x_BCHW):
                    request.get_input_tensor().data[:] = x_BCHW[i]
                    request.start_async()
        finally:
            for request in self._requests:
                request.wait()  # also of what an error has left
        return outputs

    def _copied(self, request: Any) -> list[Array]:
        count = len(self._compiled.outputs)
        return [np.array(request.get_output_tensor(i).data, np.float32) for i in range(count)]

    def adapt(self, card: ModelCard) -> None:
        """See Runtime; by torch."""

    def fix_batch(self, card: ModelCard) -> None:
        """See Runtime; each stream takes one film."""

    def split(self, card: ModelCard) -> None:
        """See Runtime; by torch."""

    @property
    def explain_methods(self) -> tuple[str, ...]:
        """See Runtime."""
        return self.torch.explain_methods

    @property
    def has_features(self) -> bool:
        """See Runtime."""
        return self.torch.has_features

    @property
    def has_gradient(self) -> bool:
        """See Runtime."""
        return self.torch.has_gradient

    @property
    def features_note(self) -> str:
        """See Runtime."""
        return self.torch.features_note

    def random_operations(self) -> tuple[str, ...]:
        """See Runtime."""
        return self.torch.random_operations()

    def forward(self, x_BCHW: Array) -> Array:
        """See Runtime; by torch."""
        return self.torch.forward(x_BCHW)

    def features(self, x_BCHW: Array) -> Array:
        """See Runtime; by torch."""
        return self.torch.features(x_BCHW)

    def head(self, features_BDhw: Array) -> Array:
        """See Runtime; by torch."""
        return self.torch.head(features_BDhw)

    def feature_gradient(self, features_BDhw: Array, direction_K: Array) -> Array:
        """See Runtime; by torch."""
        return self.torch.feature_gradient(features_BDhw, direction_K)

    def input_gradient(self, x_BCHW: Array, direction_K: Array) -> Array:
        """See Runtime; by torch."""
        return self.torch.input_gradient(x_BCHW, direction_K)


def accelerate(
    runtime: TorchScriptRuntime, card: ModelCard, precision: str, cache_folder: Path | None
) -> OpenVinoRuntime:
    """Convert and compile a loaded network; its scores are still to be compared with torch's.

    Args:
        runtime: the network, checked against its card.
        card: states the input's size.
        precision: `exact` or `fast`.
        cache_folder: where converted networks are kept; None to convert each time.

    Raises:
        CannotConvert: OpenVINO does not take this network, or `fast` has no format on this CPU.
    """
    openvino = import_openvino()
    core = openvino.Core()
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    hint, name = _format(precision, capabilities)
    cache = ConvertedCache(cache_folder)
    shape = (card.preprocessing.channels, *card.preprocessing.size)
    key = cache.key(
        runtime.sha256, openvino.__version__, torch.__version__, sorted(capabilities), shape
    )
    try:
        network = _cached(core, cache, key)
        if network is None:
            network = _converted(openvino, runtime, shape)
            cache.store(key, lambda path: openvino.save_model(network, path, False))
        streams = stream_count()
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": hint,
                "EXECUTION_MODE_HINT": "ACCURACY" if precision == EXACT else "PERFORMANCE",
                "NUM_STREAMS": str(streams),
                "INFERENCE_NUM_THREADS": streams,
                "ENABLE_CPU_PINNING": False,
            },
        )
    except Exception as error:  # the converter has errors of its own, which are not RuntimeErrors
        raise CannotConvert(reason(error)) from error
    return OpenVinoRuntime(runtime, compiled, name)


def import_openvino() -> Any:
    """The module `openvino`, which finds no telemetry to report to.

    Raises:
        CannotConvert: it is not installed, or cannot be loaded.
    """
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type] # as if not installed
    try:
        import openvino
    except (ImportError, OSError, MemoryError) as error:
        raise CannotConvert(f"it cannot be loaded: {reason(error)}") from error
    return openvino


def _format(precision: str, capabilities: list[str]) -> tuple[str, str]:
    """The number format, as OpenVINO and as the table of predictions call it."""
    if precision == EXACT:
        return "f32", "float32"
    for capability, hint, name in _FORMATS:
        if capability in capabilities:
            return hint, name
    raise CannotConvert("the CPU computes neither with bfloat16 nor with float16")


def _cached(core: Any, cache: ConvertedCache, key: str) -> Any | None:
    stored = cache.load(key)
    if stored is None:
        return None
    xml, weights = stored
    return core.read_model(xml, weights)


def _converted(openvino: Any, runtime: TorchScriptRuntime, shape: tuple[int, ...]) -> Any:
    film = torch.zeros(1, *shape)
    network = openvino.convert_model(runtime.traced(film), example_input=film)
    network.reshape([1, *shape])
    return network
