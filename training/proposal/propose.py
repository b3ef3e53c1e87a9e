"""Proposes a whole recipe for a folder of films: data, split, target, network and card."""

from __future__ import annotations

import dataclasses
import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.config import (
    BundleConfig,
    DataConfig,
    NetworkConfig,
    OptimConfig,
    StoppingConfig,
    TargetConfig,
    TrainingConfig,
)
from training.data import splits
from training.data.film_list import FilmList, labels, read_film_list
from training.data.films import list_rows
from training.data.headers import header_of
from training.data.layouts.folder import FilmFolder
from training.data.manifest import FilmRow
from training.data.merging import merge_rows
from training.data.readers import list_films, reader_of
from training.data.splits import TEST, TRAIN, VALIDATION
from training.data.targets import targets_NK
from training.data.tidy import tidied
from training.data.views import is_lateral
from training.proposal.answers import Answers
from training.proposal.choices import (
    Choice,
    bundle_choices,
    data_choices,
    target_choices,
    training_choices,
)
from training.proposal.guess_table import guess_table
from training.proposal.sources import SOURCES, Source
from training.proposal.target import propose_target
from training.typed import replace_fields
from xrayview.domain.age import age_in_years
from xrayview.domain.finding_names import is_known
from xrayview.domain.model import PreprocessSpec, Scope, Task
from xrayview.errors import XrayViewError

_NOT_STATED = "not stated"
_STEPS = 12_000
"""Training steps that are enough for a large data set."""
_FRACTIONS = ((0.1, 0.2), (0.15, 0.2), (0.2, 0.25), (0.3, 0.3))
"""Shares of validation and test patients, the smallest that give every split every finding."""
_SALTS = ("xrayview", *(f"xrayview-{number}" for number in range(2, 10)))
_FEW = 5000
"""Films up to which several salts are tried."""
_SAMPLE = 20
_MOST_NAMES = 0.8
"""Share of the names in which a pattern for patients must be found."""
_PATIENT_PATTERNS = (
    r"(?i)(?:^|[^a-z])((?:patient|patid|pat|subject|subj|sub|person|case|pid)[ _-]?[0-9]+)",
    r"(?i)(?:^|[/_-])(p[0-9]{2,})(?:[/_-])",
)


@dataclass(frozen=True)
class Proposal:
    """A recipe for a folder, with the reason for each setting."""

    config: TrainingConfig
    choices: tuple[Choice, ...]
    films: FilmList
    counts: dict[str, dict[str, int]]
    """Split -> films, patients and films with each finding."""
    remarks: tuple[str, ...] = ()
    source: Source | None = None


def choose_data(folder: Path, data: DataConfig) -> DataConfig:
    """Return the reader of a folder, or the table that lists its films, with its columns.

    Raises:
        UsageError: neither fits.
        NothingUsable: the folder has no film.
    """
    index = FilmFolder(folder)
    table = bool(data.table) and data.columns != DataConfig().columns
    if data.reader != "auto" or table or data.label_pattern:
        return data
    try:
        name = reader_of(index, data)
        if name not in {"folders", "table"}:
            return with_reader(data, name)
        classes = {label for row in list_films(folder, data).rows for label in row.labels}
        error = None
    except XrayViewError as refused:
        name, classes, error = "", set(), refused
    guess = guess_table(index, data)
    if guess and (len(classes) < 2 or not any(map(is_known, classes))):
        own = guess.data
        return dataclasses.replace(
            data, reader="table", table=own.table, columns=own.columns,
            label_separator=own.label_separator,
        )  # fmt: skip
    if error is not None:
        raise error
    return with_reader(data, name)


def with_reader(data: DataConfig, name: str) -> DataConfig:
    """Return the data with the reader of this name."""
    changed: DataConfig = replace_fields(data, {"reader": name}, "data.")
    return changed


def propose(folder: Path, data: DataConfig, answers: Answers) -> Proposal:
    """Propose a recipe for the films of a folder.

    Raises:
        UsageError: the folder's films are not described, or cannot be told apart.
        NothingUsable: there is no labelled film.
    """
    chosen = choose_data(folder, data)
    found = read_film_list(folder, chosen)
    chosen, policies = _policies(chosen, found)
    chosen, pattern = _with_patients(chosen, found)
    labelled = _labelled_rows(folder, chosen)
    targets = propose_target(labelled, chosen.reader, chosen.columns.label)
    draft = _config(folder, chosen, targets.target, found, answers)
    listing = list_rows(draft, folder, every_film=True)
    rows = listing.rows
    draft, dropped = _learnable(_with_official(draft, rows), rows)
    shares, cut = _splits(draft, rows)
    data = dataclasses.replace(
        draft.data, validation_fraction=shares[0], test_fraction=shares[1], split_salt=shares[2]
    )
    train = sum(row.split == TRAIN for row in cut)
    config = dataclasses.replace(
        draft, data=data, preprocessing=_preprocessing(folder, rows), optim=_optim(train),
        stopping=StoppingConfig(patience=_optim(train).epochs),
    )  # fmt: skip
    choices = (
        *data_choices(config.data, found, policies | pattern, cut),
        *target_choices(config.target, targets),
        *training_choices(config, train),
        *bundle_choices(config.bundle, answers),
    )
    remarks = [*found.notes]
    rare = {**targets.left_over, **dropped}
    if rare:
        named = ", ".join(f"{label} ({count})" for label, count in list(rare.items())[:8])
        remarks.append(f"{len(rare)} labels have too few films to be learned: {named}.")
    if listing.conflicts:
        remarks.append(
            f"{len(listing.conflicts)} films contradict themselves, so train will stop: correct "
            "them, or set data.conflicts or data.votes. The first: "
            f"{listing.conflicts[0]}."
        )
    counts = _counts(cut, config.target)
    remarks += _few_films(counts)
    return Proposal(config, choices, found, counts, tuple(remarks), SOURCES.get(found.reader))


def _labelled_rows(folder: Path, data: DataConfig) -> list[FilmRow]:
    nothing = TargetConfig((), ())
    rows = [tidied(row, folder) for row in list_films(folder, data).rows]
    merged = merge_rows(rows, data, nothing).rows
    frontal = [row for row in merged if not is_lateral(row.view, row.path)]
    return frontal or list(merged)


def _policies(data: DataConfig, found: FilmList) -> tuple[DataConfig, dict[str, str]]:
    """Return the data with a policy for each kind of open label, and the reasons."""
    why: dict[str, str] = {}
    changes: dict[str, Any] = {}
    usual = DataConfig()
    states = {value for film in found.films for value in labels(film).values() if film.readings}
    if None in states and data.blank == usual.blank:
        mined = found.reader in {"chexpert", "mimic"}
        changes["blank"] = "zeros" if mined else "ignore"
        why["blank"] = (
            "a finding that a report does not mention counts as absent, as in the published "
            "training; ignore leaves it unknown"
            if mined
            else "an empty cell leaves the finding unknown; zeros makes it absent"
        )
    if -1 in states and data.uncertain == usual.uncertain:
        changes["uncertain"] = "ignore"
        why["uncertain"] = (
            "uncertain findings are left unknown; zeros and ones are the other choices"
        )
    several = any(
        len({(reading.words, *reading.states.items()) for reading in film.readings}) > 1
        for film in found.films
    )
    if several and data.votes == usual.votes:
        changes["votes"] = "majority"
        why["votes"] = "films have several readers who differ; any and all are the other choices"
    return dataclasses.replace(data, **changes), why


def _config(
    folder: Path, data: DataConfig, target: TargetConfig, found: FilmList, answers: Answers
) -> TrainingConfig:
    name = answers.name or _slug(folder)
    source = SOURCES.get(found.reader)
    population = answers.population or (source.population if source else _NOT_STATED)
    findings = ", ".join(rule.name for rule in target.findings)
    text = f"Trained on films from {source.citation if source else folder.resolve().name}."
    bundle = BundleConfig(
        name=name,
        version="0.1.0",
        description=f"Scores {findings} on chest films.",
        intended_use="Research. Not for diagnosis, triage or any care of a patient.",
        limitations=f"{text} Population: {population}. "
        + (source.caution if source else "")
        + "Not tested on films of other hospitals.",
        sources=(source.citation,) if source else (),
        licence=answers.licence or _NOT_STATED,
        authors=answers.authors or _NOT_STATED,
        scope=_scope(found, source),
    )
    return TrainingConfig(
        recipe=name,
        summary=f"{findings} on films from {found.title if source else folder.resolve().name}",
        data=data,
        target=target,
        preprocessing=PreprocessSpec(size=(160, 160), standardize="film"),
        bundle=bundle,
        network=NetworkConfig(),
    )


def _with_patients(data: DataConfig, found: FilmList) -> tuple[DataConfig, dict[str, str]]:
    """Return the data with a pattern for patient ids in the names, if the data has no ids."""
    unknown = [film.path for film in found.films if film.patient_is_film or not film.patient]
    if data.patient_pattern or len(unknown) * 2 < len(found.films) or found.reader in SOURCES:
        return data, {}
    for pattern in _PATIENT_PATTERNS:
        matches = [match for path in unknown if (match := re.search(pattern, path))]
        if len(matches) >= _MOST_NAMES * len(unknown) and len({m[1] for m in matches}) > 2:
            why = f"the films' names contain a patient number, as in {unknown[0]}: check it"
            return dataclasses.replace(data, patient_pattern=pattern), {"patient_pattern": why}
    return data, {}


def _few_films(counts: dict[str, dict[str, int]]) -> Iterator[str]:
    for split, own in counts.items():
        if not own["films"]:
            yield f"There are no {split} films: train needs more films or patients."
        else:
            rare = [name for name, count in own.items() if count == 0]
            if rare:
                yield f"No {split} film has {', '.join(rare)}."


def _slug(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9.]+", "-", folder.resolve().name.casefold()).strip("-.")
    return f"{name or 'films'}-model"


def _scope(found: FilmList, source: Source | None) -> Scope:
    """Return the ages of nearly all films, and the views of frontal films."""
    ages = [age for film in found.films if (age := age_in_years(film.age)) is not None and age > 0]
    views = sorted({film.view.upper() for film in found.films} & {"PA", "AP"})
    limits: tuple[float, ...] = source.ages if source else ()
    if len(ages) * 2 > len(found.films):
        low, high = np.percentile(ages, [1, 99])
        limits = (math.floor(low), math.ceil(high))
    return Scope(age_years=limits, view_positions=tuple(views))


def _learnable(
    config: TrainingConfig, rows: Sequence[FilmRow]
) -> tuple[TrainingConfig, dict[str, int]]:
    """Return the config without findings of a multilabel target that few patients have."""
    if config.target.task != "multilabel":
        return config, {}
    known_NK = targets_NK(rows, config.target)
    dropped: dict[str, int] = {}
    kept = []
    for k, rule in enumerate(config.target.findings):
        with_it = {row.patient for row, y in zip(rows, known_NK[:, k], strict=True) if y == 1}
        without = {row.patient for row, y in zip(rows, known_NK[:, k], strict=True) if y == 0}
        if len(with_it) < 3 or len(without) < 3:
            dropped[rule.name] = len(with_it)
        else:
            kept.append(rule)
    if not kept or not dropped:
        return config, {}
    task: Task = "multilabel" if len(kept) > 1 else "binary"
    target = dataclasses.replace(config.target, findings=tuple(kept), task=task)
    return dataclasses.replace(config, target=target), dropped


Shares = tuple[float, float, str]
"""Shares of validation and test patients, and the salt of the hash."""


def _with_official(config: TrainingConfig, rows: Sequence[FilmRow]) -> TrainingConfig:
    """Return the config with the official validation splits, as they are spelled."""
    official = {row.official_split.strip() for row in rows}
    names = tuple(sorted(name for name in official if splits.NAMES.get(name.casefold()) == "val"))
    if not names:
        return config
    data = dataclasses.replace(config.data, validation_splits=names)
    return dataclasses.replace(config, data=data)


def _splits(config: TrainingConfig, rows: Sequence[FilmRow]) -> tuple[Shares, tuple[FilmRow, ...]]:
    """Return the smallest shares with which every split has every finding.

    Of a few thousand films, the salt is that with which the splits are most alike.
    """
    salts = _SALTS if len(rows) <= _FEW else _SALTS[:1]
    options = []
    for validation, test in _FRACTIONS:
        for salt in salts:
            data = dataclasses.replace(
                config.data, validation_fraction=validation, test_fraction=test, split_salt=salt
            )
            cut = tuple(row for row in splits.assign(rows, data) if row.split)
            options.append(((validation, test, salt), cut))
        found = [each for each in options if not _missing(each[1], config.target)]
        if found:
            return min(found, key=lambda each: _difference(each[1], config.target))
    return min(options, key=lambda each: _missing(each[1], config.target))


def _shares(rows: Sequence[FilmRow], target: TargetConfig) -> np.ndarray[Any, Any]:
    """Return the share of films with each finding in each split; NaN where nothing is known."""
    parts = [[row for row in rows if row.split == split] for split in (TRAIN, VALIDATION, TEST)]
    known = [targets_NK(part, target) for part in parts]
    return np.array([
        [y_N[~np.isnan(y_N)].mean() if (~np.isnan(y_N)).any() else np.nan for y_N in y_NK.T]
        for y_NK in known
    ])  # fmt: skip


def _difference(rows: Sequence[FilmRow], target: TargetConfig) -> float:
    shares_SK = _shares(rows, target)
    return float(np.nanmax(np.abs(shares_SK[1:] - shares_SK[:1])))


def _missing(rows: Sequence[FilmRow], target: TargetConfig) -> int:
    """Count the findings that no film, or every film of a split has."""
    shares_SK = _shares(rows, target)
    return int((~((shares_SK > 0) & (shares_SK < 1))).sum())


def _preprocessing(folder: Path, rows: Sequence[FilmRow]) -> PreprocessSpec:
    step = max(1, len(rows) // _SAMPLE)
    refs = [header_of(folder / row.path, folder) for row in rows[::step]]
    sides = [max(ref.rows, ref.columns) for ref in refs if ref is not None]
    median = statistics.median(sides) if sides else 160
    side = 160 if median >= 160 else max(32, 32 * round(median / 32))
    return PreprocessSpec(size=(side, side), standardize="film")


def _optim(train: int) -> OptimConfig:
    batch = 32
    while batch > 4 and train < 4 * batch:
        batch //= 2
    steps = max(1, train // batch)
    return OptimConfig(batch=batch, epochs=min(24, max(5, _STEPS // steps)))


def _counts(rows: Sequence[FilmRow], target: TargetConfig) -> dict[str, dict[str, int]]:
    counts = {}
    for split in (TRAIN, VALIDATION, TEST):
        own = [row for row in rows if row.split == split]
        known_NK = targets_NK(own, target)
        counts[split] = {
            "films": len(own),
            "patients": len({row.patient for row in own}),
            **{r.name: int((known_NK[:, k] == 1).sum()) for k, r in enumerate(target.findings)},
        }
    return counts
