"""A recipe in a file: `recipe.toml`, written by `init` or by hand, read by every command."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.config import BundleConfig, TrainingConfig
from training.typed import coerce, replace_fields
from xrayview.errors import UsageError

SUFFIX = ".toml"
_NOT_STATED = "not stated"
_OPTIONAL_TEXTS = ("licence", "authors")
_NAME = re.compile(r"[\w.-]+")


def is_recipe_file(name: str) -> bool:
    """Tell whether a recipe is named by a file."""
    return name.casefold().endswith(SUFFIX)


def load_recipe(path: Path, built_in: Callable[[str], TrainingConfig]) -> TrainingConfig:
    """Read a recipe: all sections, or those in which it differs from the recipe `base`.

    The texts of the model card are never those of the base. Without a name of its own the recipe
    has that of the file.

    Raises:
        UsageError: the file is missing, is not TOML, or a setting is unknown, missing or wrong.
    """
    tree = _parsed(path)
    base = tree.pop("base", "")
    tree.setdefault("recipe", path.stem)
    if not isinstance(tree["recipe"], str) or not _NAME.fullmatch(tree["recipe"]):
        raise UsageError(
            f"recipe is {tree['recipe']!r}",
            path=path,
            hint="It names run folders: use letters, digits, dots and hyphens.",
        )
    if "bundle" not in tree:
        raise UsageError(
            "The section [bundle] is missing",
            path=path,
            hint="It states name, version, description, intended_use and limitations of the model.",
        )
    try:
        texts = {**dict.fromkeys(_OPTIONAL_TEXTS, _NOT_STATED), **_section(tree.pop("bundle"))}
        bundle = coerce(texts, BundleConfig, "bundle")
        if base:
            changed = replace_fields(built_in(str(base)), tree, "")
            based: TrainingConfig = dataclasses.replace(changed, bundle=bundle)
            return based
        whole = {"summary": "", **tree, "bundle": texts}
        config: TrainingConfig = coerce(whole, TrainingConfig, "the recipe")
    except UsageError as error:
        error.path = error.path or path
        raise
    return config


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        raise UsageError(
            f"There is no recipe {path}",
            hint="`python -m training init --data DIR` writes one.",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            "The recipe cannot be read", path=path, why=str(error), hint="Correct this line."
        ) from error


def _section(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError("bundle is not a section", hint="Write [bundle] above its settings.")
    return value
