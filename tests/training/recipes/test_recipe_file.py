"""Recipes as files: whole, or as changes of a recipe; faults are named with the fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training import cli
from training.config import to_dict
from training.recipes import RECIPES, recipe
from training.recipes.schema import recipe_schema
from xrayview.errors import ExitCode, UsageError

CARD = """
[bundle]
name = "ours"
version = "1"
description = "d"
intended_use = "u"
limitations = "l"
"""
WHOLE = (
    """
[data]
reader = "folders"
[target]
negative_labels = ["normal"]
[[target.findings]]
name = "Mass"
labels = ["mass"]
[preprocessing]
size = [96, 96]
"""
    + CARD
)


def write(folder: Path, text: str) -> str:
    (folder / "my-recipe.toml").write_text(text, encoding="utf-8")
    return str(folder / "my-recipe.toml")


def test_that_a_whole_recipe_takes_the_usual_values_for_the_rest(tmp_path: Path) -> None:
    config = recipe(write(tmp_path, WHOLE))
    assert config.recipe == "my-recipe"
    assert config.preprocessing.size == (96, 96)
    assert config.optim.epochs == 24
    assert (config.bundle.authors, config.bundle.licence) == ("not stated", "not stated")


@pytest.mark.parametrize("base", RECIPES)
def test_that_a_recipe_may_change_another_one_but_not_inherit_its_card(
    base: str, tmp_path: Path
) -> None:
    changed = recipe(write(tmp_path, f'base = "{base}"\n[optim]\nepochs = 3\n{CARD}'))
    original = recipe(base)
    assert changed.optim.epochs == 3
    assert (changed.target, changed.network) == (original.target, original.network)
    assert (changed.bundle.name, changed.bundle.authors) == ("ours", "not stated")
    assert changed.bundle.scope != original.bundle.scope or not original.bundle.scope.age_years


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data\n", "cannot be read"),
        (
            WHOLE.replace("[preprocessing]", "[preprocesing]"),
            "Did you mean the recipe.preprocessing",
        ),
        (WHOLE.replace("size = [96, 96]", "sise = 96"), "Did you mean"),
        (WHOLE.replace("size = [96, 96]", 'size = ["a", 3]'), "size"),
        (WHOLE.replace("[preprocessing]\nsize = [96, 96]", ""), "lacks preprocessing"),
        (WHOLE.replace('name = "ours"', ""), "bundle lacks name"),
        (WHOLE.replace(CARD, ""), r"\[bundle\] is missing"),
        ('base = "nothing"' + CARD, "There is no recipe nothing"),
        ('recipe = "a/b"\n' + WHOLE, "recipe is 'a/b'"),
        (WHOLE + "[optim]\nepochs = 0\n", "optim.epochs is 0"),
    ],
)
def test_that_a_faulty_recipe_is_refused_with_its_file(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        recipe(write(tmp_path, text))
    assert caught.value.path == tmp_path / "my-recipe.toml"
    assert caught.value.hint


def test_that_a_missing_recipe_names_init() -> None:
    with pytest.raises(UsageError, match="init"):
        recipe("nothing.toml")


def test_that_settings_change_a_recipe_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["prepare", write(tmp_path, WHOLE), "--data", str(tmp_path)]
    assert cli.main([*arguments, "--set", "optim.epochs=0"]) == ExitCode.USAGE
    assert "optim.epochs is 0" in capsys.readouterr().err


# --- the schema


def test_that_the_schema_has_every_setting_with_its_description() -> None:
    schema = recipe_schema()

    def compare(data: Any, part: dict[str, Any], where: str) -> None:
        assert isinstance(data, dict) == (part.get("type") == "object"), where
        if isinstance(data, dict):
            assert set(data) <= set(part["properties"]), where
            for name, value in data.items():
                compare(value, part["properties"][name], f"{where}.{name}")

    compare(to_dict(recipe("best-pneumonia")), schema, "recipe")
    rate = schema["properties"]["optim"]["properties"]["rate"]
    assert rate == {
        "type": "number", "exclusiveMinimum": 0, "maximum": 10,
        "description": "Highest learning rate of the schedule.",
    }  # fmt: skip
    assert "kermany" in schema["properties"]["data"]["properties"]["reader"]["enum"]


def test_that_the_schema_is_printed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["schema"]) == ExitCode.OK
    printed = json.loads(capsys.readouterr().out)
    assert cli.main(["schema", "--out", str(tmp_path / "s.json")]) == ExitCode.OK
    assert json.loads((tmp_path / "s.json").read_text()) == printed
