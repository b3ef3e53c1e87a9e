"""The TorchScript runtime.

A TorchScript file is a program: loading one runs code that its author chose. Only the model
worker loads models, and only files whose hash the user trusts.
"""

from __future__ import annotations

import hashlib
import io
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xrayview.domain.devices import Device
from xrayview.domain.heat_map_methods import available_methods
from xrayview.domain.model import ModelCard
from xrayview.errors import ContractBroken, DeviceUnavailable, ModelError
from xrayview.inference.graph_split import (
    CannotSplit,
    SplitNetwork,
    as_call,
    split_graph,
    without_activation,
)
from xrayview.inference.outputs import ToLogits, to_logits
from xrayview.inference.probe import noise, require_equal_parts, same_scores

Array = npt.NDArray[np.float32]

MAX_CPU_THREADS = 8
"""More threads do not help networks of this size, and starve the decode workers."""


class TorchScriptRuntime:
    """A loaded TorchScript module on one device, in evaluation mode and float32."""

    precision = "float32"
    has_gradient = True

    def __init__(
        self, module: Any, sha256: str, device: torch.device, path: Path, to_logits: ToLogits
    ) -> None:
        self._module = module.eval()
        for parameter in module.parameters():
            parameter.requires_grad_(False)
        self._to_logits = to_logits
        self._device = device
        self._path = path
        self.sha256 = sha256
        self.device = str(device)
        self.device_name = _name_of(device)
        self.features_note = ""
        self._parts: SplitNetwork | None = None
        names = ("forward_features", "forward_head")
        if all(callable(getattr(module, name, None)) for name in names):
            self._parts = SplitNetwork(module.forward_features, module.forward_head)

    @property
    def has_features(self) -> bool:
        """See Runtime."""
        return self._parts is not None

    @property
    def explain_methods(self) -> tuple[str, ...]:
        """See Runtime."""
        return available_methods(has_features=self.has_features, has_gradient=self.has_gradient)

    def split(self, card: ModelCard) -> None:
        """See Runtime. The parts are used only where together they give the network's output."""
        try:
            with _without_deprecation():
                frozen = torch.jit.freeze(self._module, optimize_numerics=False)
            graph = self._without_activation(frozen.graph, card)
            self._parts = split_graph(graph, self._to_tensor(noise(card)[0]))
            self.features_note = self._parts.note
            require_equal_parts(self, card)
        except (CannotSplit, RuntimeError, ModelError) as error:
            self._parts = None
            self.features_note = f"cannot be split: {_last_line(error)}"

    def _without_activation(self, graph: Any, card: ModelCard) -> Any:
        """The graph without its final activation, where it returns probabilities and shows it."""
        shorter = (
            without_activation(graph, card.activation) if card.outputs == "probabilities" else None
        )
        if shorter is None:
            return graph
        films = np.concatenate(noise(card))
        before = self.forward(films)
        module, to_logits = self._module, self._to_logits
        self._module, self._to_logits = as_call(shorter), _unchanged
        if same_scores(before, self.forward(films), card):
            return shorter
        self._module, self._to_logits = module, to_logits
        return graph

    def forward(self, x_BCHW: Array) -> Array:
        """See Runtime."""
        return self._infer(self._run_whole, x_BCHW)

    def features(self, x_BCHW: Array) -> Array:
        """See Runtime."""
        return self._infer(self._both_parts().features, x_BCHW)

    def head(self, features_BDhw: Array) -> Array:
        """See Runtime."""
        return self._infer(self._run_head, features_BDhw)

    def feature_gradient(self, features_BDhw: Array, direction_K: Array) -> Array:
        """See Runtime."""
        return self._gradient(self._run_head, features_BDhw, direction_K)

    def input_gradient(self, x_BCHW: Array, direction_K: Array) -> Array:
        """See Runtime."""
        return self._gradient(self._run_whole, x_BCHW, direction_K)

    def _both_parts(self) -> SplitNetwork:
        assert self._parts is not None, "check has_features first"
        return self._parts

    def _run_whole(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self._to_logits(_as_tensor(self._module(x_BCHW)))

    def _run_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return self._to_logits(_as_tensor(self._both_parts().head(features_BDhw)))

    def _infer(self, method: Any, array: Array) -> Array:
        with self._failures(array), torch.inference_mode():
            output = _as_tensor(method(self._to_tensor(array)))
            return np.asarray(output.to("cpu", torch.float32).numpy())

    def _gradient(self, method: Any, array: Array, direction_K: Array) -> Array:
        with self._failures(array), torch.enable_grad():
            tensor = self._to_tensor(array).requires_grad_()
            explained = (method(tensor) @ self._to_tensor(direction_K)).sum()
            (gradient,) = torch.autograd.grad(explained, tensor)
            return np.asarray(gradient.to("cpu", torch.float32).numpy())

    def _to_tensor(self, array: Array) -> torch.Tensor:
        # A copy, because arrays from shared memory are read-only, which torch cannot represent.
        return torch.tensor(np.ascontiguousarray(array), dtype=torch.float32, device=self._device)

    @contextmanager
    def _failures(self, array: Array) -> Iterator[None]:
        try:
            yield
        except ContractBroken as error:
            error.path = self._path
            raise
        except torch.OutOfMemoryError as error:
            raise ModelError(
                "The device has too little memory for this model",
                path=self._path,
                why=f"{self.device_name}, input {_shape(array)}",
                hint="Close other programs that use the device, or choose the device cpu.",
            ) from error
        except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
            raise ModelError(
                "The model failed while it ran",
                path=self._path,
                why=f"input {_shape(array)}: {_last_line(error)}",
                hint="Check that the preprocessing in the card is the one used for training.",
            ) from error


def load(path: Path, content: bytes, card: ModelCard, device: Device) -> TorchScriptRuntime:
    """Load the bytes of a TorchScript file; `path` is for messages.

    Raises:
        ModelError: they are not TorchScript.
        DeviceUnavailable: the device does not work.
    """
    torch_device = require_device(device)
    if torch_device.type == "cpu":
        torch.set_num_threads(min(torch.get_num_threads(), MAX_CPU_THREADS))
    else:
        # Convolutions use TF32 by default, but the CSV states `float32`.
        torch.backends.cudnn.allow_tf32 = False
    module = load_module(content, torch_device, path)
    return TorchScriptRuntime(
        module, hashlib.sha256(content).hexdigest(), torch_device, path, to_logits(card)
    )


def require_device(device: Device) -> torch.device:
    """Return the device as a torch device, after a small computation on it.

    Raises:
        DeviceUnavailable: it does not work.
    """
    try:
        ones = torch.ones(2, device=device.address)
        ones.sum().item()
    except (RuntimeError, AssertionError) as error:
        raise DeviceUnavailable(
            f"No {device.title} device can be used",
            why=_last_line(error),
            hint="Choose the device cpu or auto.",
        ) from error
    return ones.device


def load_module(content: bytes, device: torch.device, path: Path) -> Any:
    with _without_deprecation():
        try:
            return torch.jit.load(io.BytesIO(content), map_location=device)  # type: ignore[no-untyped-call]
        except (RuntimeError, ValueError, KeyError, EOFError) as error:
            raise ModelError(
                "The file is not a TorchScript model that can be loaded here",
                path=path,
                why=_last_line(error),
                hint="Choose a model bundle, which is a TorchScript file with a model card.",
            ) from error


@contextmanager
def _without_deprecation() -> Iterator[None]:
    """Suppress the deprecation warnings of TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _name_of(device: torch.device) -> str:
    if device.type != "cpu":
        get_name = getattr(torch.get_device_module(device), "get_device_name", None)
        return str(get_name(device)) if get_name else device.type
    threads = torch.get_num_threads()
    name = platform.processor() or platform.machine()
    return f"{name}, {threads} thread{'' if threads == 1 else 's'}"


def _unchanged(logits_BK: torch.Tensor) -> torch.Tensor:
    return logits_BK


def _as_tensor(output: Any) -> torch.Tensor:
    if not isinstance(output, torch.Tensor):
        raise TypeError(f"returned a {type(output).__name__} instead of a tensor")
    if not output.is_floating_point():
        raise TypeError(f"returned {output.dtype} instead of floating point")
    return output


def _shape(array: Array) -> str:
    return " x ".join(map(str, array.shape))


def _last_line(error: BaseException) -> str:
    """The last line of an error: TorchScript puts its trace first and the reason last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
