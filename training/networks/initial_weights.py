"""Where a network's weights start: ImageNet, a file, or nothing; always said, never silent."""

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
"""Keys under which checkpoints keep their state dict; the first is that of our runs."""
_PREFIXES = ("", "features.", "backbone.", "encoder.")
_STRIPPED = re.compile(r"^(module|model|_orig_mod)\.")
# Names of dense layers before torchvision 0.3, which its own files still have.
_OLD_DENSE = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")


@dataclass(frozen=True)
class Start:
    """What a network really starts from; the card and run.json say it."""

    asked: str
    """`imagenet`, `none`, or the file's name."""
    used: str
    """In words, with the hash of a file."""
    matched: int = 0
    """Tensors taken over."""
    adapted: tuple[str, ...] = ()
    """Of these, first convolutions that were made for another number of channels."""
    left_out: tuple[str, ...] = ()
    """Tensors of the file that the network has no place for, heads among them."""
    other_shape: tuple[str, ...] = ()
    """Tensors that have another shape in the file."""
    fresh: tuple[str, ...] = ()
    """Tensors of the network that keep their random start."""

    def as_json(self) -> dict[str, Any]:
        """For run.json."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """For the reader of the terminal."""
        yield f"initial weights: {self.used}"
        if self.asked != NONE:
            yield f"  {self.matched} tensors taken over"
        for words, names in (
            ("adapted to the input's channels", self.adapted),
            ("left out", self.left_out),
            ("of another shape, left out", self.other_shape),
            ("new, random", self.fresh if self.asked != NONE else ()),
        ):
            if names:
                more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                yield f"  {words}: {', '.join(names[:_SHOWN])}{more}"


def start(network: Network, config: NetworkConfig) -> Start:
    """Put the asked-for weights into the network's backbone; its head always starts anew.

    Raises:
        UsageError: the weights cannot be had, are of no known kind, nothing matches, or a part
            of a backbone that is to be frozen would stay random.
    """
    asked = config.initial_weights
    if asked == NONE:
        return Start(NONE, NONE)
    if asked == IMAGENET:
        name, state = _imagenet(config.architecture)
        found = _take_over(network, state, IMAGENET, f"imagenet (torchvision {name})")
    else:
        path = Path(asked)
        state, kind = _read(path)
        used = f"{kind} {path.name} (sha256 {sha256_of(_file_of(path))})"
        found = _take_over(network, state, path.name, used)
    if config.freezes:
        _require_whole_backbone(found)
    return found


def _require_whole_backbone(found: Start) -> None:
    # Counters of batches change no output.
    random = [
        name
        for name in found.fresh
        if name.startswith("features.") and not name.endswith("num_batches_tracked")
    ]
    if random:
        raise UsageError(
            f"{len(random)} tensors of the backbone that is to be frozen would stay random",
            why=f"{found.asked} holds no {', '.join(random[:_SHOWN])}"
            + (" ..." if len(random) > _SHOWN else ""),
            hint="Name weights of this very architecture, or --set network.trainable_layers=-1.",
        )


def _imagenet(architecture: str) -> tuple[str, Mapping[str, Tensor]]:
    if architecture not in BACKBONES:
        raise UsageError(
            f"There are no ImageNet weights of {architecture}",
            hint=f"torchvision has those of {', '.join(BACKBONES)}; or use {_OTHER_WAYS}.",
        )
    name = BACKBONES[architecture].weights
    try:
        # torchvision keeps the download and holds it against the hash in its name.
        weights = torchvision.models.get_weight(name)
        return name, weights.get_state_dict(progress=True, check_hash=True)
    except OSError as error:  # URLError is one
        raise UsageError(
            f"torchvision's weights {name} cannot be downloaded: this machine seems to be offline",
            why=str(error),
            hint=f"Connect it once (torchvision keeps the file), or use {_OTHER_WAYS}.",
        ) from error
    except RuntimeError as error:
        raise UsageError(
            f"torchvision's weights {name} were refused after the download",
            why=str(error),
            hint=f"Try again, or use {_OTHER_WAYS}.",
        ) from error


def _file_of(path: Path) -> Path:
    return path / "best.pt" if path.is_dir() else path


def read_state(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a state dict, a run folder or a bundle.

    Raises:
        UsageError: there is no such file, or it holds no state dict.
    """
    return _read(path)[0]


def modern_name(name: str) -> str:
    """A tensor's name in a dense network, as torchvision has it now."""
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
            warnings.simplefilter("ignore")  # deprecated, and the bundle's format
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
            "The file holds no state dict", path=file, hint="It needs names with tensors."
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


def _take_over(network: Network, state: Mapping[str, Tensor], asked: str, used: str) -> Start:
    wanted = {k: v for k, v in network.state_dict().items() if not _is_head(k)}
    taken: dict[str, Tensor] = {}
    adapted, left_out, other_shape = [], [], []
    for name, tensor in state.items():
        place = _place(name, wanted)
        if place is None:
            left_out.append(name)
        elif tensor.shape == wanted[place].shape:
            taken[place] = tensor
        elif (change := _channel_change(tensor, wanted[place])) is not None:
            taken[place] = change(tensor)
            adapted.append(place)
        else:
            shapes = f"{tuple(tensor.shape)} for {tuple(wanted[place].shape)}"
            other_shape.append(f"{place} {shapes}")
    if not any(v.ndim > 1 for v in taken.values()):
        raise UsageError(
            f"Nothing in {asked} fits this architecture",
            why="; ".join(other_shape[:3]) or f"it holds {', '.join(list(state)[:3])} ...",
            hint="Choose the architecture that these weights were made for: --architecture NAME.",
        )
    network.load_state_dict(taken, strict=False)
    return Start(
        asked=asked,
        used=used,
        matched=len(taken),
        adapted=tuple(adapted),
        left_out=tuple(left_out),
        other_shape=tuple(other_shape),
        fresh=tuple(k for k in network.state_dict() if k not in taken),
    )


def _is_head(name: str) -> bool:
    return name.startswith(("head.", "auxiliary.fc."))


def _place(name: str, wanted: Mapping[str, Tensor]) -> str | None:
    """The network's name of a tensor of the file; None where it has none."""
    plain = modern_name(_STRIPPED.sub("", name))
    plain = plain.replace("AuxLogits.", "auxiliary.")
    candidates = [prefix + plain for prefix in _PREFIXES]
    candidates += ["features." + plain.removeprefix(prefix) for prefix in _PREFIXES[1:]]
    return next((name for name in candidates if name in wanted), None)


def _channel_change(tensor: Tensor, wanted: Tensor) -> Callable[[Tensor], Tensor] | None:
    """How a first convolution's kernel is made to take another number of channels."""
    if tensor.ndim != 4 or wanted.ndim != 4:
        return None
    (outputs, given, *kernel), (same, asked, *other) = tensor.shape, wanted.shape
    if (outputs, kernel) != (same, other):
        return None
    if (given, asked) == (3, 1):  # grey in all three channels, in one step
        return lambda w: w.sum(dim=1, keepdim=True)
    if (given, asked) == (1, 3):
        return lambda w: w.expand(-1, 3, -1, -1) / 3
    return None
