"""The steps of a run: train, calibrate, export, evaluate."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from lightning_fabric import Fabric

from training.bundle.card import (
    TEST_FILMS,
    calibration_notes,
    draft_card,
    with_calibration,
    with_results,
)
from training.bundle.export import best_network, export
from training.bundle.gate_statistics import with_gate
from training.bundle.identity import bundle_identity, identity_notes
from training.config import TargetConfig, TrainingConfig
from training.data.batches import steps_per_epoch
from training.data.films import Films, Say, gather_films, require_trainable, summary
from training.data.manifest import FilmRow
from training.data.splits import TEST, TRAIN, VALIDATION
from training.data.targets import targets_NK
from training.evaluation.evaluate import true_and_predicted, truth_by_finding, write_metrics
from training.evaluation.metrics import (
    Truth,
    chance_note,
    class_accuracy,
    estimate_as_json,
    estimate_from_json,
    estimate_metrics,
)
from training.evaluation.models import EvaluatedModel
from training.evaluation.operating_points import choose_operating_points
from training.evaluation.scoring import ScoredFilms, score_films
from training.finish import finish_run
from training.loop.loop import train as train_network
from training.loop.processes import start_processes
from training.loop.progress import Progress
from training.networks.cut_network import CutNetwork
from training.runs import RunFolder, now_utc, weights_sha256
from xrayview.domain.model import ModelCard, OperatingPoint
from xrayview.inference.calibration import MAX_TEMPERATURE, MIN_TEMPERATURE, fit_temperature
from xrayview.io.model.bundle import read_card

_AT_BOUND = 1.01
"""Factor within which a fitted temperature counts as its bound."""
CARD_METRICS = ("auc", "accuracy", "sensitivity", "specificity", "ece", "brier")


def run_recipe(
    config: TrainingConfig,
    data: Path,
    cache: Path,
    open_run: Callable[[Films], AbstractContextManager[RunFolder]],
    say: Say,
    report: bool = True,
    test: bool = True,
) -> None:
    """Execute a whole run in every process that Fabric starts; the first one writes and prints.

    `open_run` creates the run folder for these films, or opens the one to resume, and holds its
    lock until its block ends. With `test` the bundle is evaluated on the test films; with `report`
    too, the run ends with the shortcut audit and the report, which also use them.

    Raises:
        UsageError: another process is at work on the run.
    """
    fabric = start_processes(config.run, config.network)
    say_once: Say = say if fabric.is_global_zero else (lambda _line: None)
    with fabric.rank_zero_first():
        films = gather_films(config, data, cache, say_once)
    for line in summary(films):
        say_once(line)
    facts = {
        "manifest_sha256": films.manifest.sha256,
        "film_sources": films.manifest.sources(),
    }
    for note in identity_notes(bundle_identity(config, facts)):
        say_once(f"note       {note}")
    require_trainable(films, config)
    _require_enough(films, config.optim.batch * fabric.world_size)
    with ExitStack() as lock:
        opened = lock.enter_context(open_run(films)).path if fabric.is_global_zero else Path()
        run = RunFolder(fabric.broadcast(opened))
        train(config, films, run, fabric, say_once)
        if fabric.is_global_zero:
            scored = make_bundle(config, films, run, data, say_once, test)
            if report and test:
                finish_run(config, run, data, cache, say_once, scored[TEST])


def _require_enough(films: Films, batch: int) -> None:
    """Refuse too few films before there is a run folder.

    Raises:
        NothingUsable: there are no training or no validation films.
        UsageError: the training films are fewer than a batch.
    """
    films.part(VALIDATION)
    steps_per_epoch(len(films.part(TRAIN)), batch)


def train(
    config: TrainingConfig, films: Films, run: RunFolder, fabric: Fabric, say: Say
) -> Progress:
    """Train from the last checkpoint or from the start; a finished run is not changed."""
    say(f"run {run.path}")
    progress = train_network(config, films, run, fabric, say)
    if fabric.is_global_zero:
        run.add_facts(
            finished_utc=now_utc(),
            epochs=progress.epoch,
            best_epoch=progress.best_epoch,
            best_weights=progress.best_weights,
            training_seconds=round(progress.seconds),
            weights_sha256=weights_sha256(run),
        )
    return progress


def make_bundle(
    config: TrainingConfig,
    films: Films,
    run: RunFolder,
    data: Path,
    say: Say,
    test: bool = True,
) -> dict[str, ScoredFilms]:
    """Make the bundle of the best weights, calibrated and evaluated by the app's own code.

    Returns the scored films of each split.
    """
    record_test_films(run, test, say)
    network = best_network(config, run)
    draft = draft_card(config, run.read_facts(), network.stride)
    return write_bundle(config, network, draft, films.manifest.rows, run, data, say, test)


def record_test_films(run: RunFolder, used: bool, say: Say) -> None:
    """Record in run.json, for the card, whether the run is evaluated on the test films."""
    run.add_facts(test_films=TEST_FILMS[used])
    say(f"test films: {TEST_FILMS[used]}")


def write_bundle(
    config: TrainingConfig,
    network: CutNetwork,
    draft: ModelCard,
    rows: Sequence[FilmRow],
    run: RunFolder,
    data: Path,
    say: Say,
    test: bool,
) -> dict[str, ScoredFilms]:
    """Write the bundle of a finished network, and its metrics.

    Temperature and operating points come from validation only; test films are scored only with
    `test`. Each film is scored once, since a bundle's card changes no logit. Returns the scored
    films of each split, with the scores of the final card.
    """
    bundle = run.bundle(config)
    # A bundle of this name is a finished one: without its final card it would look like one.
    with tempfile.TemporaryDirectory(dir=run.path) as folder:
        loaded = export(network, draft, Path(folder) / bundle.name)
    scored = {
        split: score_films(loaded, draft, [row for row in rows if row.split == split], data)
        for split in ((VALIDATION, TEST) if test else (VALIDATION,))
    }
    card = fit_card(config, draft, scored)
    for note in calibration_notes(card):
        say(f"note: {note}")
    card, extra = with_gate(loaded, card, rows, data, say)
    loaded = export(network, card, bundle, extra)
    model = EvaluatedModel(bundle, read_card(bundle), config)
    final = {split: films.with_card(model.card, loaded) for split, films in scored.items()}
    for split, films in final.items():
        write_metrics(model, loaded, films, run.path / split, say)
    say(f"bundle {bundle}")
    return final


def fit_card(
    config: TrainingConfig, draft: ModelCard, scored: Mapping[str, ScoredFilms]
) -> ModelCard:
    """Return the card with temperature and operating points fitted on validation, and metrics.

    The card gets the metrics of every split in `scored`; validation must be among them.
    """
    validation = scored[VALIDATION]
    card = with_calibration(draft, _temperatures(config, validation), VALIDATION)
    points: list[OperatingPoint] = []
    target, options = config.target, config.evaluation
    for name, (films, truth_N) in truth_by_finding(validation, target).items():
        scores_N = films.scores_N(card, name)
        points += choose_operating_points(
            name, truth_N, scores_N, options.high_sensitivity, options.high_specificity,
            options.fixed_points,
        )  # fmt: skip
    thresholds = {point.finding: point.threshold for point in reversed(points)}
    metrics = {split: _metrics(config, card, films, thresholds) for split, films in scored.items()}
    card = with_results(
        card,
        tuple(points),
        metrics,
        {rule.name: validation.scores_N(card, rule.name) for rule in target.findings},
    )
    notes = [*_temperature_notes(card, validation, target)]
    notes += _chance_notes(card, target)
    evaluated = {
        split: {"films": len(each.rows), "copies": each.copies, "unread": each.unread}
        for split, each in scored.items()
    }
    training = {**card.training, "calibration_notes": notes, "evaluated_films": evaluated}
    return replace(card, training=training)


def _temperature_notes(
    card: ModelCard, validation: ScoredFilms, target: TargetConfig
) -> Iterator[str]:
    """Yield what a temperature means that is at its bound or could not be fitted."""
    temperatures = card.calibration.temperature
    if target.activation == "softmax":
        yield from _bound_note("all classes", temperatures[0])
        return
    truths = truth_by_finding(validation, target)
    for (name, (_, truth_N)), temperature in zip(truths.items(), temperatures, strict=True):
        if not truth_N.size:
            yield f"{name}: known for no validation film; the temperature is 1, not fitted"
        elif truth_N.all() or not truth_N.any():
            films = "every validation film has it" if truth_N.all() else "no validation film has it"
            yield f"{name}: {films}; the temperature is 1, not fitted"
        else:
            yield from _bound_note(name, temperature)


def _bound_note(name: str, temperature: float) -> Iterator[str]:
    if temperature < MIN_TEMPERATURE * _AT_BOUND:
        yield (
            f"{name}: the temperature is at its lower bound ({MIN_TEMPERATURE:g}): the validation "
            "films are separated without error, so their scores are near 0 or 1 and prove little"
        )
    if temperature > MAX_TEMPERATURE / _AT_BOUND:
        yield (
            f"{name}: the temperature is at its upper bound ({MAX_TEMPERATURE:g}): on validation "
            "the network's output says nothing about the label, so scores are near even odds"
        )


def _chance_notes(card: ModelCard, target: TargetConfig) -> Iterator[str]:
    """Yield the findings that the model does not recognise on the validation films."""
    for rule in target.findings:
        prefix = f"{rule.name} " if len(target.findings) > 1 else ""
        stored = card.metrics[VALIDATION].get(f"{prefix}auc")
        if stored and (note := chance_note(rule.name, estimate_from_json(stored))):
            yield note.replace("these films", "the validation films")


def _temperatures(config: TrainingConfig, validation: ScoredFilms) -> tuple[float, ...]:
    target = config.target
    if target.activation == "softmax":
        y_NK = targets_NK(validation.rows, target)
        return (fit_temperature(validation.logits_NF, y_NK.argmax(axis=1), "softmax"),)
    # A binary pair shares one logit, and so one temperature.
    return tuple(
        _temperature(films.logits_N(f), truth_N)
        for f, (films, truth_N) in enumerate(truth_by_finding(validation, target).values())
    )


def _temperature(logits_N: npt.NDArray[np.float64], truth_N: Truth) -> float:
    """Fit the temperature; 1 if all films are of one class, where the optimum is infinite."""
    if truth_N.all() or not truth_N.any():
        return 1.0
    return fit_temperature(logits_N, truth_N.astype(np.int64), "sigmoid")


def _metrics(
    config: TrainingConfig, card: ModelCard, films: ScoredFilms, thresholds: dict[str, float]
) -> dict[str, dict[str, float | int | None]]:
    """Return the card's metrics by name; with several findings `Effusion auc` and so on.

    `accuracy` without a finding is that of all classes together.
    """
    metrics: dict[str, dict[str, float | int | None]] = {}
    target, draws = config.target, config.evaluation.bootstrap
    for finding, (known, truth_N) in truth_by_finding(films, target).items():
        if not truth_N.size:
            continue
        scores_N = known.scores_N(card, finding)
        patients = [row.patient for row in known.rows]
        estimates = estimate_metrics(truth_N, scores_N, patients, thresholds[finding], draws)
        prefix = f"{finding} " if len(target.findings) > 1 else ""
        metrics |= {prefix + name: estimate_as_json(estimates[name]) for name in CARD_METRICS}
    if target.task == "multiclass":
        patients = [row.patient for row in films.rows]
        accuracy = class_accuracy(*true_and_predicted(films, target), patients, draws)
        metrics["accuracy"] = estimate_as_json(accuracy)
    return metrics
