"""The plan of a grid: a config for each cell, and one for each model of a cell."""

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
"""Backbone -> its own settings; inception_v3 was designed for inputs of 299 pixels."""

_MIN_AUXILIARY_SIDE = 299
"""The auxiliary head of inception_v3 needs inputs of this many pixels."""
_RESERVED = (
    "network.architecture", "network.initial_weights", "bundle.name", "stopping.monitor",
)  # fmt: skip
"""Settings that the grid chooses itself."""


@dataclass(frozen=True)
class Model:
    """The weights of a cell that one validation metric chose."""

    folder: str
    """Relative to the grid's folder."""
    metric: ValidationMetric
    config: TrainingConfig


@dataclass(frozen=True)
class Cell:
    """One training, which saves a model for each monitored metric."""

    name: str
    augmented: bool
    config: TrainingConfig

    @property
    def models(self) -> tuple[Model, ...]:
        """One model for each metric, that of `stopping.monitor` first."""
        return tuple(self._model(metric) for metric in self.config.stopping.monitored_metrics)

    def _model(self, metric: ValidationMetric) -> Model:
        config = self.config
        bundle = dataclasses.replace(
            config.bundle,
            name=f"{config.bundle.name}-{metric}",
            description=f"{config.bundle.description} Epoch by best validation {metric}.",
        )
        stopping = dataclasses.replace(config.stopping, monitor=metric, also=())
        config = dataclasses.replace(config, bundle=bundle, stopping=stopping)
        return Model(f"{self.name}/by-{metric}", metric, config)


def plan(base: TrainingConfig, settings: Sequence[str], weights: str) -> tuple[Cell, ...]:
    """Plan the cells of a grid and check their configs.

    Args:
        base: the recipe; the augmented cells use its augmentation.
        settings: `section.field=value` for all cells, `ARCHITECTURE:section.field=value` for one
            backbone. The size of inception_v3 can only be changed by a setting of its own.
        weights: `imagenet`, `none`, or `ARCHITECTURE=FILE,...` for every backbone.

    Raises:
        UsageError: a setting is wrong or reserved, or a backbone has no weights.
    """
    common, of_backbone = _split_settings(settings)
    starts = _weights_by_backbone(weights)
    return tuple(
        _cell(base, name, starts[name], augmented, [*common, *own, *of_backbone[name]])
        for name, own in ARCHITECTURES.items()
        for augmented in (False, True)
    )  # fmt: skip


def _cell(
    base: TrainingConfig, architecture: str, weights: str, augmented: bool, settings: list[str]
) -> Cell:
    own = [f"network.architecture={architecture}", f"network.initial_weights={weights}"]
    config = with_overrides(base, [*settings, *own])
    name = f"{architecture}-{'augmented' if augmented else 'plain'}"
    variant = f"{architecture}, {'with' if augmented else 'without'} augmentation."
    auxiliary_is_set = any(setting.startswith("network.auxiliary=") for setting in settings)
    return Cell(
        name,
        augmented,
        dataclasses.replace(
            config,
            augment=config.augment if augmented else AugmentConfig.none(),
            network=config.network if auxiliary_is_set else _with_auxiliary(config),
            bundle=dataclasses.replace(
                config.bundle,
                name=f"{config.bundle.name}-{name}",
                description=f"{config.bundle.description} {variant}",
            ),
        ),
    )


def _with_auxiliary(config: TrainingConfig) -> NetworkConfig:
    """Use the auxiliary head only if the backbone learns and the input is large enough."""
    network = config.network
    learns = network.trainable_layers != 0 or network.unfreeze_every > 0
    large_enough = min(config.preprocessing.size) >= _MIN_AUXILIARY_SIDE
    return dataclasses.replace(network, auxiliary=learns and large_enough)


def _split_settings(settings: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the settings of all cells, and those of each backbone."""
    common: list[str] = []
    of_backbone: dict[str, list[str]] = {name: [] for name in ARCHITECTURES}
    for setting in settings:
        prefix, colon, rest = setting.partition("=")[0].partition(":")
        if colon and prefix not in of_backbone:
            raise UsageError(f"The grid has no {prefix}", hint=f"It has {', '.join(of_backbone)}.")
        field = rest if colon else prefix
        if field.strip() in _RESERVED:
            raise UsageError(f"{field} is chosen by the grid", hint="Leave it out.")
        if colon:
            of_backbone[prefix].append(setting.partition(":")[2])
        else:
            common.append(setting)
    return common, of_backbone


def _weights_by_backbone(weights: str) -> dict[str, str]:
    """Return the initial weights of each backbone."""
    if weights in {IMAGENET, NONE}:
        return dict.fromkeys(ARCHITECTURES, weights)
    pairs = [pair.partition("=") for pair in weights.split(",")]
    given = {name.strip(): _resolve(value.strip()) for name, _, value in pairs}
    wrong = [name for name in given if name not in ARCHITECTURES]
    missing = [name for name in ARCHITECTURES if not given.get(name)]
    if wrong or missing:
        names = ",".join(f"{name}=FILE" for name in ARCHITECTURES)
        raise UsageError(
            "Every backbone of the grid needs initial weights of its own",
            why=f"not in the grid: {', '.join(wrong)}" if wrong else f"none for {missing[0]}",
            hint=f"--initial-weights {names}, or imagenet.",
        )
    return given


def _resolve(value: str) -> str:
    # An absolute path, so that the grid can be continued from any folder; cards keep the name only.
    return value if value in {"", IMAGENET, NONE} else str(Path(value).resolve())
