"""The training config: nested, typed, frozen, and refused early with the fix named."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from training.typed import coerce, replace_fields
from xrayview.domain.model import Activation, PreprocessSpec, Scope, Task
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
    """Name of a binary target's other finding, such as Normal. With sigmoid it shares the one
    logit; with softmax it has its own, the second."""

    @property
    def outputs(self) -> int:
        """How many logits the network gives."""
        both = self.task == "binary" and self.activation == "softmax"
        return 2 if both else len(self.findings)


@dataclass(frozen=True)
class ColumnsConfig:
    """What a table of films calls its columns; a film's cells are empty where one is missing."""

    path: str = "path"
    label: str = "label"
    """Labels joined by `|`."""
    findings: tuple[str, ...] = ()
    """In place of `label`, one column per finding: 1, 0, or empty or -1 for not known."""
    patient: str = "patient_id"
    split: str = "split"
    source: str = "dataset"
    sex: str = "sex"
    age: str = "age"
    view: str = "view"


@dataclass(frozen=True)
class DataConfig:
    """Which films, and how they are divided. Official splits are kept."""

    dataset: str = ""
    """The sources of the table whose films are used, joined by `|`; empty for all. Films of
    which the data names no source are used too."""
    reader: Literal["auto", "labels", "nih", "predictions", "table", "folders"] = "auto"
    """How the folder says what its films are; `auto` takes the first that fits, in this order."""
    table: str = ""
    """A CSV, below the data folder or anywhere; empty for the reader's usual name."""
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    patient_pattern: str = ""
    """Finds a patient's id in the file's name where the data has none, such as `person[0-9]+`."""
    train_splits: tuple[str, ...] = ("train",)
    """A film of which the data names no split belongs here too."""
    validation_splits: tuple[str, ...] = ()
    """Official validation films; of a source with fewer than `fewest_validation`,
    `validation_fraction` is cut, and those few are trained on."""
    fewest_validation: int = 50
    test_splits: tuple[str, ...] = ("test",)
    validation_fraction: float = 0.1
    """Share of the training *patients*, chosen by a hash of the patient's id."""
    test_fraction: float = 0.2
    """The same for test films, cut from a source that names no film of `test_splits`."""
    split_salt: str = "xrayview"
    lung_masks: str = ""
    """A folder, below the data folder or anywhere: `STEM.png` for the film `STEM.*`, lungs
    bright. `augment.surroundings` and `augment.placement` need it."""
    leaks: Literal["refuse", "allow"] = "refuse"
    near_duplicate_bits: int = 8
    """Films in different splits whose 256-bit picture hashes differ in no more bits are a leak;
    -1 does not look. Different children's films of one view begin to meet at about 15."""
    balance: Literal["none", "fewest"] = "none"
    """`fewest`: of each class as many training and validation films as the rarest has."""
    films_per_class: int = 0
    """At most so many training films of each class; 0 for all."""
    sampling: Literal["films", "classes"] = "films"
    """`classes`: an epoch draws each class as often as any other, films with replacement."""


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
    brightness: float = 0.0
    """Grey is multiplied by a factor in 1 - brightness .. 1 + brightness."""
    mirrored: float = 0.0
    """Probability that a moved film goes on mirrored beyond its edges; black otherwise, as a
    collimator leaves it. Films that are judged have no edges from being moved: a model that met
    black ones with every film scores films without them differently."""
    tone: float = 0.0
    """Probability that grey values go some way to those of another film, before all else."""
    sharpness: float = 0.0
    """The same for the fall of the spectrum: another film's processing and resampling."""
    placement: float = 0.0
    """Probability that the lungs are laid where another film's lie: how large and how high they
    stand in a film is positioning, collimation and, in squashed copies, the original's shape."""
    surroundings: float = 0.0
    """Probability that what lies around the lungs is another film's, before the rest. Not
    physics: it takes away what tells the label without the lungs."""

    @property
    def needs_lung_masks(self) -> bool:
        """Where the lungs are has to be known."""
        return bool(self.surroundings or self.placement)

    @property
    def is_identity(self) -> bool:
        """Films stay as they are; how wide a strip or what an edge would be says nothing."""
        ranges = {**dataclasses.asdict(self), "collimate_width": 0, "mirrored": 0}
        return not any(ranges.values())


@dataclass(frozen=True)
class NetworkConfig:
    """The architecture, where its weights start, and which of them learn.

    `stem` to `strides` shape `residual` alone; `head` to `head_dropout` those of torchvision.
    """

    architecture: str = "residual"
    stem: int = 16
    widths: tuple[int, ...] = (24, 48, 96, 208)
    depths: tuple[int, ...] = (2, 2, 2, 1)
    strides: tuple[int, ...] = (2, 2, 2, 1)
    dropout: float = 0.2
    """Before the last layer."""
    head: tuple[int, ...] = ()
    """Widths of hidden layers after the global average pooling."""
    head_norm: bool = False
    """Batch normalisation of the pooled features."""
    auxiliary: bool = True
    """Train inception_v3 with its auxiliary head; it needs inputs of 299 pixels."""
    initial_weights: str = "none"
    """`imagenet` (torchvision's, downloaded), `none`, or a file: a state dict, a run, a bundle."""
    trainable_layers: int = -1
    """How many layers at the end of the backbone learn besides the head; -1 for all. A layer is
    a module without children: a convolution, a norm, an activation."""
    unfreeze_every: int = 0
    """Epochs after which `unfreeze_layers` more layers learn; 0 for never."""
    unfreeze_layers: int = 0

    @property
    def freezes(self) -> bool:
        """A part of the backbone stands still, at least at first."""
        return self.trainable_layers >= 0


@dataclass(frozen=True)
class OptimConfig:
    """Loss, optimiser and schedule."""

    epochs: int = 24
    batch: int = 32
    optimizer: Literal["adamw", "adam", "adamax"] = "adamw"
    schedule: Literal["one-cycle", "plateau", "constant"] = "one-cycle"
    rate: float = 2e-3
    """The highest rate of the schedule."""
    plateau_factor: float = 0.3
    """What the rate is multiplied by when validation's loss has not fallen for a while."""
    plateau_patience: int = 2
    """Epochs without a lower loss before that."""
    weight_decay: float = 0.05
    """Decoupled with adamw; with adam and adamax an L2 term of the gradient."""
    head_l2: float = 0.0
    """Times the sum of the squared weights of the head's hidden layers; adam and adamax only."""
    warm_up: float = 0.15
    """Share of all steps during which the rate rises."""
    label_smoothing: float = 0.05
    balance: bool = True
    """Weigh the loss so that presence and absence, or all classes, count alike: scores mean
    equal odds."""
    clip_norm: float = 5.0
    ema_decay: float = 0.995
    """Per step, of the averaged copy of the weights; 0 for none."""


ValidationMetric = Literal["loss", "auc", "accuracy", "recall"]
"""What validation says of an epoch."""


@dataclass(frozen=True)
class StoppingConfig:
    """When training ends, and which epoch's weights are kept; on validation only."""

    monitor: ValidationMetric = "loss"
    also: tuple[ValidationMetric, ...] = ()
    """Further figures whose best epoch is kept, as `best-FIGURE.pt`: what a run of its own with
    that monitor would have kept. Training goes on while any of them may still improve."""
    weights: Literal["averaged", "either"] = "averaged"
    """Which weights may be kept. A single epoch's can win on validation by luck; the running
    average rarely does. Without `optim.ema_decay` there is no average, and this says nothing."""
    patience: int = 12
    """Epochs without a better one. Long: the one-cycle schedule gains most at its end."""

    @property
    def monitored_metrics(self) -> tuple[ValidationMetric, ...]:
        """All figures whose best epoch is kept; `monitor` first."""
        return tuple(dict.fromkeys((self.monitor, *self.also)))


@dataclass(frozen=True)
class EvaluationConfig:
    """How films are judged after training, in the app as well."""

    flip_average: bool = True
    batch: int = 64
    high_sensitivity: float = 0.99
    """Sensitivity on validation that an operating point is chosen for."""
    high_specificity: float = 0.99
    """Specificity on validation that an operating point is chosen for."""
    fixed_points: tuple[float, ...] = ()
    """Scores that are operating points by convention, beside 0.5."""
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
    scope: Scope = field(default_factory=Scope)
    """The films that the model is for: the app doubts others."""


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
    yield from _data_problems(config.data)
    if config.augment.needs_lung_masks and not config.data.lung_masks:
        yield (
            "augment.surroundings or augment.placement is set without data.lung_masks",
            "Name the folder of lung masks, or set both to 0.",
        )
    yield from _target_problems(config.target)
    yield from _network_problems(config.network, min(config.preprocessing.size))
    yield from _optim_problems(config.optim)
    for score in config.evaluation.fixed_points:
        if not 0 < score < 1:
            yield f"evaluation.fixed_points has {score}", "A score is between 0 and 1."


def _data_problems(data: DataConfig) -> Iterator[tuple[str, str]]:
    for name in ("validation_fraction", "test_fraction"):
        if not 0 < getattr(data, name) < 1:
            yield (
                f"data.{name} is {getattr(data, name)}",
                "Take a share between 0 and 1, such as 0.1.",
            )
    named = {
        "train_splits": data.train_splits,
        "validation_splits": data.validation_splits,
        "test_splits": data.test_splits,
    }
    for one, other in itertools.combinations(named, 2):
        if set(named[one]) & set(named[other]):
            yield f"data.{one} and data.{other} share a split", "Keep them apart."
    try:
        re.compile(data.patient_pattern)
    except re.error as error:
        yield f"data.patient_pattern: {error}", "Write a regular expression: person[0-9]+."


def _target_problems(target: TargetConfig) -> Iterator[tuple[str, str]]:
    if target.task == "binary" and len(target.findings) != 1:
        yield "a binary target has other than one finding", "Use multilabel or multiclass."
    if target.complement and target.task != "binary":
        yield "target.complement is set for a target that is not binary", "Leave it empty."
    if target.task == "multiclass" and len(target.findings) < 2:
        yield "a multiclass target has less than two findings", "Normal is a finding too."
    if target.task == "multiclass" and target.negative_labels:
        yield (
            "target.negative_labels is set for a multiclass target",
            "Make it a finding that is not abnormal.",
        )
    if (target.task == "multiclass") != (target.activation == "softmax") and not target.complement:
        yield (
            f"a {target.task} target has the activation {target.activation}",
            "Multiclass takes softmax, multilabel sigmoid, a binary softmax target.complement.",
        )


def _network_problems(network: NetworkConfig, smallest_side: int) -> Iterator[tuple[str, str]]:
    if not len(network.widths) == len(network.depths) == len(network.strides):
        yield (
            "network.widths, depths and strides have different lengths",
            "Give one number per stage in each.",
        )
    if network.freezes and network.initial_weights == "none":
        yield (
            "the backbone is frozen over random weights (network.initial_weights is none)",
            "Name weights (imagenet or a file), or --set network.trainable_layers=-1.",
        )
    if network.architecture == "inception_v3" and network.auxiliary and smallest_side < 299:
        yield (
            f"inception_v3 has an auxiliary head, which {smallest_side} pixels are too few for",
            "Use --set preprocessing.size=299, or --set network.auxiliary=false.",
        )


def _optim_problems(optim: OptimConfig) -> Iterator[tuple[str, str]]:
    if optim.batch < 2:
        yield "optim.batch is below 2", "Batch normalisation needs at least 2 films."
    if optim.epochs < 1:
        yield "optim.epochs is below 1", "Take at least one epoch."
    if not 0 < optim.warm_up < 1:
        yield f"optim.warm_up is {optim.warm_up}", "Take a share between 0 and 1."
    if not 0 <= optim.ema_decay < 1:
        yield f"optim.ema_decay is {optim.ema_decay}", "Take 0 (none) or below 1, such as 0.995."
    if optim.head_l2 and optim.optimizer == "adamw":
        yield "optim.head_l2 is set with adamw", "Use --set optim.optimizer=adam, or weight_decay."


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
    changed: TrainingConfig = replace_fields(config, tree, "")
    return changed


def to_dict(config: TrainingConfig) -> dict[str, Any]:
    """Plain data, as stored in the run folder."""
    return dataclasses.asdict(config)


def from_dict(data: dict[str, Any]) -> TrainingConfig:
    """The config of a run folder.

    Raises:
        UsageError: a field is unknown, missing or of the wrong kind.
    """
    config: TrainingConfig = coerce(data, TrainingConfig, "config")
    return config


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
