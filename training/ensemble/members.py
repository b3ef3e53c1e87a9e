"""The members of an ensemble: finished models of this package for the same task."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training.bundle.identity import bundle_identity
from training.data.cache import load_greys
from training.data.films import select_rows
from training.data.manifest import FilmRow, Manifest, read_rows
from training.ensemble.network import Ensemble
from training.evaluation.models import EvaluatedModel, find_model
from training.runs import RunFolder
from xrayview.domain.model import Scope
from xrayview.errors import ModelError, UsageError
from xrayview.inference import loading
from xrayview.io.model.bundle import read_card, sha256_of
from xrayview.preprocessing.pipeline import Preprocessor


@dataclass(frozen=True)
class Member:
    """A finished model, and the films that it was trained on."""

    model: EvaluatedModel
    sha256: str
    rows: tuple[FilmRow, ...]
    """The films of its manifest, with their splits."""

    @property
    def temperature(self) -> tuple[float, ...]:
        """The divisor of its logits, one for all or one for each."""
        calibration = self.model.card.calibration
        return calibration.temperature if calibration.method == "temperature" else (1.0,)


_SAME: dict[str, Callable[[EvaluatedModel], object]] = {
    "findings": lambda s: [(finding.name, finding.abnormal) for finding in s.card.findings],
    "task": lambda s: s.card.task,
    "activation": lambda s: s.card.activation,
    "preprocessing": lambda s: s.card.preprocessing,
    "flip average": lambda s: s.card.flip_average,
    "labels that mean the findings": lambda s: s.config.target,
}
"""Properties that all members must share."""


def find_members(
    paths: Sequence[Path], recipe: str | None, data: Path, cache: Path
) -> tuple[Member, ...]:
    """Return the members, each with the films of its training.

    A bundle without its run folder only has the hash of its films: the recipe's films are split
    again and compared with it.

    Raises:
        UsageError: there are fewer than two members, one is named twice, they differ in task or
            input, or the films of a member's training are not known.
        ModelError: a bundle is missing or not valid.
    """
    models = [_find_member(path, recipe) for path in paths]
    if len(models) < 2:
        raise UsageError("An ensemble needs at least two models", hint="Name two or more.")
    for model in models[1:]:
        _require_same_task(models[0], model)
    hashes = [sha256_of(model.bundle) for model in models]
    if len(set(hashes)) < len(hashes):
        raise UsageError(
            "A model is named twice", hint="It would count twice in the mean: name it once."
        )
    return tuple(
        Member(model, sha256, _films_of(model, data, cache))
        for model, sha256 in zip(models, hashes, strict=True)
    )


def _find_member(path: Path, recipe: str | None) -> EvaluatedModel:
    run = RunFolder(path.parent)
    if path.is_file() and not recipe and run.config.is_file():
        # Its run's settings may differ from the recipe's.
        return EvaluatedModel(path, read_card(path), run.read_config())
    return find_model(path, recipe)


def _require_same_task(first: EvaluatedModel, other: EvaluatedModel) -> None:
    for name, value_of in _SAME.items():
        if value_of(first) != value_of(other):
            raise UsageError(
                f"The members differ in their {name}",
                path=other.bundle,
                why=f"{value_of(other)}; {first.bundle} has {value_of(first)}",
                hint="Only models with the same input and the same task can be averaged.",
            )


def common_scope(members: Sequence[Member]) -> Scope:
    """Return the scope of the members whose cards have one, or else the recipe's.

    Raises:
        UsageError: their scopes differ.
    """
    scopes = [m.model.card.scope for m in members if m.model.card.scope != Scope()]
    if any(scope != scopes[0] for scope in scopes):
        raise UsageError(
            "The members are for different films", hint="Their cards differ in `scope`."
        )
    first = members[0].model
    return scopes[0] if scopes else bundle_identity(first.config, first.card.training).scope


def _films_of(model: EvaluatedModel, data: Path, cache: Path) -> tuple[FilmRow, ...]:
    """Return the films of the manifest whose hash is in the card."""
    expected = model.card.training.get("manifest_sha256")
    manifest = RunFolder(model.bundle.parent).manifest
    if manifest.is_file():
        rows = read_rows(manifest)
    else:
        chosen, _ = select_rows(model.config, data)
        rows = load_greys(chosen, data, Preprocessor(model.config.preprocessing), cache).rows
    if Manifest(rows).sha256 != expected:
        raise UsageError(
            "The films that a member was trained on are not known",
            path=model.bundle,
            why="the films found do not match the hash in its card",
            hint="Name its run folder, or the --data and --recipe that it was trained with.",
        )
    return rows


def join_members(members: Sequence[Member]) -> Ensemble:
    """Join the members' programs in one network, in eval mode on the CPU.

    Raises:
        ModelError: a member breaks the contract of its card.
        UsageError: the members' maps or logits do not fit together.
    """
    spec = members[0].model.card.preprocessing
    return Ensemble(
        [_program(member.model) for member in members],
        [member.temperature for member in members],
        (spec.channels, *spec.size),
    ).eval()


def _program(model: EvaluatedModel) -> Any:
    loaded = loading.load(model.bundle, model.card, "cpu")
    # The member's own program is used: it must have both halves and return logits.
    if not loaded.has_features or loaded.features_note or model.card.outputs != "logits":
        raise ModelError(
            "A member cannot be split before its pooling",
            path=model.bundle,
            hint="Choose bundles made by `python -m training`.",
        )
    with warnings.catch_warnings():
        # TorchScript is deprecated, but it is the bundle's format.
        warnings.simplefilter("ignore")
        script = torch.jit.load(str(model.bundle), map_location="cpu")  # type: ignore[no-untyped-call]
    return script.eval()
