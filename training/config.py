"""The training config: nested, typed, frozen, and refused early with the fix named."""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from xrayview.domain.model import Activation, PreprocessSpec, Task
from xrayview.errors import UsageError


@dataclass(frozen=True)
class FindingRule:
    """A finding and the labels of the data that mean it."""

    name: str
    labels: tuple[str, ...]
    description: str = ""
    abnormal: bool = True


@dataclass(frozen=True)
class TargetConfig:
    """What the model scores; a film counts as a finding when it carries one of its labels."""

    findings: tuple[FindingRule, ...]
    negative_labels: tuple[str, ...]
    """Labels that mean none of the findings; a film with any other label is left out."""
    task: Task = "binary"
    activation: Activation = "sigmoid"
    complement: str = ""
    """Name of a binary target's other finding, such as Normal; it shares the one logit."""


@dataclass(frozen=True)
class DataConfig:
    """Which films, and how they are divided. Official splits are kept."""

    dataset: str
    train_splits: tuple[str, ...] = ("train",)
    test_splits: tuple[str, ...] = ("test",)
    validation_fraction: float = 0.1
    """Share of the training *patients*, chosen by a hash of the patient's id."""
    split_salt: str = "xrayview"
    leaks: Literal["refuse", "allow"] = "refuse"


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of what can physically befall a film, drawn anew for each film and step."""

    rotate_deg: float = 7.0
    shift: float = 0.06
    """Share of the film's side."""
    zoom: float = 0.1
    """Natural logarithm, so that in and out are equally likely."""
    squeeze: float = 0.06
    """Height against width, natural logarithm: bodies differ, and so do stored aspects."""
    flip: float = 0.5
    """Probability of the mirror image. A modelling choice: situs inversus is no pneumonia."""
    gamma: float = 0.3
    """Natural logarithm of the exponent: tube voltage, film response."""
    noise: float = 0.03
    """Largest standard deviation of quantum noise, in grey of 0..1."""
    blur: float = 0.6
    """Share of a 3x3 binomial blur mixed in; negative draws sharpen."""
    collimate: float = 0.3
    """Probability that the collimator covers strips at the film's sides."""
    collimate_width: float = 0.1
    """Widest strip, as a share of the side."""


@dataclass(frozen=True)
class NetworkConfig:
    """The architecture and where its weights start."""

    architecture: str = "residual"
    stem: int = 16
    widths: tuple[int, ...] = (24, 48, 96, 208)
    depths: tuple[int, ...] = (2, 2, 2, 1)
    strides: tuple[int, ...] = (2, 2, 2, 1)
    dropout: float = 0.2
    initial_weights: Literal["none"] = "none"


@dataclass(frozen=True)
class OptimConfig:
    """Loss, optimiser and schedule."""

    epochs: int = 24
    batch: int = 32
    rate: float = 2e-3
    """The highest rate of the one-cycle schedule."""
    weight_decay: float = 0.05
    warm_up: float = 0.15
    """Share of all steps during which the rate rises."""
    label_smoothing: float = 0.05
    balance: bool = True
    """Weigh the loss so that presence and absence count alike: scores mean equal odds."""
    clip_norm: float = 5.0
    ema_decay: float = 0.995
    """Per step, of the averaged copy of the weights; 0 for none."""


@dataclass(frozen=True)
class StoppingConfig:
    """When training ends, and which epoch's weights are kept; on validation only."""

    monitor: Literal["loss", "auc"] = "loss"
    patience: int = 12
    """Epochs without a better one. Long: the one-cycle schedule gains most at its end."""


@dataclass(frozen=True)
class EvaluationConfig:
    """How films are judged after training, in the app as well."""

    flip_average: bool = True
    batch: int = 64
    high_sensitivity: float = 0.99
    """Sensitivity on validation that an operating point is chosen for."""
    high_specificity: float = 0.99
    """Specificity on validation that an operating point is chosen for."""
    bootstrap: int = 2000
    """Draws of patients behind every interval."""


@dataclass(frozen=True)
class RunConfig:
    """The machine's side of a run."""

    seed: int = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    devices: int = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    deterministic: bool = False


@dataclass(frozen=True)
class BundleConfig:
    """The words of the model card that only a person can write."""

    name: str
    version: str
    description: str
    intended_use: str
    limitations: str
    sources: tuple[str, ...] = ()
    licence: str = "Apache-2.0"
    authors: str = "The XrayView developers"


@dataclass(frozen=True)
class TrainingConfig:
    """All that a training run depends on, besides the films and the code."""

    recipe: str
    summary: str
    data: DataConfig
    target: TargetConfig
    preprocessing: PreprocessSpec
    bundle: BundleConfig
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    stopping: StoppingConfig = field(default_factory=StoppingConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        for problem, fix in _problems(self):
            raise UsageError(f"The config is refused: {problem}", hint=fix)


def _problems(config: TrainingConfig) -> Iterator[tuple[str, str]]:
    network, optim = config.network, config.optim
    if not len(network.widths) == len(network.depths) == len(network.strides):
        yield (
            "network.widths, depths and strides have different lengths",
            "Give one number per stage in each.",
        )
    if not 0 < config.data.validation_fraction < 1:
        yield (
            f"data.validation_fraction is {config.data.validation_fraction}",
            "Take a share between 0 and 1, such as 0.1.",
        )
    if optim.batch < 2:
        yield "optim.batch is below 2", "Batch normalisation needs at least 2 films."
    if optim.epochs < 1:
        yield "optim.epochs is below 1", "Take at least one epoch."
    if not 0 < optim.warm_up < 1:
        yield f"optim.warm_up is {optim.warm_up}", "Take a share between 0 and 1."
    if not 0 <= optim.ema_decay < 1:
        yield f"optim.ema_decay is {optim.ema_decay}", "Take 0 (none) or below 1, such as 0.995."
    if config.target.task == "binary" and len(config.target.findings) != 1:
        yield "a binary target has other than one finding", "Use multilabel or multiclass."
    if config.target.complement and config.target.task != "binary":
        yield "target.complement is set for a target that is not binary", "Leave it empty."
    if config.target.task == "multiclass":
        yield "multiclass targets are not built yet", "Use binary or multilabel."
    if set(config.data.train_splits) & set(config.data.test_splits):
        yield "data.train_splits and data.test_splits share a split", "Keep them apart."


def with_overrides(config: TrainingConfig, overrides: Sequence[str]) -> TrainingConfig:
    """Apply `section.field=value` settings, all checked together at the end.

    A value is JSON or plain text (`rate=1e-3`, `size=[160,160]`, `monitor=auc`); a single number
    for a pair of numbers means both.

    Raises:
        UsageError: an unknown field (the nearest is named) or a value of the wrong kind.
    """
    tree: dict[str, Any] = {}
    for text in overrides:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text} has no '='", hint="Write section.field=value.")
        *sections, last = name.strip().split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[last] = _parsed(value)
    changed: TrainingConfig = _replaced(config, tree, "")
    return changed


def to_dict(config: TrainingConfig) -> dict[str, Any]:
    """Plain data, as stored in the run folder."""
    return dataclasses.asdict(config)


def from_dict(data: dict[str, Any]) -> TrainingConfig:
    """The config of a run folder.

    Raises:
        UsageError: a field is unknown, missing or of the wrong kind.
    """
    config: TrainingConfig = _typed(data, TrainingConfig, "config")
    return config


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _replaced(record: Any, tree: dict[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(type(record))
    changes = {}
    for name, value in tree.items():
        if name not in hints:
            near = difflib.get_close_matches(name, hints, n=1)
            known = f"Did you mean {where}{near[0]}?" if near else f"Known: {', '.join(hints)}."
            raise UsageError(f"There is no setting {where}{name}", hint=known)
        current = getattr(record, name)
        if dataclasses.is_dataclass(current) and isinstance(value, dict):
            changes[name] = _replaced(current, value, f"{where}{name}.")
        else:
            changes[name] = _typed(value, hints[name], where + name)
    return dataclasses.replace(record, **changes)


def _typed(value: Any, kind: Any, where: str) -> Any:
    """Plain data as the annotated type; a refusal names the place and the type."""
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise _wrong(value, kind.__name__, where)
        hints = typing.get_type_hints(kind)
        unknown = set(value) - set(hints)
        if unknown:
            raise UsageError(f"There is no setting {where}.{min(unknown)}", hint="Remove it.")
        return kind(**{k: _typed(v, hints[k], f"{where}.{k}") for k, v in value.items()})
    if origin is tuple:
        return _typed_tuple(value, typing.get_args(kind), where)
    if origin is Literal:
        if value not in typing.get_args(kind):
            choices = ", ".join(map(str, typing.get_args(kind)))
            raise UsageError(f"{where} is {value!r}", hint=f"Choose one of: {choices}.")
        return value
    if origin in (typing.Union, types.UnionType):
        raise TypeError(f"{where}: unions are not settings")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if type(value) is not kind:
        raise _wrong(value, kind.__name__, where)
    return value


def _typed_tuple(value: Any, items: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    variable = len(items) == 2 and items[1] is Ellipsis
    if not isinstance(value, list | tuple):
        value = [value] * (1 if variable else len(items))
    kinds = [items[0]] * len(value) if variable else list(items)
    if len(kinds) != len(value):
        raise UsageError(f"{where} has {len(value)} values", hint=f"Give {len(kinds)}.")
    return tuple(
        _typed(v, k, f"{where}[{i}]") for i, (v, k) in enumerate(zip(value, kinds, strict=True))
    )


def _wrong(value: Any, kind: str, where: str) -> UsageError:
    return UsageError(f"{where} is {value!r}", hint=f"It must be of type {kind}.")
