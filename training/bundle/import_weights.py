"""`import`: a bundle from the published weights of a well-known network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from xrayview.domain.model import (
    Activation,
    Finding,
    ModelCard,
    OperatingPoint,
    PreprocessSpec,
    Task,
)
from xrayview.errors import UsageError
from xrayview.io.model.bundle import sha256_of

_WRAPPED = re.compile(r"^((module|model|_orig_mod|net|backbone|densenet121|resnet\d+)\.)+")
_SHOWN = 4
_THRESHOLDS = "op_threshs"
"""TorchXRayVision's tensor of thresholds on the sigmoid, one per output."""
_LIMITS = (
    "Imported from a state dict and not evaluated on any film. Scores are not calibrated; where a "
    "finding has no operating point, 0.5 was not chosen as one. Grey values are scaled to 0..1 by "
    "the app's percentile window, which may differ from how the network's training films were read."
)


@dataclass(frozen=True)
class ImportOptions:
    """What a state dict does not contain."""

    architecture: str
    findings: tuple[str, ...]
    """In the order of the outputs; a leading `-` marks a normal finding."""
    activation: Activation
    input: str
    """A key of INPUTS."""
    size: int
    fit: str
    name: str


def import_state(file: Path, options: ImportOptions, out: Path, say: Say) -> Path:
    """Write the bundle of a state dict.

    Raises:
        UsageError: the file is not a state dict of this architecture, its outputs or input
            channels do not match the options, or `out` exists.
        ModelError: the bundle differs from the network.
    """
    if out.exists():
        raise UsageError(f"{out} already exists", hint="Choose another file with --out.")
    tensors = _rename_tensors(read_state(file), options.architecture)
    thresholds = tensors.pop(_THRESHOLDS, None)
    points = _operating_points(thresholds, options)
    if thresholds is not None:
        say(f"{len(points)} of {len(options.findings)} operating points from {_THRESHOLDS}")
    network = _load_network(tensors, options, file, say)
    channels = next(v for v in tensors.values() if v.ndim == 4).shape[1]
    out.parent.mkdir(parents=True, exist_ok=True)
    card = _card(file, options, channels, network.stride)
    export(network, replace(card, operating_points=points), out)
    say(f"bundle {out}")
    return out


def _rename_tensors(state: Mapping[str, Tensor], architecture: str) -> dict[str, Tensor]:
    """Give the tensors the names that our network uses."""
    head = re.compile(rf"{HEADS[architecture]}\.(weight|bias)")
    tensors = {}
    for name, tensor in state.items():
        plain = modern_name(_WRAPPED.sub("", name))
        if plain == _THRESHOLDS:
            tensors[plain] = tensor
        elif last := head.fullmatch(plain):
            tensors[f"head.3.{last[last.lastindex or 1]}"] = tensor
        else:
            tensors[plain if plain.startswith("features.") else f"features.{plain}"] = tensor
    return tensors


def _operating_points(
    thresholds_K: Tensor | None, options: ImportOptions
) -> tuple[OperatingPoint, ...]:
    """The operating points of TorchXRayVision's `op_threshs`; outputs without one have NaN."""
    if thresholds_K is None or options.activation != "sigmoid":
        return ()
    thresholds = thresholds_K.detach().flatten().double().tolist()
    if len(thresholds) != len(options.findings):
        return ()
    return tuple(
        OperatingPoint(
            finding.removeprefix("-"),
            "torchxrayvision",
            threshold,
            "by TorchXRayVision on its validation films; from op_threshs of the imported file",
        )
        for finding, threshold in zip(options.findings, thresholds, strict=True)
        if 0 < threshold < 1  # NaN is neither
    )


def _load_network(
    tensors: Mapping[str, Tensor], options: ImportOptions, file: Path, say: Say
) -> Network:
    convolution = next((v for v in tensors.values() if v.ndim == 4), None)
    channels = convolution.shape[1] if convolution is not None else 3
    config = NetworkConfig(architecture=options.architecture, head=(), dropout=0.0)
    network = networks.build(config, channels, len(options.findings), seed=0)
    expected = network.state_dict()
    missing = [n for n in expected if n not in tensors and not n.endswith("num_batches_tracked")]
    other = [n for n in expected if n in tensors and tensors[n].shape != expected[n].shape]
    if any(name.startswith("head.") for name in other):
        outputs = tensors["head.3.bias"].numel()
        raise UsageError(
            f"{len(options.findings)} findings are named, but the file has {outputs} outputs",
            path=file,
            hint="Name each output with --finding, in their order.",
        )
    if missing or other:
        raise UsageError(
            f"The file is not a complete {options.architecture}",
            path=file,
            why=f"{len(missing)} tensors are missing, {len(other)} have another shape: "
            + ", ".join([*missing, *other][:_SHOWN]),
            hint=f"Name its architecture with --architecture: {', '.join(HEADS)}.",
        )
    network.load_state_dict({n: tensors[n] for n in expected if n in tensors}, strict=False)
    left_out = [name for name in tensors if name not in expected]
    say(f"{len(expected)} tensors loaded; left out: {', '.join(left_out) or 'none'}")
    return network.eval()


def _card(file: Path, options: ImportOptions, channels: int, stride: int) -> ModelCard:
    if channels not in INPUTS[options.input]:
        raise UsageError(
            f"The network takes {channels} channels, which --input {options.input} does not have",
            path=file,
            hint="Choose another --input: "
            + ", ".join(name for name, known in INPUTS.items() if channels in known),
        )
    mean, std = INPUTS[options.input][channels]
    several: Task = "multiclass" if options.activation == "softmax" else "multilabel"
    return ModelCard(
        schema=1,
        name=options.name,
        version="1.0.0",
        task=several if len(options.findings) > 1 else "binary",
        activation=options.activation,
        findings=tuple(
            Finding(name.removeprefix("-"), "", abnormal=not name.startswith("-"))
            for name in options.findings
        ),
        preprocessing=PreprocessSpec(
            size=(options.size, options.size),
            channels=channels,  # type: ignore[arg-type]
            fit=options.fit,  # type: ignore[arg-type]
            mean=mean,
            std=std,
        ),
        description=f"{options.architecture}, imported from {file.name}.",
        intended_use="Research and teaching. Not for diagnosis, triage or any care of a patient.",
        limitations=_LIMITS,
        created_utc=now_utc(),
        explain={"method": "grad-cam", "stride": stride},
        training={
            "architecture": options.architecture,
            "initial_weights": f"imported whole from {file.name} (sha256 {sha256_of(file)})",
            "command": command_line(),
        },
    )
