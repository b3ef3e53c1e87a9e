"""The tables of several models, named after the models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from xrayview.batch.several_models import ModelTable
from xrayview.engine.protocol import ModelRef
from xrayview.errors import UsageError

_UNSAFE = re.compile(r"[^\w.-]+")


def tables_of(
    models: Sequence[ModelRef], out: Path, studies: Path | None
) -> tuple[ModelTable, ...]:
    """The tables of each model: `out` for one, `predictions.MODEL.csv` for each of several.

    Raises:
        UsageError: a model is named twice.
    """
    if len(models) == 1:
        return (ModelTable(models[0], out, studies),)
    if len({model.sha256 for model in models}) < len(models):
        raise UsageError("A model is named twice", hint="Name each --model once.")
    names = [_UNSAFE.sub("-", model.path.stem) for model in models]
    unique = [
        name if names.count(name) == 1 else f"{name}-{model.sha256[:8]}"
        for name, model in zip(names, models, strict=True)
    ]
    return tuple(
        ModelTable(model, _named(out, name), studies and _named(studies, name))
        for name, model in zip(unique, models, strict=True)
    )


def _named(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}.{name}{path.suffix}")
