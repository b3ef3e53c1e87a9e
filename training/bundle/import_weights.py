"""`import`: a state dict of a well-known network from elsewhere becomes a bundle."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from training.bundle.export import export
from training.bundle.import_formats import HEADS, INPUTS
from training.config import NetworkConfig
from training.data.films import Say
from training.networks import build as networks
from training.networks.build import Network
from training.networks.initial_weights import modern_name, read_state
from training.runs import command_line, now_utc
from xrayview.domain.model import Activation, Finding, ModelCard, PreprocessSpec, Task
from xrayview.errors import UsageError
from xrayview.io.model.bundle import sha256_of

_WRAPPED = re.compile(r"^((module|model|_orig_mod|net|backbone|densenet121|resnet\d+)\.)+")
_SHOWN = 4
_LIMITS = (
    "Imported from a state dict, and not measured on any film here. Scores are not calibrated and "
    "0.5 is no chosen operating point. Grey values are brought to 0..1 by the app's percentile "
    "window, which may not be how the network's training films were read."
)


@dataclass(frozen=True)
class ImportOptions:
    """What a state dict does not say of itself."""

    architecture: str
    findings: tuple[str, ...]
    """In the order of the outputs; one that starts with `-` is a normal one."""
    activation: Activation
    input: str
    """A name of INPUTS."""
    size: int
    fit: str
    name: str


def import_state(file: Path, wishes: ImportOptions, out: Path, say: Say) -> Path:
    """Write the bundle of a state dict.

    Raises:
        UsageError: the file is no state dict of this architecture, the findings are not as many
            as its outputs, it takes other channels than the named input has, or `out` is there.
        ModelError: the bundle differs from the network.
    """
    if out.exists():
        raise UsageError(f"{out} is already there", hint="Name another file with --out.")
    found = _named(read_state(file), wishes.architecture)
    network = _filled(found, wishes, file, say)
    channels = next(v for v in found.values() if v.ndim == 4).shape[1]
    out.parent.mkdir(parents=True, exist_ok=True)
    export(network, _card(file, wishes, channels, network.stride), out)
    say(f"bundle {out}")
    return out


def _named(state: Mapping[str, Tensor], architecture: str) -> dict[str, Tensor]:
    """The tensors under our network's names."""
    head = re.compile(rf"{HEADS[architecture]}\.(weight|bias)")
    found = {}
    for name, tensor in state.items():
        plain = modern_name(_WRAPPED.sub("", name))
        if last := head.fullmatch(plain):
            found[f"head.3.{last[last.lastindex or 1]}"] = tensor
        else:
            found[plain if plain.startswith("features.") else f"features.{plain}"] = tensor
    return found


def _filled(found: Mapping[str, Tensor], wishes: ImportOptions, file: Path, say: Say) -> Network:
    convolution = next((v for v in found.values() if v.ndim == 4), None)
    channels = convolution.shape[1] if convolution is not None else 3
    config = NetworkConfig(architecture=wishes.architecture, head=(), dropout=0.0)
    network = networks.build(config, channels, len(wishes.findings), seed=0)
    wanted = network.state_dict()
    missing = [n for n in wanted if n not in found and not n.endswith("num_batches_tracked")]
    other = [n for n in wanted if n in found and found[n].shape != wanted[n].shape]
    if any(name.startswith("head.") for name in other):
        outputs = found["head.3.bias"].numel()
        raise UsageError(
            f"{len(wishes.findings)} findings are named, the file has {outputs} outputs",
            path=file,
            hint="Name each with --finding, in the order of the outputs.",
        )
    if missing or other:
        raise UsageError(
            f"The file is not a whole {wishes.architecture}",
            path=file,
            why=f"{len(missing)} tensors are missing, {len(other)} have another shape: "
            + ", ".join([*missing, *other][:_SHOWN]),
            hint=f"Name its --architecture: {', '.join(HEADS)}.",
        )
    network.load_state_dict({n: found[n] for n in wanted if n in found}, strict=False)
    left_out = [name for name in found if name not in wanted]
    say(f"{len(wanted)} tensors taken over; left out: {', '.join(left_out) or 'none'}")
    return network.eval()


def _card(file: Path, wishes: ImportOptions, channels: int, stride: int) -> ModelCard:
    if channels not in INPUTS[wishes.input]:
        raise UsageError(
            f"The network takes {channels} channels, which input {wishes.input} has not",
            path=file,
            hint="Choose another --input: "
            + ", ".join(name for name, known in INPUTS.items() if channels in known),
        )
    mean, std = INPUTS[wishes.input][channels]
    several: Task = "multiclass" if wishes.activation == "softmax" else "multilabel"
    return ModelCard(
        schema=1,
        name=wishes.name,
        version="1.0.0",
        task=several if len(wishes.findings) > 1 else "binary",
        activation=wishes.activation,
        findings=tuple(
            Finding(name.removeprefix("-"), "", abnormal=not name.startswith("-"))
            for name in wishes.findings
        ),
        preprocessing=PreprocessSpec(
            size=(wishes.size, wishes.size),
            channels=channels,  # type: ignore[arg-type]
            fit=wishes.fit,  # type: ignore[arg-type]
            mean=mean,
            std=std,
        ),
        description=f"{wishes.architecture} of elsewhere, from {file.name}.",
        intended_use="Research and teaching. Not for diagnosis, triage or any care of a patient.",
        limitations=_LIMITS,
        created_utc=now_utc(),
        explain={"method": "grad-cam", "stride": stride},
        training={
            "architecture": wishes.architecture,
            "initial_weights": f"imported whole from {file.name} (sha256 {sha256_of(file)})",
            "command": command_line(),
        },
    )
