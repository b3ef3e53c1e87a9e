"""What a grid trains: a config for each cell, and one for each model that a cell keeps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.config import (
    AugmentConfig,
    NetworkConfig,
    TrainingConfig,
    ValidationMetric,
    with_overrides,
)
from training.networks.initial_weights import IMAGENET, NONE
from xrayview.errors import UsageError

ARCHITECTURES: dict[str, tuple[str, ...]] = {
    "vgg16": (),
    "resnet50": (),
    "inception_v3": ("preprocessing.size=299",),
}
"""Backbone -> settings of its own: inception_v3 was made for inputs of 299 pixels."""

_SMALLEST_AUXILIARY = 299
_OWN = (
    "network.architecture", "network.initial_weights", "bundle.name", "stopping.monitor",
)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """The weights of a cell that one figure of validation chose."""

    folder: str
    """Below the grid's."""
    figure: ValidationMetric
    config: TrainingConfig


@dataclass(frozen=True)
class Cell:
    """One training; it keeps a model for each figure that it watches."""

    name: str
    augmented: bool
    config: TrainingConfig

    @property
    def models(self) -> tuple[Model, ...]:
        """One for each figure, the monitor's first."""
        return tuple(self._model(figure) for figure in self.config.stopping.monitored_metrics)

    def _model(self, figure: ValidationMetric) -> Model:
        config = self.config
        bundle = dataclasses.replace(
            config.bundle,
            name=f"{config.bundle.name}-{figure}",
            description=f"{config.bundle.description} Epoch by best validation {figure}.",
        )
        stopping = dataclasses.replace(config.stopping, monitor=figure, also=())
        config = dataclasses.replace(config, bundle=bundle, stopping=stopping)
        return Model(f"{self.name}/by-{figure}", figure, config)


def plan(base: TrainingConfig, settings: Sequence[str], weights: str) -> tuple[Cell, ...]:
    """The cells of a grid, all configs checked.

    Args:
        base: the recipe; its augmentation is that of the augmented cells.
        settings: `section.field=value` for all cells, `ARCHITECTURE:section.field=value` for one
            backbone. The size of inception_v3 is changed by a setting of its own only.
        weights: `imagenet`, `none`, or `ARCHITECTURE=FILE,...` for every backbone.

    Raises:
        UsageError: a setting is wrong or the grid's own, or weights are missing for a backbone.
    """
    common, special = _divided(settings)
    starts = _starts(weights)
    return tuple(
        _cell(base, name, starts[name], augmented, [*common, *own, *special[name]])
        for name, own in ARCHITECTURES.items()
        for augmented in (False, True)
    )  # fmt: skip


def _cell(
    base: TrainingConfig, architecture: str, start: str, augmented: bool, settings: list[str]
) -> Cell:
    asked = [f"network.architecture={architecture}", f"network.initial_weights={start}"]
    config = with_overrides(base, [*settings, *asked])
    name = f"{architecture}-{'augmented' if augmented else 'plain'}"
    words = f"{architecture}, {'with' if augmented else 'without'} augmentation."
    told = any(setting.startswith("network.auxiliary=") for setting in settings)
    return Cell(
        name,
        augmented,
        dataclasses.replace(
            config,
            augment=config.augment if augmented else no_augmentation(),
            network=config.network if told else _with_auxiliary(config),
            bundle=dataclasses.replace(
                config.bundle,
                name=f"{config.bundle.name}-{name}",
                description=f"{config.bundle.description} {words}",
            ),
        ),
    )


def no_augmentation() -> AugmentConfig:
    """Every range 0: films stay as they are."""
    ranges = dataclasses.asdict(AugmentConfig())
    return AugmentConfig(**{name: type(value)() for name, value in ranges.items()})


def _with_auxiliary(config: TrainingConfig) -> NetworkConfig:
    """The auxiliary head where it can teach the backbone something: not where that is frozen."""
    network = config.network
    learns = network.trainable_layers != 0 or network.unfreeze_every > 0
    large = min(config.preprocessing.size) >= _SMALLEST_AUXILIARY
    return dataclasses.replace(network, auxiliary=learns and large)


def _divided(settings: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Settings of all cells, and those of each backbone."""
    common: list[str] = []
    special: dict[str, list[str]] = {name: [] for name in ARCHITECTURES}
    for setting in settings:
        index, colon, rest = setting.partition("=")[0].partition(":")
        if colon and index not in special:
            raise UsageError(f"The grid has no {index}", hint=f"It has {', '.join(special)}.")
        field = rest if colon else index
        if field.strip() in _OWN:
            raise UsageError(f"{field} is the grid's own", hint="Leave it out.")
        if colon:
            special[index].append(setting.partition(":")[2])
        else:
            common.append(setting)
    return common, special


def _starts(weights: str) -> dict[str, str]:
    """Where each backbone's weights start."""
    if weights in {IMAGENET, NONE}:
        return dict.fromkeys(ARCHITECTURES, weights)
    pairs = [pair.partition("=") for pair in weights.split(",")]
    given = {name.strip(): _start(value.strip()) for name, _, value in pairs}
    wrong = [name for name in given if name not in ARCHITECTURES]
    missing = [name for name in ARCHITECTURES if not given.get(name)]
    if wrong or missing:
        names = ",".join(f"{name}=FILE" for name in ARCHITECTURES)
        raise UsageError(
            "Every backbone of the grid needs weights of its own",
            why=f"not of the grid: {', '.join(wrong)}" if wrong else f"none for {missing[0]}",
            hint=f"--initial-weights {names}, or imagenet.",
        )
    return given


def _start(value: str) -> str:
    # A whole path: the grid goes on from any folder, and cards keep the name alone.
    return value if value in {"", IMAGENET, NONE} else str(Path(value).resolve())
