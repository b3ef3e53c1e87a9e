"""The training config: nested, typed and frozen; invalid settings are refused with the fix."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from training.ranges import out_of_range
from training.typed import coerce, replace_fields
from xrayview.domain.model import Activation, PreprocessSpec, Scope, Task
from xrayview.errors import UsageError


@dataclass(frozen=True)
class FindingRule:
    """A finding and the labels of the data that stand for it."""

    name: str
    labels: tuple[str, ...]
    description: str = ""
    abnormal: bool = True


@dataclass(frozen=True)
class TargetConfig:
    """What the model scores; a film has a finding if it has one of its labels."""

    findings: tuple[FindingRule, ...]
    negative_labels: tuple[str, ...]
    """Labels that stand for no finding; see `other_labels` for labels that are not known."""
    task: Task = "binary"
    activation: Activation = "sigmoid"
    other_labels: Literal["leave_out", "ignore"] = "leave_out"
    """What to do with a film that has a label which the target does not know. `ignore` is for
    sources that name every finding they see: the target's findings are then absent unless named."""
    complement: str = ""
    """Name of the complement of a binary finding, such as Normal. With sigmoid both share one
    logit; with softmax the complement has the second."""

    @property
    def outputs(self) -> int:
        """Number of logits of the network."""
        both = self.task == "binary" and self.activation == "softmax"
        return 2 if both else len(self.findings)


CellPolicy = Literal["ignore", "zeros", "ones"]


@dataclass(frozen=True)
class ColumnsConfig:
    """Names of the columns in a table of films.

    A missing column has empty values, but one that is named otherwise than here must exist.
    """

    path: str = "path"
    """Or a template of several columns: `files/p{subject_id:.2}/p{subject_id}/{dicom_id}.jpg`."""
    label: str = "label"
    """Labels joined by `data.label_separator`, or a list such as `['nodule', 'normal']`."""
    findings: tuple[str, ...] = ()
    """Instead of `label`, one column per finding: 1, 0, empty (not mentioned) or -1 (uncertain).
    A column such as `No Finding` that is 1 makes the others 0, except `Support Devices`."""
    patient: str = "patient_id"
    split: str = "split"
    source: str = "dataset"
    sex: str = "sex"
    age: str = "age"
    view: str = "view"


@dataclass(frozen=True)
class DataConfig:
    """Which films are used, and how they are split. Official splits are kept."""

    dataset: str = ""
    """Sources of the table whose films are used, joined by `|`; empty for all. Films without a
    source are used too."""
    reader: Literal[
        "auto", "labels", "predictions", "nih", "chexpert", "mimic", "padchest", "vindr", "rsna",
        "siim", "jsrt", "nlm-tb", "covidx", "tbx11k", "table", "covid-radiography", "kermany",
        "pattern", "folders",
    ] = "auto"  # fmt: skip
    """How the folder describes its films; `auto` takes the first that fits, in this order."""
    blank: CellPolicy = "ignore"
    """Meaning of empty cells in columns of findings: the finding is unknown (`ignore`), absent
    (`zeros`) or present (`ones`)."""
    uncertain: CellPolicy = "ignore"
    """The same for -1, the mark of an uncertain finding."""
    uncertain_of: tuple[str, ...] = ()
    """Other policies for single findings: `Edema=ones`, `Atelectasis=zeros`."""
    votes: Literal["none", "any", "majority", "all"] = "none"
    """How several rows of one film with different labels are merged: a finding is present if any
    row, more than half of the rows that know it, or all rows have it. With `none` they are a
    conflict; equal rows always count once."""
    conflicts: Literal["refuse", "leave_out"] = "refuse"
    """What to do with films that contradict each other: rows of one film with other labels,
    patients or splits, the same pixels with other labels, `No Finding` beside a finding."""
    lateral: Literal["leave_out", "use"] = "leave_out"
    """Lateral films, by the view of the table or the header, or else by the file's name."""
    most_left_out: float = 0.1
    """Training stops if a larger share of the films is left out without being asked for: unknown
    labels or splits, conflicts, files that cannot be read."""
    empty_findings: Literal["refuse", "allow"] = "refuse"
    """What to do if no training film, or every training film, has a finding."""
    table: str = ""
    """A CSV, relative to the data folder or absolute; empty for the reader's default name."""
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    join: tuple[str, ...] = ()
    """Further tables, found like `table`, whose columns are added to the rows of `table` with the
    same values in `join_on`."""
    join_on: tuple[str, ...] = ()
    """Columns that the tables have in common; empty for all that both have."""
    rows: tuple[str, ...] = ()
    """Conditions that a row must fulfil: `view in PA,AP`, `MethodLabel = Physician`,
    `Support Devices != 1`, `age >= 18`, `label not in exclude,suboptimal study`."""
    label_separator: str = "|"
    """What separates several labels in one cell."""
    label_pattern: str = ""
    """Regular expression for the label in the path, such as `_([01])[.]png$`, instead of a column
    or class folders. Its first group is the label, or else the whole match."""
    patient_pattern: str = ""
    """Regular expression for the patient id in the path, if the table has no id, such as
    `person[0-9]+` or `patient([0-9]+)/`. It comes before the id in a DICOM header."""
    train_splits: tuple[str, ...] = ("train",)
    """Official training splits; films without a split are training films too. Case does not
    matter in the names of splits, and `training`, `valid` or `testing` are understood."""
    validation_splits: tuple[str, ...] = ()
    """Official validation splits; in a source that `dataset` does not name, `val` always is one. If
    a source has too few such films, they are used for training and `validation_fraction` is split
    off instead."""
    fewest_validation: int = 50
    """Fewest official validation films of a source that are enough; so are as many as
    `validation_fraction` would split off."""
    test_splits: tuple[str, ...] = ("test",)
    """Official test splits."""
    validation_fraction: float = 0.1
    """Share of the training *patients*, chosen by a hash of the patient's id."""
    test_fraction: float = 0.2
    """The same for test films, of sources without official test films."""
    split_salt: str = "xrayview"
    """Part of the hash: another salt gives another split."""
    lung_masks: str = ""
    """Folder, relative to the data folder or absolute: `STEM.png` for the film `STEM.*`, lungs
    bright. Required by `augment.surroundings` and `augment.placement`."""
    leaks: Literal["refuse", "allow"] = "refuse"
    """What to do if a patient or a picture is in two splits; `allow` counts them in the card."""
    near_duplicate_bits: int = 8
    """Films in different splits are a leak if their 256-bit perceptual hashes differ in at most
    this many bits; -1 turns the check off. Films of different children start to match at about
    15."""
    balance: Literal["none", "fewest"] = "none"
    """`fewest`: use as many training and validation films of each class as the rarest has."""
    films_per_class: int = 0
    """Most training films of each class; 0 for all."""
    sampling: Literal["films", "classes"] = "films"
    """`classes`: an epoch draws all classes equally often, films with replacement."""


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the augmentation; values are drawn for each film in each step."""

    rotate_deg: float = 7.0
    """Largest rotation, either way."""
    shift: float = 0.06
    """Largest shift, as a share of the film's side."""
    zoom: float = 0.1
    """Natural logarithm, so that zooming in and out are equally likely."""
    squeeze: float = 0.06
    """Change of height by width, natural logarithm: bodies differ, and so do stored aspects."""
    flip: float = 0.5
    """Probability of the mirror image. A modelling choice: situs inversus is not pneumonia."""
    gamma: float = 0.3
    """Natural logarithm of the exponent: tube voltage, film response."""
    noise: float = 0.03
    """Largest standard deviation of quantum noise, in grey of 0..1."""
    blur: float = 0.6
    """Share of a 3x3 binomial blur that is mixed in; negative values sharpen."""
    collimate: float = 0.3
    """Probability that the collimator covers strips at the film's sides."""
    collimate_width: float = 0.1
    """Widest strip, as a share of the side."""
    brightness: float = 0.0
    """Grey is multiplied by a factor in 1 - brightness .. 1 + brightness."""
    mirrored: float = 0.0
    """Probability that a moved film is continued by its mirror image beyond its edges; otherwise
    it is black there, as behind a collimator. Films in use are not moved: a model that only saw
    films with black edges scores films without them differently."""
    tone: float = 0.0
    """Probability of tone transfer: grey values move towards those of another film."""
    sharpness: float = 0.0
    """Probability of sharpness transfer: the spectrum moves towards that of another film."""
    placement: float = 0.0
    """Probability that the lungs are moved to where another film's lungs are. Their size and
    height depend on positioning, collimation and, in squashed copies, on the original's shape."""
    surroundings: float = 0.0
    """Probability that everything around the lungs is replaced by another film, so that the label
    cannot be read from there."""

    @classmethod
    def none(cls) -> AugmentConfig:
        """Return the config without any augmentation."""
        return cls(**{field.name: 0.0 for field in dataclasses.fields(cls)})

    @property
    def needs_lung_masks(self) -> bool:
        """Whether the augmentation uses lung masks."""
        return bool(self.surroundings or self.placement)

    @property
    def is_identity(self) -> bool:
        """Whether films do not change, whatever the width of a strip or the kind of edge."""
        ranges = {**dataclasses.asdict(self), "collimate_width": 0, "mirrored": 0}
        return not any(ranges.values())


@dataclass(frozen=True)
class NetworkConfig:
    """The architecture, its initial weights, and which layers learn.

    `stem` to `strides` apply to `residual` only; `head` and `head_norm` to torchvision's networks.
    """

    architecture: str = "residual"
    stem: int = 16
    """Channels of the first convolution."""
    widths: tuple[int, ...] = (24, 48, 96, 208)
    """Channels of each stage."""
    depths: tuple[int, ...] = (2, 2, 2, 1)
    """Blocks of each stage."""
    strides: tuple[int, ...] = (2, 2, 2, 1)
    """Stride of each stage."""
    dropout: float = 0.2
    """Dropout before the last layer."""
    head: tuple[int, ...] = ()
    """Widths of hidden layers after the global average pooling."""
    head_norm: bool = False
    """Batch normalisation after the global average pooling."""
    auxiliary: bool = True
    """Train inception_v3 with its auxiliary head, which needs inputs of 299 pixels."""
    initial_weights: str = "none"
    """`imagenet` (torchvision's, downloaded), `none`, or a file: a state dict, a run, a bundle."""
    trainable_layers: int = -1
    """Number of layers at the end of the backbone that learn besides the head; -1 for all. A layer
    is a module without children: a convolution, a norm, an activation."""
    unfreeze_every: int = 0
    """Epochs after which `unfreeze_layers` more layers learn; 0 for never."""
    unfreeze_layers: int = 0

    @property
    def freezes(self) -> bool:
        """Whether a part of the backbone is frozen, at least at first."""
        return self.trainable_layers >= 0


@dataclass(frozen=True)
class OptimConfig:
    """Loss, optimiser and schedule."""

    epochs: int = 24
    batch: int = 32
    optimizer: Literal["adamw", "adam", "adamax"] = "adamw"
    schedule: Literal["one-cycle", "plateau", "constant"] = "one-cycle"
    rate: float = 2e-3
    """Highest learning rate of the schedule."""
    plateau_factor: float = 0.3
    """Factor of the learning rate after a plateau of the validation loss."""
    plateau_patience: int = 2
    """Epochs without a lower loss that make a plateau."""
    weight_decay: float = 0.05
    """Decoupled with adamw; an L2 term of the gradient with adam and adamax."""
    head_l2: float = 0.0
    """L2 penalty on the weights of the head's hidden layers; adam and adamax only."""
    warm_up: float = 0.15
    """Share of all steps during which the learning rate rises."""
    label_smoothing: float = 0.05
    balance: bool = True
    """Weigh the loss so that presence and absence, or all classes, count alike: a score of 0.5
    means even odds."""
    clip_norm: float = 5.0
    """Largest norm of the gradient."""
    ema_decay: float = 0.995
    """Decay per step of the moving average of the weights; 0 for no average."""


ValidationMetric = Literal["loss", "auc", "accuracy", "recall"]
"""A metric on the validation films after each epoch."""


@dataclass(frozen=True)
class StoppingConfig:
    """When training ends, and which epoch's weights are saved; decided on validation only."""

    monitor: ValidationMetric = "loss"
    also: tuple[ValidationMetric, ...] = ()
    """Further metrics whose best epoch is saved as `best-METRIC.pt`, the same that a run with that
    monitor would have saved. Training continues while any of them may still improve."""
    weights: Literal["averaged", "either"] = "averaged"
    """Which weights may be saved. A single epoch's weights can win on validation by luck; their
    moving average rarely does. Without `optim.ema_decay` this has no effect."""
    patience: int = 12
    """Epochs without improvement before training stops. Long, since the one-cycle schedule gains
    most at its end."""

    @property
    def monitored_metrics(self) -> tuple[ValidationMetric, ...]:
        """All metrics whose best epoch is saved; `monitor` first."""
        return tuple(dict.fromkeys((self.monitor, *self.also)))


@dataclass(frozen=True)
class EvaluationConfig:
    """How the model is evaluated after training."""

    flip_average: bool = True
    """Average the scores of a film and its mirror image, in the app too."""
    batch: int = 64
    high_sensitivity: float = 0.99
    """Sensitivity on validation for which an operating point is chosen."""
    high_specificity: float = 0.99
    """Specificity on validation for which an operating point is chosen."""
    fixed_points: tuple[float, ...] = ()
    """Scores, besides 0.5, that are operating points by convention."""
    prevalences: tuple[float, ...] = ()
    """Shares of films with a finding where the model is to be used: the report has PPV and NPV at
    each, which depend on it, besides those of the evaluated films."""
    bootstrap: int = 2000
    """Bootstrap draws of patients for every interval."""


@dataclass(frozen=True)
class RunConfig:
    """Seed, device and precision of a run."""

    seed: int = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    devices: int = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    deterministic: bool = False


@dataclass(frozen=True)
class BundleConfig:
    """The texts of the model card that only a person can write."""

    name: str
    version: str
    description: str
    intended_use: str
    limitations: str
    sources: tuple[str, ...] = ()
    licence: str = "Apache-2.0"
    authors: str = "The XrayView developers"
    scope: Scope = field(default_factory=Scope)
    """The films that the model is for; for others the app shows a caution or out of scope."""
    stated: tuple[str, ...] = ()
    """Fields that --set has set, such as `licence` and `scope.age_years`: on other films than the
    recipe's they are kept, also if they are what the recipe says."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that a training run depends on, besides the films and the code."""

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
    yield from out_of_range(config)
    yield from _data_problems(config.data)
    yield from _preprocessing_problems(config.preprocessing)
    if config.augment.needs_lung_masks and not config.data.lung_masks:
        yield (
            "augment.surroundings or augment.placement is set without data.lung_masks",
            "Set it to the folder of lung masks, or set both to 0.",
        )
    yield from _target_problems(config.target)
    yield from _network_problems(config.network, min(config.preprocessing.size))
    yield from _optim_problems(config.optim)
    ages = config.bundle.scope.age_years
    if len(ages) == 1 or ages != tuple(sorted(ages)):
        yield f"bundle.scope.age_years is {ages}", "Give the youngest and the oldest age, or none."


def _data_problems(data: DataConfig) -> Iterator[tuple[str, str]]:
    named = {
        "train_splits": data.train_splits,
        "validation_splits": data.validation_splits,
        "test_splits": data.test_splits,
    }
    for one, other in itertools.combinations(named, 2):
        if set(named[one]) & set(named[other]):
            yield f"data.{one} and data.{other} share a split", "Keep them apart."
    patterns = {"patient_pattern": "person[0-9]+", "label_pattern": "_([01])[.]png$"}
    for name, example in patterns.items():
        try:
            re.compile(getattr(data, name))
        except re.error as error:
            yield f"data.{name}: {error}", f"Use a regular expression such as {example}."
    for text in data.uncertain_of:
        if text.rpartition("=")[2] not in get_args(CellPolicy) or not text.rpartition("=")[0]:
            yield f"data.uncertain_of has {text!r}", "Write FINDING=ignore, =zeros or =ones."
    if not data.label_separator:
        yield "data.label_separator is empty", "Name the character between labels, such as |."


def _preprocessing_problems(spec: PreprocessSpec) -> Iterator[tuple[str, str]]:
    for name in ("percentiles", "value_range"):
        low, high = getattr(spec, name)
        if low >= high:
            yield f"preprocessing.{name} is {low}, {high}", "Give the lower value first."
    for name in ("mean", "std"):
        if len(getattr(spec, name)) not in {1, spec.channels}:
            yield (
                f"preprocessing.{name} has {len(getattr(spec, name))} values",
                f"Give one, or one for each of the {spec.channels} channels.",
            )


def _target_problems(target: TargetConfig) -> Iterator[tuple[str, str]]:
    if target.task == "binary" and len(target.findings) != 1:
        yield "a binary target must have one finding", "Use multilabel or multiclass for more."
    if target.complement and target.task != "binary":
        yield "target.complement is set for a target that is not binary", "Leave it empty."
    if target.task == "multiclass" and len(target.findings) < 2:
        yield "a multiclass target has fewer than two findings", "Normal is a finding too."
    if target.task == "multiclass" and target.negative_labels:
        yield (
            "target.negative_labels is set for a multiclass target",
            "Use a finding with abnormal=False instead.",
        )
    if (target.task == "multiclass") != (target.activation == "softmax") and not target.complement:
        yield (
            f"a {target.task} target has the activation {target.activation}",
            "Multiclass needs softmax, multilabel sigmoid; binary softmax needs target.complement.",
        )


def _network_problems(network: NetworkConfig, smallest_side: int) -> Iterator[tuple[str, str]]:
    if not len(network.widths) == len(network.depths) == len(network.strides):
        yield (
            "network.widths, depths and strides have different lengths",
            "Give one number per stage in each of them.",
        )
    if network.freezes and network.initial_weights == "none":
        yield (
            "the backbone is frozen over random weights (network.initial_weights is none)",
            "Use initial weights (imagenet or a file), or --set network.trainable_layers=-1.",
        )
    if network.architecture == "inception_v3" and network.auxiliary and smallest_side < 299:
        yield (
            f"{smallest_side} pixels are too few for the auxiliary head of inception_v3",
            "Use --set preprocessing.size=299, or --set network.auxiliary=false.",
        )


def _optim_problems(optim: OptimConfig) -> Iterator[tuple[str, str]]:
    if optim.head_l2 and optim.optimizer == "adamw":
        yield "optim.head_l2 is set with adamw", "Use --set optim.optimizer=adam, or weight_decay."


def with_overrides(config: TrainingConfig, overrides: Sequence[str]) -> TrainingConfig:
    """Apply `section.field=value` settings, which are checked together at the end.

    A value is JSON or plain text (`rate=1e-3`, `size=[160,160]`, `monitor=auc`); a single number
    for a pair of numbers stands for both.

    Raises:
        UsageError: an unknown field (the nearest is named) or a value of the wrong kind.
    """
    tree = settings_tree(overrides)
    changed: TrainingConfig = replace_fields(config, tree, "")
    if stated := tuple(sorted(_leaves(tree.get("bundle")))):
        all_stated = tuple(dict.fromkeys((*changed.bundle.stated, *stated)))
        bundle = dataclasses.replace(changed.bundle, stated=all_stated)
        changed = dataclasses.replace(changed, bundle=bundle)
    return changed


def _leaves(tree: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            if isinstance(value, dict):
                yield from _leaves(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}"


def settings_tree(overrides: Sequence[str]) -> dict[str, Any]:
    """Parse `section.field=value` settings to nested data.

    Raises:
        UsageError: a setting has no `=`.
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
    return tree


def to_dict(config: TrainingConfig) -> dict[str, Any]:
    """Convert to plain data, as stored in the run folder."""
    return dataclasses.asdict(config)


def from_dict(data: dict[str, Any]) -> TrainingConfig:
    """Restore the config of a run folder.

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
