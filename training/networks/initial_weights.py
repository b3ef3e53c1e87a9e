"""A network's initial weights: ImageNet's, those of a file, or none; always reported."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor

from training.config import NetworkConfig
from training.networks.backbones import BACKBONES
from training.networks.cut_network import Network
from xrayview.errors import UsageError
from xrayview.io.model.bundle import sha256_of

IMAGENET, NONE = "imagenet", "none"
_SHOWN = 6
_OTHER_WAYS = "--initial-weights FILE (a state dict, a run or a bundle), or --initial-weights none"
_WRAPPERS = ("weights", "state_dict", "model")
"""Keys under which checkpoints store their state dict; our runs use the first."""
_PREFIXES = ("", "features.", "backbone.", "encoder.")
_STRIPPED = re.compile(r"^(module|model|_orig_mod)\.")
# Names of dense layers before torchvision 0.3; torchvision's own files still have them.
_OLD_DENSE = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")


@dataclass(frozen=True)
class InitialWeights:
    """What a network started from, as run.json and the card report it."""

    requested: str
    """`imagenet`, `none`, or the file's name."""
    used: str
    """Description of the weights, with the hash of a file."""
    matched: int = 0
    """Number of tensors loaded."""
    adapted: tuple[str, ...] = ()
    """Of these, first convolutions that were made for another number of channels."""
    left_out: tuple[str, ...] = ()
    """Tensors of the file that the network does not have, including heads."""
    other_shape: tuple[str, ...] = ()
    """Tensors that have another shape in the file."""
    fresh: tuple[str, ...] = ()
    """Tensors of the network that keep their random values."""

    def as_json(self) -> dict[str, Any]:
        """Return plain data for run.json, where `requested` is called `asked`."""
        facts = asdict(self)
        return {"asked": facts.pop("requested"), **facts}

    def lines(self) -> Iterator[str]:
        """Yield the lines that are printed on the terminal."""
        yield f"initial weights: {self.used}"
        if self.requested != NONE:
            yield f"  {self.matched} tensors loaded"
        for label, names in (
            ("adapted to the input's channels", self.adapted),
            ("left out", self.left_out),
            ("left out, another shape", self.other_shape),
            ("new, random", self.fresh if self.requested != NONE else ()),
        ):
            if names:
                more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                yield f"  {label}: {', '.join(names[:_SHOWN])}{more}"


def load(network: Network, config: NetworkConfig) -> InitialWeights:
    """Load the requested weights into the network's backbone; its head stays random.

    Raises:
        UsageError: the weights are not available or of no known kind, nothing matches, or a part
            of a backbone that is to be frozen would stay random.
    """
    requested = config.initial_weights
    if requested == NONE:
        return InitialWeights(NONE, NONE)
    if requested == IMAGENET:
        name, state = _imagenet(config.architecture)
        weights = _copy_tensors(network, state, IMAGENET, f"imagenet (torchvision {name})")
    else:
        path = Path(requested)
        state, kind = _read(path)
        used = f"{kind} {path.name} (sha256 {sha256_of(_file_of(path))})"
        weights = _copy_tensors(network, state, path.name, used)
    if config.freezes:
        _require_whole_backbone(weights)
    return weights


def _require_whole_backbone(weights: InitialWeights) -> None:
    # The batch counters of norms change no output.
    random = [
        name
        for name in weights.fresh
        if name.startswith("features.") and not name.endswith("num_batches_tracked")
    ]
    if random:
        raise UsageError(
            f"{len(random)} tensors of the backbone that is to be frozen would stay random",
            why=f"{weights.requested} does not have {', '.join(random[:_SHOWN])}"
            + (" ..." if len(random) > _SHOWN else ""),
            hint="Use weights of the same architecture, or --set network.trainable_layers=-1.",
        )


def _imagenet(architecture: str) -> tuple[str, Mapping[str, Tensor]]:
    if architecture not in BACKBONES:
        raise UsageError(
            f"There are no ImageNet weights for {architecture}",
            hint=f"torchvision has weights for {', '.join(BACKBONES)}; or use {_OTHER_WAYS}.",
        )
    name = BACKBONES[architecture].weights
    try:
        # torchvision caches the download and checks it against the hash in its name.
        weights = torchvision.models.get_weight(name)
        return name, weights.get_state_dict(progress=True, check_hash=True)
    except OSError as error:  # URLError is one
        raise UsageError(
            f"torchvision's weights {name} cannot be downloaded: this machine seems to be offline",
            why=str(error),
            hint=f"Connect it once (torchvision caches the file), or use {_OTHER_WAYS}.",
        ) from error
    except RuntimeError as error:
        raise UsageError(
            f"torchvision's weights {name} failed their check after the download",
            why=str(error),
            hint=f"Try again, or use {_OTHER_WAYS}.",
        ) from error


def _file_of(path: Path) -> Path:
    return path / "best.pt" if path.is_dir() else path


def read_state(path: Path) -> Mapping[str, Tensor]:
    """Read the tensors of a state dict, a run folder or a bundle.

    Raises:
        UsageError: the file is missing or has no state dict.
    """
    return _read(path)[0]


def modern_name(name: str) -> str:
    """Return the tensor's name in torchvision's current naming of dense layers."""
    return _OLD_DENSE.sub(r"\1\2", name)


def _read(path: Path) -> tuple[Mapping[str, Tensor], str]:
    file = _file_of(path)
    if not file.is_file():
        raise UsageError(
            f"There are no initial weights in {path}",
            why=f"{file.name} is missing",
            hint=f"Name a state dict, a run folder or a bundle; or use {IMAGENET} or {NONE}.",
        )
    if _is_torchscript(file):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated, but the format of bundles
            module = torch.jit.load(str(file), map_location="cpu")  # type: ignore[no-untyped-call]
        return module.state_dict(), "bundle"
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise UsageError(
            "The initial weights cannot be read",
            path=file,
            why=str(error).splitlines()[0],
            hint="Save plain tensors: torch.save(network.state_dict(), FILE).",
        ) from error
    state = _unwrapped(loaded)
    if not state:
        raise UsageError(
            "The file has no state dict", path=file, hint="It must map names to tensors."
        )
    return state, "run" if path.is_dir() else "state dict"


def _is_torchscript(file: Path) -> bool:
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _unwrapped(loaded: object) -> dict[str, Tensor]:
    while isinstance(loaded, Mapping):
        tensors = {str(k): v for k, v in loaded.items() if isinstance(v, Tensor)}
        if tensors:
            return tensors
        loaded = next((loaded[key] for key in _WRAPPERS if key in loaded), None)
    return {}


def _copy_tensors(
    network: Network, state: Mapping[str, Tensor], requested: str, used: str
) -> InitialWeights:
    expected = {k: v for k, v in network.state_dict().items() if not _is_head(k)}
    matched: dict[str, Tensor] = {}
    adapted, left_out, other_shape = [], [], []
    for source, tensor in state.items():
        name = _name_in_network(source, expected)
        if name is None:
            left_out.append(source)
        elif tensor.shape == expected[name].shape:
            matched[name] = tensor
        elif (adapt := _channel_adapter(tensor, expected[name])) is not None:
            matched[name] = adapt(tensor)
            adapted.append(name)
        else:
            shapes = f"{tuple(tensor.shape)} for {tuple(expected[name].shape)}"
            other_shape.append(f"{name} {shapes}")
    if not any(v.ndim > 1 for v in matched.values()):
        raise UsageError(
            f"Nothing in {requested} fits this architecture",
            why="; ".join(other_shape[:3]) or f"it has {', '.join(list(state)[:3])} ...",
            hint="Choose the architecture that these weights were made for: --architecture NAME.",
        )
    network.load_state_dict(matched, strict=False)
    return InitialWeights(
        requested=requested,
        used=used,
        matched=len(matched),
        adapted=tuple(adapted),
        left_out=tuple(left_out),
        other_shape=tuple(other_shape),
        fresh=tuple(k for k in network.state_dict() if k not in matched),
    )


def _is_head(name: str) -> bool:
    return name.startswith(("head.", "auxiliary.fc."))


def _name_in_network(source: str, expected: Mapping[str, Tensor]) -> str | None:
    """Return the network's name for a tensor of the file; None if it has no such tensor."""
    plain = modern_name(_STRIPPED.sub("", source))
    plain = plain.replace("AuxLogits.", "auxiliary.")
    candidates = [prefix + plain for prefix in _PREFIXES]
    candidates += ["features." + plain.removeprefix(prefix) for prefix in _PREFIXES[1:]]
    return next((name for name in candidates if name in expected), None)


def _channel_adapter(tensor: Tensor, expected: Tensor) -> Callable[[Tensor], Tensor] | None:
    """Return the function that adapts a first convolution's kernel to other input channels."""
    if tensor.ndim != 4 or expected.ndim != 4:
        return None
    (outputs, given, *kernel), (same_outputs, needed, *same_kernel) = tensor.shape, expected.shape
    if (outputs, kernel) != (same_outputs, same_kernel):
        return None
    if (given, needed) == (3, 1):  # the sum equals grey in all three channels
        return lambda w: w.sum(dim=1, keepdim=True)
    if (given, needed) == (1, 3):
        return lambda w: w.expand(-1, 3, -1, -1) / 3
    return None
