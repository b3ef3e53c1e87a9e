"""The TorchScript runtime.

A TorchScript file is a program: loading one runs code that its author chose. Only the model
worker loads models, and only files whose hash the user trusts.
"""

from __future__ import annotations

import hashlib
import io
import platform
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xrayview.domain.devices import Device
from xrayview.domain.heat_map_methods import available_methods
from xrayview.domain.model import ModelCard
from xrayview.domain.sentences import counted
from xrayview.errors import ContractBroken, DeviceUnavailable, ModelError, UsageError
from xrayview.inference.adapt import Calling, find_calling
from xrayview.inference.archive import fixed_devices, with_device
from xrayview.inference.cores import available_cores
from xrayview.inference.film_passes import FilmPasses, fast_format
from xrayview.inference.graph_split import (
    CannotSplit,
    SplitNetwork,
    as_call,
    split_graph,
    without_activation,
)
from xrayview.inference.outputs import ToLogits, to_logits
from xrayview.inference.probe import noise, require_equal_parts, same_scores
from xrayview.inference.random_operations import random_operations
from xrayview.inference.streams import stream_count
from xrayview.inference.torch_errors import advice, reason
from xrayview.io.extras import optional_module

Array = npt.NDArray[np.float32]

Run = Callable[[torch.Tensor], torch.Tensor]

_LOADING_HINT = "Choose a model bundle, which is a TorchScript file with a model card."
MAX_CPU_THREADS = 8
"""For one pass, as of a gradient. More threads do not help networks of this size."""


class TorchScriptRuntime:
    """A loaded TorchScript module on one device, in evaluation mode and float32."""

    name = "torch"
    precision = "float32"
    score_difference = 0.0
    has_gradient = True

    def __init__(
        self,
        module: Any,
        sha256: str,
        device: torch.device,
        path: Path,
        to_logits: ToLogits,
        notes: tuple[str, ...] = (),
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
        self.notes = notes
        self._calling = Calling()
        self._passes = FilmPasses(self, device)
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

    def adapt(self, card: ModelCard) -> None:
        """See Runtime."""
        film, other = noise(card)
        films = torch.tensor(np.concatenate([film, other, film]), device=self._device)
        with self.failures(film):
            self._calling = find_calling(self._module, self._module, films, card)
        self.notes += self._calling.notes

    def random_operations(self) -> tuple[str, ...]:
        """See Runtime."""
        try:
            if not random_operations(self._module.inlined_graph):
                return ()
            # Freezing removes what only runs in training; it takes long, and few get here.
            with _without_deprecation():
                frozen = torch.jit.freeze(self._module, optimize_numerics=False)
            return random_operations(frozen.graph)
        except RuntimeError:
            return ()

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
            cause = reason(error)
            if "toPyObject" in cause:
                cause = "its program has branches and loops that cannot be taken apart"
            self.features_note = f"cannot be split: {cause}"

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

    def fix_batch(self, card: ModelCard) -> None:
        """See Runtime."""
        if self._calling.batch is None:
            self._passes.fix_batch(card)

    def compute_fast(self, card: ModelCard) -> bool:
        """Compute scores in 16 bits from now on, gradients as before; False where it cannot."""
        dtype = fast_format(self._device)
        if dtype is None or self._calling.dtype != torch.float32:
            return False
        self.precision = str(dtype).removeprefix("torch.")
        self._passes = FilmPasses(self, self._device, dtype)
        self.fix_batch(card)
        return True

    def each_film(
        self, x_BCHW: Array, *, with_features: bool = False
    ) -> tuple[Array, Array | None]:
        """See Runtime."""
        return self._passes.each_film(x_BCHW, with_features=with_features)

    def forward(self, x_BCHW: Array) -> Array:
        """See Runtime."""
        return self._infer(self._run_whole, x_BCHW)

    def features(self, x_BCHW: Array) -> Array:
        """See Runtime."""
        return self._infer(self._run_features, x_BCHW)

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
        return self.logits_of(self._module(x_BCHW), len(x_BCHW))

    def logits_of(self, output: Any, films: int) -> torch.Tensor:
        """The logits (B, K) in what the network returned for this number of films."""
        return self._to_logits(self._calling.form(output, films))

    def traced(self, film_1CHW: torch.Tensor) -> Any:
        """The network traced for one film: its output, and the features where it is in two parts.

        Raises:
            ModelError: it is called in a way that other runtimes cannot repeat.
        """
        plain = self._calling
        if plain.batch is not None or plain.dtype != torch.float32 or plain.form.path:
            raise ModelError("it is adapted to be called", why="; ".join(self.notes))
        network = _Traceable(self._module, self._parts)
        with _without_deprecation(), torch.no_grad():
            return torch.jit.trace(network, film_1CHW, check_trace=False)  # type: ignore[no-untyped-call]

    def _run_features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self._both_parts().features(x_BCHW)

    def _run_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return self.logits_of(self._both_parts().head(features_BDhw), len(features_BDhw))

    def _infer(self, method: Run, array: Array) -> Array:
        def infer(tensor: torch.Tensor) -> torch.Tensor:
            with torch.inference_mode():
                return method(tensor)

        return self._in_batches(infer, array)

    def _gradient(self, method: Run, array: Array, direction_K: Array) -> Array:
        direction = torch.tensor(direction_K, dtype=torch.float32, device=self._device)

        def gradient(tensor: torch.Tensor) -> torch.Tensor:
            with torch.enable_grad():
                tensor.requires_grad_()
                (found,) = torch.autograd.grad((method(tensor) @ direction).sum(), tensor)
                return found

        return self._in_batches(gradient, array)

    def _in_batches(self, call: Run, array: Array) -> Array:
        """Call on all films at once, or on as many as the network takes; the last one fills up."""
        with self.failures(array):
            batch = self._calling.batch
            tensor = self._to_tensor(array)
            if batch is None or len(tensor) == batch:
                return _to_array(call(tensor))
            missing = -len(tensor) % batch
            full = torch.cat([tensor, tensor[-1:].expand(missing, *tensor.shape[1:])])
            results = [_to_array(call(part.clone())) for part in torch.split(full, batch)]
            return np.concatenate(results)[: len(array)]

    def _to_tensor(self, array: Array) -> torch.Tensor:
        # A copy, because arrays from shared memory are read-only, which torch cannot represent.
        plain = np.ascontiguousarray(array)
        return torch.tensor(plain, dtype=self._calling.dtype, device=self._device)

    @contextmanager
    def failures(self, array: Array) -> Iterator[None]:
        """Turn whatever the network raises into a ModelError that names the file."""
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
        except ModelError:
            raise
        except Exception as error:  # a program from elsewhere raises what it likes
            why = reason(error)
            raise ModelError(
                "The model failed while it ran",
                path=self._path,
                why=f"input {_shape(array)}: {why}",
                hint=advice(why).hint,
            ) from error


class _Traceable(torch.nn.Module):
    """A network as one function of a film; a traced module must be part of what is traced."""

    def __init__(self, module: Any, parts: SplitNetwork | None) -> None:
        super().__init__()
        self.module, self._parts = module, parts

    def forward(self, x_BCHW: torch.Tensor) -> Any:
        """The output, and the features where there are two parts."""
        if self._parts is None:
            return self.module(x_BCHW)
        features = self._parts.features(x_BCHW)
        return self._parts.head(features), features


def load(path: Path, content: bytes, card: ModelCard, device: Device) -> TorchScriptRuntime:
    """Load the bytes of a TorchScript file; `path` is for messages.

    Raises:
        ModelError: they are not TorchScript.
        DeviceUnavailable: the device does not work.
    """
    torch_device = require_device(device)
    if torch_device.type == "cpu":
        threads = min(torch.get_num_threads(), available_cores(), MAX_CPU_THREADS)
        torch.set_num_threads(threads)
    else:
        # Convolutions use TF32 by default, but the CSV states `float32`.
        torch.backends.cudnn.allow_tf32 = False
    sha256 = hashlib.sha256(content).hexdigest()
    content, notes = _for_device(content, torch_device)
    module = load_module(content, torch_device, path)
    return TorchScriptRuntime(module, sha256, torch_device, path, to_logits(card), notes)


def _for_device(content: bytes, device: torch.device) -> tuple[bytes, tuple[str, ...]]:
    """The archive with no other device in its program than this one, and a note on it."""
    try:
        devices = fixed_devices(content)
        if not set(devices) - {device.type}:
            return content, ()
        changed = with_device(content, str(device))
    except (zipfile.BadZipFile, OSError, ValueError, zlib.error, NotImplementedError):
        return content, ()  # loading says what is wrong with it
    return changed, (f"its program names the device {', '.join(devices)}; it runs on {device}",)


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
            why=reason(error),
            hint="Choose the device cpu or auto.",
        ) from error
    return ones.device


def load_module(content: bytes, device: torch.device, path: Path) -> Any:
    """The module in these bytes.

    Raises:
        ModelError: it cannot be loaded.
    """
    with _without_deprecation():
        try:
            return _jit_load(content, device)
        except UsageError as error:
            raise ModelError(error.what, path=path, why=error.why, hint=error.hint) from error
        except Exception as error:  # a damaged pickle raises anything
            why = reason(error)
            raise ModelError(
                "The file is not a TorchScript model that can be loaded here",
                path=path,
                why=why,
                hint=_LOADING_HINT if advice(why) == advice("") else advice(why).hint,
            ) from error


def _jit_load(content: bytes, device: torch.device) -> Any:
    try:
        return torch.jit.load(io.BytesIO(content), map_location=device)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        # Its operators are registered when it is imported, which takes a second.
        optional_module("torchvision", "torchvision", "A model with torchvision's operators")

        return torch.jit.load(io.BytesIO(content), map_location=device)  # type: ignore[no-untyped-call]


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
    name = platform.processor() or platform.machine()
    return f"{name}, {counted(stream_count(), 'thread')}"


def _unchanged(logits_BK: torch.Tensor) -> torch.Tensor:
    return logits_BK


def _to_array(tensor: torch.Tensor) -> Array:
    return np.asarray(tensor.detach().to("cpu", torch.float32).numpy())


def _shape(array: Array) -> str:
    return " x ".join(map(str, array.shape))
