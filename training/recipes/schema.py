"""The JSON schema of `recipe.toml`, for editors: from the config's types, ranges and docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import math
import textwrap
import typing
from functools import cache
from typing import Any, Literal

from training.config import TrainingConfig
from training.ranges import RANGES
from training.recipes import RECIPES

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def recipe_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema, draft 2020-12)."""
    schema = _of(TrainingConfig, "")
    schema["properties"]["base"] = {
        "enum": list(RECIPES),
        "description": "The recipe whose settings are used where this file has none.",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A recipe of `python -m training`",
        **schema,
        "required": ["bundle"],
    }


def _of(kind: Any, where: str) -> dict[str, Any]:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints, docs = typing.get_type_hints(kind), field_docs(kind)
        prefix = f"{where}." if where else ""
        properties = {
            name: _of(hint, f"{prefix}{name}")
            | ({"description": docs[name]} if name in docs else {})
            for name, hint in hints.items()
        }
        text = " ".join((kind.__doc__ or "").split())
        return {
            "type": "object",
            "description": text,
            "properties": properties,
            "additionalProperties": False,
        }
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        items = _of(arguments[0], where)
        length = () if arguments[-1] is Ellipsis else len(arguments)
        many = {"type": "array", "items": items}
        return many | ({"minItems": length, "maxItems": length} if length else {})
    if origin is Literal:
        return {"enum": list(arguments)}
    return {"type": _PLAIN[kind]} | (_range(where) if kind in {int, float} else {})


def _range(where: str) -> dict[str, float]:
    allowed = RANGES.get(where)
    if allowed is None:
        return {}
    limits = {"exclusiveMinimum" if allowed.above else "minimum": allowed.low,
              "exclusiveMaximum" if allowed.below else "maximum": allowed.high}  # fmt: skip
    return {name: limit for name, limit in limits.items() if math.isfinite(limit)}


@cache
def field_docs(kind: type) -> dict[str, str]:
    """Return the docstring below each field of a dataclass, as one line."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for node, after in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            docs[node.target.id] = " ".join(str(after.value.value).split())
    return docs
