"""The members of an ensemble: finished models of ours that answer the same question."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training.data.cache import load_greys
from training.data.films import select_rows
from training.data.manifest import FilmRow, Manifest, read_rows
from training.ensemble.network import Ensemble
from training.evaluation.evaluate import EvaluatedModel, find_model
from training.runs import RunFolder
from xrayview.domain.model import Scope
from xrayview.errors import ModelError, UsageError
from xrayview.inference import loading
from xrayview.io.model.bundle import read_card, sha256_of
from xrayview.preprocessing.pipeline import Preprocessor


@dataclass(frozen=True)
class Member:
    """A finished model, and the films that it was trained on."""

    subject: EvaluatedModel
    sha256: str
    rows: tuple[FilmRow, ...]
    """Of its manifest, each with its split."""

    @property
    def temperature(self) -> tuple[float, ...]:
        """What its logits are divided by."""
        calibration = self.subject.card.calibration
        return calibration.temperature if calibration.method == "temperature" else (1.0,)


_SAME: dict[str, Callable[[EvaluatedModel], object]] = {
    "findings": lambda s: [(finding.name, finding.abnormal) for finding in s.card.findings],
    "task": lambda s: s.card.task,
    "activation": lambda s: s.card.activation,
    "preprocessing": lambda s: s.card.preprocessing,
    "flip average": lambda s: s.card.flip_average,
    "labels that mean the findings": lambda s: s.config.target,
}
"""What members must have in common."""


def find_members(
    models: Sequence[Path], recipe: str | None, data: Path, cache: Path
) -> tuple[Member, ...]:
    """The members, each with the films of its training.

    A bundle without its run folder tells of its films by their hash alone: the recipe's films are
    divided again, and held against that.

    Raises:
        UsageError: fewer than two, one twice, members that differ in what they answer, or films
            that are not those of a member's training.
        ModelError: a bundle is missing or not valid.
    """
    subjects = [_subject(model, recipe) for model in models]
    if len(subjects) < 2:
        raise UsageError("An ensemble of one model is that model", hint="Name two or more.")
    for subject in subjects[1:]:
        _require_same(subjects[0], subject)
    hashes = [sha256_of(subject.bundle) for subject in subjects]
    if len(set(hashes)) < len(hashes):
        raise UsageError(
            "A model is named twice", hint="It would count twice in the mean: name others."
        )
    return tuple(
        Member(subject, sha256, _films_of(subject, data, cache))
        for subject, sha256 in zip(subjects, hashes, strict=True)
    )


def _subject(model: Path, recipe: str | None) -> EvaluatedModel:
    run = RunFolder(model.parent)
    if model.is_file() and not recipe and run.config.is_file():
        # Its run's settings may differ from the recipe's.
        return EvaluatedModel(model, read_card(model), run.read_config())
    return find_model(model, recipe)


def _require_same(first: EvaluatedModel, other: EvaluatedModel) -> None:
    for what, of in _SAME.items():
        if of(first) != of(other):
            raise UsageError(
                f"The members differ in their {what}",
                path=other.bundle,
                why=f"{of(other)}; {first.bundle} has {of(first)}",
                hint="Logits can only be averaged of models that see the same input and answer "
                "the same question.",
            )


def common_scope(members: Sequence[Member]) -> Scope:
    """The films that the members are for, as those say that do.

    Raises:
        UsageError: they say different things.
    """
    told = [m.subject.card.scope for m in members if m.subject.card.scope != Scope()]
    if any(scope != told[0] for scope in told):
        raise UsageError(
            "The members are for different films", hint="Their cards differ in `scope`."
        )
    return told[0] if told else members[0].subject.config.bundle.scope


def _films_of(subject: EvaluatedModel, data: Path, cache: Path) -> tuple[FilmRow, ...]:
    """The films of the manifest that the card names by its hash."""
    named = subject.card.training.get("manifest_sha256")
    manifest = RunFolder(subject.bundle.parent).manifest
    if manifest.is_file():
        rows = read_rows(manifest)
    else:
        chosen, _ = select_rows(subject.config, data)
        rows = load_greys(chosen, data, Preprocessor(subject.config.preprocessing), cache).rows
    if Manifest(rows).sha256 != named:
        raise UsageError(
            "The films that a member was trained on are not known",
            path=subject.bundle,
            why="those at hand do not have the hash that its card names",
            hint="Name its run folder, or the --data and the --recipe that it was trained with.",
        )
    return rows


def join_members(members: Sequence[Member]) -> Ensemble:
    """The members' own programs as one network, in eval mode on the CPU.

    Raises:
        ModelError: a member breaks the contract of its card.
        UsageError: the members' maps or logits do not go together.
    """
    spec = members[0].subject.card.preprocessing
    return Ensemble(
        [_program(member.subject) for member in members],
        [member.temperature for member in members],
        (spec.channels, *spec.size),
    ).eval()


def _program(subject: EvaluatedModel) -> Any:
    loaded = loading.load(subject.bundle, subject.card, "cpu")
    # Its own program is what is joined: it must bring both halves, and logits.
    if not loaded.has_features or loaded.features_note or subject.card.outputs != "logits":
        raise ModelError(
            "A member cannot be split before its pooling",
            path=subject.bundle,
            hint="Choose bundles that `python -m training` made.",
        )
    with warnings.catch_warnings():
        # TorchScript is deprecated, not gone: it is the contract's format.
        warnings.simplefilter("ignore")
        script = torch.jit.load(str(subject.bundle), map_location="cpu")  # type: ignore[no-untyped-call]
    return script.eval()
