"""The config: every field can be set by name; invalid settings are refused with the fix."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import typing
from collections.abc import Iterator

import pytest

from training.config import TrainingConfig, from_dict, to_dict, with_overrides
from training.ranges import RANGES
from training.recipes import RECIPES, recipe
from xrayview.errors import UsageError


@pytest.mark.parametrize("name", RECIPES)
def test_that_a_config_survives_its_run_folder(name: str):
    config = recipe(name)
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


def test_that_any_field_can_be_set_from_the_command_line(tiny_config: TrainingConfig):
    changed = with_overrides(
        tiny_config,
        ["optim.rate=1e-4", "preprocessing.size=96", "network.widths=[4,4]",
         "stopping.monitor=auc", "optim.balance=false", "data.train_splits=train"],
    )  # fmt: skip
    assert changed.optim.rate == 1e-4
    assert changed.preprocessing.size == (96, 96)
    assert changed.network.widths == (4, 4)
    assert changed.stopping.monitor == "auc"
    assert changed.optim.balance is False
    assert changed.data.train_splits == ("train",)
    assert changed.augment == tiny_config.augment


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optim.rat=1", "Did you mean optim.rate"),
        ("optimiser.rate=1", "There is no setting optimiser"),
        ("optim.rate", "Write section.field=value"),
        ("optim.rate=fast", "must be of type float"),
        ("optim.epochs=1.5", "must be of type int"),
        ("stopping.monitor=luck", "Choose one of: loss, auc"),
        ("preprocessing.size=[1,2,3]", "Give 2"),
        ("data.validation_fraction=1.5", "between 0 and 1"),
        ("network.widths=[8]", "one number per stage"),
        ("data.test_splits=train", "Keep them apart"),
        ("optim=3", "must be of type OptimConfig"),
        ("optim.rate=-1", "optim.rate is -1.0. It must be above 0 and at most 10"),
        ("optim.rate=NaN", "optim.rate is nan"),
        ("optim.rate=Infinity", "optim.rate is inf"),
        ("optim.rate=0", "above 0"),
        ("augment.flip=7", "augment.flip is 7.0. It must be at least 0 and at most 1"),
        ("augment.shift=NaN", "augment.shift is nan"),
        ("optim.batch=1", "batch normalisation needs at least 2 films"),
        ("network.widths=[8,-1,8,8]", "network.widths is -1"),
        ("preprocessing.size=[0,32]", "preprocessing.size is 0"),
        ("preprocessing.percentiles=[99,1]", "lower value first"),
        ("preprocessing.std=[1,1,1]", "Give one, or one for each of the 1 channels"),
        ("bundle.scope.age_years=[9]", "youngest and the oldest"),
        ("run.seed=-1", "run.seed is -1"),
        ("evaluation.fixed_points=[0.5,1]", "between 0 and 1"),
    ],
)
def test_that_a_wrong_setting_is_refused_with_the_fix(
    tiny_config: TrainingConfig, setting: str, message: str
):
    with pytest.raises(UsageError, match=re.escape(message)):
        with_overrides(tiny_config, [setting])


def numbers(record: object, prefix: str = "") -> Iterator[str]:
    """Yield the fields of a config that are numbers or tuples of numbers."""
    hints = typing.get_type_hints(type(record))
    for name, kind in hints.items():
        value = getattr(record, name)
        if dataclasses.is_dataclass(value):
            yield from numbers(value, f"{prefix}{name}.")
        kinds = {kind, *typing.get_args(kind), *map(type, typing.get_args(kind))}
        if kinds & {int, float}:
            yield f"{prefix}{name}"


def test_that_every_number_has_a_range(tiny_config: TrainingConfig):
    assert set(numbers(tiny_config)) == set(RANGES)


@pytest.mark.parametrize("name", RANGES)
def test_that_no_number_can_be_nan_or_out_of_its_range(name: str, tiny_config: TrainingConfig):
    allowed = RANGES[name]
    for value in (allowed.low - 1, allowed.high + 1, math.nan):
        with pytest.raises(UsageError):
            with_overrides(tiny_config, [f"{name}={json.dumps(value)}"])


def test_that_the_error_for_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(UsageError, match="normal-pneumonia-small"):
        recipe("resnet")
