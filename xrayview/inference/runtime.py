"""The one file that names TorchScript: a trusted bundle becomes something that runs.

A TorchScript file is a program: loading one runs code that its author chose. Only the model
worker loads, and only a file whose hash the user has trusted.
"""

from __future__ import annotations

import hashlib
import io
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import torch

from xrayview.domain.model import ModelCard
from xrayview.errors import ContractBroken, DeviceUnavailable, ModelError
from xrayview.inference.graph_split import Halves, NoCut, as_call, cut, without_activation
from xrayview.inference.outputs import ToLogits, to_logits
from xrayview.inference.probe import noise, probe, require_same_whole, same_scores
from xrayview.io.model.bundle import require_trusted

Array = npt.NDArray[np.float32]
Device = Literal["auto", "cpu", "cuda"]
HeatMapMethod = Literal["grad-cam", "occlusion", "input-gradient"]

MAX_CPU_THREADS = 8
"""More do not help networks of this size and starve the decode workers."""
_EVERY_METHOD: tuple[HeatMapMethod, ...] = ("grad-cam", "occlusion", "input-gradient")


class Runtime(Protocol):
    """What runs a network, whatever it is made of. Arrays are float32; K logits, D features.

    Every call raises ModelError when the network fails on this input.
    """

    @property
    def sha256(self) -> str:
        """The hash of the bytes that were loaded."""

    @property
    def device(self) -> str:
        """The real one: `cpu`, `cuda:0`."""

    @property
    def device_name(self) -> str:
        """What the maker calls it."""

    @property
    def precision(self) -> str:
        """`float32`."""

    @property
    def explain_methods(self) -> tuple[HeatMapMethod, ...]:
        """The heat maps this network can give, the best first."""

    @property
    def has_features(self) -> bool:
        """It can be cut before its pooling: `features` and `head` work."""

    @property
    def features_note(self) -> str:
        """Where it was cut, or why it cannot be; empty where the file brings both halves."""

    def forward(self, x_BCHW: Array) -> Array:
        """Uncalibrated logits, (B, K)."""

    def features(self, x_BCHW: Array) -> Array:
        """The last convolutional map before pooling, (B, D, h, w)."""

    def head(self, features_BDhw: Array) -> Array:
        """The rest of the network: logits, (B, K)."""

    def feature_gradient(self, features_BDhw: Array, direction_K: Array) -> Array:
        """Gradient of `head(features) @ direction` by the features, (B, D, h, w)."""

    def input_gradient(self, x_BCHW: Array, direction_K: Array) -> Array:
        """Gradient of `forward(x) @ direction` by the input, (B, C, H, W)."""


class TorchScriptRuntime:
    """A loaded TorchScript module on one device, in evaluation mode and float32."""

    precision = "float32"

    def __init__(
        self, module: Any, sha256: str, device: torch.device, path: Path, undo: ToLogits
    ) -> None:
        self._module = module.eval()
        for parameter in module.parameters():
            parameter.requires_grad_(False)
        self._undo = undo
        self._device = device
        self._path = path
        self.sha256 = sha256
        self.device = str(device)
        self.device_name = _name_of(device)
        self.features_note = ""
        self._halves: Halves | None = None
        names = ("forward_features", "forward_head")
        if all(callable(getattr(module, name, None)) for name in names):
            self._halves = Halves(module.forward_features, module.forward_head)

    @property
    def has_features(self) -> bool:
        """See Runtime."""
        return self._halves is not None

    @property
    def explain_methods(self) -> tuple[HeatMapMethod, ...]:
        """See Runtime."""
        return _EVERY_METHOD if self.has_features else _EVERY_METHOD[1:]

    def cut_in_two(self, card: ModelCard) -> None:
        """Find the halves of a network whose file brings none; `features_note` says how it went.

        The halves are taken only where they give what the whole gives.
        """
        try:
            with _without_deprecation():
                frozen = torch.jit.freeze(self._module, optimize_numerics=False)
            graph = self._leave_out_activation(frozen.graph, card)
            self._halves = cut(graph, self._to_tensor(noise(card)[0]))
            self.features_note = self._halves.told
            require_same_whole(self, card)
        except (NoCut, RuntimeError, ModelError) as error:
            self._halves = None
            self.features_note = f"cannot be cut in two: {_last_line(error)}"

    def _leave_out_activation(self, graph: Any, card: ModelCard) -> Any:
        """End a network of probabilities before its activation, where its graph shows it."""
        shorter = (
            without_activation(graph, card.activation) if card.outputs == "probabilities" else None
        )
        if shorter is None:
            return graph
        films = np.concatenate(noise(card))
        before = self.forward(films)
        module, undo = self._module, self._undo
        self._module, self._undo = as_call(shorter), _as_they_are
        if same_scores(before, self.forward(films), card):
            return shorter
        self._module, self._undo = module, undo
        return graph

    def forward(self, x_BCHW: Array) -> Array:
        """See Runtime."""
        return self._infer(self._whole, x_BCHW)

    def features(self, x_BCHW: Array) -> Array:
        """See Runtime."""
        return self._infer(self._both().features, x_BCHW)

    def head(self, features_BDhw: Array) -> Array:
        """See Runtime."""
        return self._infer(self._rest, features_BDhw)

    def feature_gradient(self, features_BDhw: Array, direction_K: Array) -> Array:
        """See Runtime."""
        return self._gradient(self._rest, features_BDhw, direction_K)

    def input_gradient(self, x_BCHW: Array, direction_K: Array) -> Array:
        """See Runtime."""
        return self._gradient(self._whole, x_BCHW, direction_K)

    def _both(self) -> Halves:
        assert self._halves is not None, "ask has_features first"
        return self._halves

    def _whole(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self._undo(_as_tensor(self._module(x_BCHW)))

    def _rest(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return self._undo(_as_tensor(self._both().head(features_BDhw)))

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
        # A copy: arrays from shared memory are read-only, which torch does not know.
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
                hint="Close other programs that use it, or choose the device cpu.",
            ) from error
        except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
            raise ModelError(
                "The model failed while it ran",
                path=self._path,
                why=f"input {_shape(array)}: {_last_line(error)}",
                hint="Check that the card's preprocessing is that of the training.",
            ) from error


def load(
    path: Path, card: ModelCard, device: Device = "auto", *, sha256: str | None = None
) -> Runtime:
    """Load a trusted model file and hold it against the contract of its card.

    The bytes that are hashed are the bytes that are loaded.

    Args:
        path: the TorchScript file.
        card: what the model says of itself.
        device: `auto` takes a CUDA device that works, else the CPU.
        sha256: the hash that the user has trusted; None only for a file of one's own making.

    Raises:
        ModelError: missing, another hash, not TorchScript, or the probe's reason.
        DeviceUnavailable: `cuda` was asked for and is not there.
    """
    content, sha256 = _read_trusted(path, sha256)
    chosen = choose_device(device)
    if chosen.type == "cpu":
        torch.set_num_threads(min(torch.get_num_threads(), MAX_CPU_THREADS))
    else:
        # Convolutions round to TF32 by default; `float32` is what the CSV states.
        torch.backends.cudnn.allow_tf32 = False
    script = _load_script(content, chosen, path)
    runtime = TorchScriptRuntime(script, sha256, chosen, path, to_logits(card))
    probe(runtime, card, path)
    if not runtime.has_features:
        runtime.cut_in_two(card)
    return runtime


def choose_device(device: Device) -> torch.device:
    """The device to run on, tried with one small sum.

    Raises:
        DeviceUnavailable: `cuda` was asked for and does not work.
    """
    if device == "cpu":
        return torch.device("cpu")
    try:
        cuda = torch.device("cuda", torch.cuda.current_device())
        torch.ones(2, device=cuda).sum().item()
    except (RuntimeError, AssertionError) as error:
        if device == "auto":
            return torch.device("cpu")
        raise DeviceUnavailable(
            "No CUDA device can be used",
            why=_last_line(error),
            hint="Choose the device cpu or auto.",
        ) from error
    return cuda


def _read_trusted(path: Path, sha256: str | None) -> tuple[bytes, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            "The model file cannot be read",
            path=path,
            why=error.strerror or str(error),
            hint="Check the path.",
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None:
        require_trusted(found, sha256, path)
    return content, found


def _load_script(content: bytes, device: torch.device, path: Path) -> Any:
    with _without_deprecation():
        try:
            return torch.jit.load(io.BytesIO(content), map_location=device)  # type: ignore[no-untyped-call]
        except (RuntimeError, ValueError, KeyError, EOFError) as error:
            raise ModelError(
                "The file is not a TorchScript model that can be loaded here",
                path=path,
                why=_last_line(error),
                hint="Choose a model bundle: one TorchScript file with a model card.",
            ) from error


@contextmanager
def _without_deprecation() -> Iterator[None]:
    """TorchScript is deprecated, not gone; that is this seam's concern and nobody else's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _name_of(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    name = platform.processor() or platform.machine()
    return f"{name}, {threads} thread{'' if threads == 1 else 's'}"


def _as_they_are(logits_BK: torch.Tensor) -> torch.Tensor:
    return logits_BK


def _as_tensor(output: Any) -> torch.Tensor:
    if not isinstance(output, torch.Tensor):
        raise TypeError(f"gave a {type(output).__name__}, not one tensor")
    if not output.is_floating_point():
        raise TypeError(f"gave {output.dtype}, not floating point")
    return output


def _shape(array: Array) -> str:
    return " x ".join(map(str, array.shape))


def _last_line(error: BaseException) -> str:
    """TorchScript puts its own trace first and the reason last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
