"""The settings of a proposal that stand in the recipe, each with its reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from training.config import BundleConfig, DataConfig, TargetConfig, TrainingConfig
from training.data import splits
from training.data.film_list import FilmList
from training.data.manifest import FilmRow
from training.proposal.answers import Answers
from training.proposal.target import TargetProposal


@dataclass(frozen=True)
class Choice:
    """A setting of the recipe with its reason."""

    field: str
    value: Any
    why: str


_WHY = {"validation_splits": "the official validation films are used as such if they are enough"}


def data_choices(
    data: DataConfig, found: FilmList, policies: dict[str, str], rows: Sequence[FilmRow]
) -> Iterator[Choice]:
    """Yield the settings of films, labels and split."""
    yield Choice("data.reader", data.reader, f"how the folder describes its films: {found.title}")
    usual = DataConfig()
    if data.table:
        yield Choice("data.table", data.table, "the table that lists the films")
        for name in (f.name for f in dataclasses.fields(data.columns)):
            value = getattr(data.columns, name)
            if value != getattr(usual.columns, name):
                yield Choice(f"data.columns.{name}", value, "a column of the table")
    elsewhere = {"reader", "table", "columns", "validation_fraction", "test_fraction",
                 "split_salt", *policies}  # fmt: skip
    for name in (field.name for field in dataclasses.fields(data)):
        if name not in elsewhere and getattr(data, name) != getattr(usual, name):
            yield Choice(f"data.{name}", getattr(data, name), _WHY.get(name, ""))
    for name, why in policies.items():
        yield Choice(f"data.{name}", getattr(data, name), why)
    official = {row.official_split for row in rows} - {""}
    if {splits.NAMES.get(name.casefold()) for name in official} >= {"train", "test"}:
        why = "share of the training patients for validation; official splits are kept"
    elif official:
        why = f"shares of the patients; the official splits are kept: {', '.join(sorted(official))}"
    else:
        why = "shares of the patients for validation and test: the data has no official split"
    yield Choice("data.validation_fraction", data.validation_fraction, why)
    yield Choice("data.test_fraction", data.test_fraction, "")
    if data.split_salt != usual.split_salt:
        why = "chosen so that the splits of these few patients are as alike as possible"
        yield Choice("data.split_salt", data.split_salt, why)


def target_choices(target: TargetConfig, proposal: TargetProposal) -> Iterator[Choice]:
    """Yield the settings of what the model scores."""
    yield Choice("target.task", target.task, proposal.why)
    yield Choice("target.activation", target.activation, "")
    why = "labels that stand for no finding" if target.negative_labels else ""
    yield Choice("target.negative_labels", target.negative_labels, why)
    if target.complement:
        yield Choice("target.complement", target.complement, "name of the other score")
    if target.other_labels != "leave_out":
        why = "a film with only other labels has none of the findings"
        yield Choice("target.other_labels", target.other_labels, why)
    yield Choice("target.findings", target.findings, "")


def training_choices(config: TrainingConfig, train: int) -> Iterator[Choice]:
    """Yield the settings of preprocessing, network and training."""
    size = config.preprocessing.size
    yield Choice("preprocessing.size", size, "height and width of the model's input, in pixels")
    yield Choice("preprocessing.fit", config.preprocessing.fit, "keeps the shape of the lungs")
    why = "each film has mean 0 and deviation 1, so that exposure does not matter"
    yield Choice("preprocessing.standardize", config.preprocessing.standardize, why)
    why = (
        "small, learns from scratch, needs no download; for thousands of films try "
        'architecture = "resnet18" with initial_weights = "imagenet"'
    )
    yield Choice("network.architecture", config.network.architecture, why)
    yield Choice("network.initial_weights", config.network.initial_weights, "")
    yield Choice("optim.epochs", config.optim.epochs, f"for {train} training films")
    yield Choice("optim.batch", config.optim.batch, "films in a step")
    yield Choice("optim.rate", config.optim.rate, "highest learning rate of the schedule")
    why = "equal to the epochs: the one-cycle schedule gains most at its end"
    yield Choice("stopping.patience", config.stopping.patience, why)
    yield Choice("augment.flip", config.augment.flip, "mirror images; 0 if the side matters")
    yield Choice("run.seed", config.run.seed, "another seed gives another model")


def bundle_choices(bundle: BundleConfig, answers: Answers) -> Iterator[Choice]:
    """Yield the texts of the card, and what a person should check in them."""
    yield Choice("bundle.name", bundle.name, "")
    yield Choice("bundle.version", bundle.version, "")
    yield Choice("bundle.description", bundle.description, "")
    yield Choice("bundle.intended_use", bundle.intended_use, "")
    why = "" if answers.population else "check it: who the films show, and where the model fails"
    yield Choice("bundle.limitations", bundle.limitations, why)
    yield Choice("bundle.authors", bundle.authors, "" if answers.authors else "state it")
    why = "" if answers.licence else "state it: the films' licence may forbid sharing the model"
    yield Choice("bundle.licence", bundle.licence, why)
    if bundle.sources:
        yield Choice("bundle.sources", bundle.sources, "")
    scope = bundle.scope
    if scope.age_years:
        why = "youngest and oldest patient: other films get a caution in the app"
        yield Choice("bundle.scope.age_years", scope.age_years, why)
    if scope.view_positions:
        yield Choice("bundle.scope.view_positions", scope.view_positions, "")
