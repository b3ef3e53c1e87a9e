"""The config: every field can be set by name; invalid settings are refused with the fix."""

from __future__ import annotations

import json

import pytest

from training.config import TrainingConfig, from_dict, to_dict, with_overrides
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
    ],
)
def test_that_a_wrong_setting_is_refused_with_the_fix(
    tiny_config: TrainingConfig, setting: str, message: str
):
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        with_overrides(tiny_config, [setting])


def test_that_the_error_for_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(UsageError, match="normal-pneumonia-small"):
        recipe("resnet")
