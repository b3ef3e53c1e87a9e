"""What a run does, in order: train, calibrate, export, evaluate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric

from training.card import calibrated, completed, draft_card
from training.config import TrainingConfig
from training.data.films import Films, Say, load_films
from training.data.splits import TEST, VALIDATION
from training.evaluate import Subject, evaluate, truths
from training.export import best_network, export
from training.figures import figures, plain
from training.loop import train as train_network
from training.operating_points import choose
from training.processes import start_processes
from training.runs import RunFolder, now_utc
from training.scoring import Scored, score_films
from xrayview.domain.model import ModelCard, OperatingPoint
from xrayview.inference.calibration import fit_temperature
from xrayview.io.bundle import read_card

CARD_FIGURES = ("auc", "accuracy", "sensitivity", "specificity", "ece", "brier")


def run_recipe(
    config: TrainingConfig,
    data: Path,
    cache: Path,
    open_run: Callable[[Films], RunFolder],
    say: Say,
) -> None:
    """A whole run, on every process that Fabric starts; the first one reads, writes and speaks.

    `open_run` makes the run folder for these films, or finds the one to go on with.
    """
    fabric = start_processes(config.run)
    tell: Say = say if fabric.is_global_zero else (lambda _line: None)
    with fabric.rank_zero_first():
        films = load_films(config, data, cache, tell)
    run = RunFolder(fabric.broadcast(open_run(films).path if fabric.is_global_zero else Path()))
    train(config, films, run, fabric, tell)
    if fabric.is_global_zero:
        finish(config, films, run, data, tell)


def train(config: TrainingConfig, films: Films, run: RunFolder, fabric: Fabric, say: Say) -> None:
    """Train from the last checkpoint, or from the start; a finished run is left as it is."""
    say(f"run {run.path}")
    for split, numbers in films.manifest.counts().items():
        say(f"  {split:10s} " + "  ".join(f"{k} {v}" for k, v in numbers.items()))
    progress = train_network(config, films, run, fabric, say)
    if fabric.is_global_zero:
        run.add_facts(
            finished_utc=now_utc(),
            epochs=progress.epoch,
            best_epoch=progress.best_epoch,
            best_weights=progress.best_weights,
            training_seconds=round(progress.seconds),
        )


def finish(config: TrainingConfig, films: Films, run: RunFolder, data: Path, say: Say) -> Path:
    """Make the bundle of the best weights: calibrated and judged through the app's own path.

    Temperature and operating points come from validation; the test films are judged once, with
    everything already chosen. Returns the bundle's path.
    """
    bundle = run.bundle(config)
    network = best_network(config, run)
    draft = draft_card(config, run.read_facts(), network.stride)
    loaded = export(network, draft, bundle)
    scored = {
        split: score_films(
            loaded, draft, [films.manifest.rows[i] for i in films.manifest.indices(split)], data
        )
        for split in (VALIDATION, TEST)
    }
    card = _complete(config, draft, scored[VALIDATION], scored[TEST])
    export(network, card, bundle)
    for split in scored:
        subject = Subject(bundle, read_card(bundle), config)
        evaluate(subject, data, split, run.path / split, "cpu", say)
    say(f"bundle {bundle}")
    return bundle


def _complete(
    config: TrainingConfig, draft: ModelCard, validation: Scored, test: Scored
) -> ModelCard:
    card = calibrated(draft, _temperatures(config, validation), VALIDATION)
    points: list[OperatingPoint] = []
    target, asked = config.target, config.evaluation
    for rule, truth_N in zip(target.findings, truths(validation, target), strict=True):
        points += choose(
            rule.name,
            truth_N,
            validation.scores_N(card, rule.name),
            asked.high_sensitivity,
            asked.high_specificity,
        )
    thresholds = {point.finding: point.threshold for point in reversed(points)}
    return completed(
        card,
        tuple(points),
        {
            split: _metrics(config, card, films, thresholds)
            for split, films in ((VALIDATION, validation), (TEST, test))
        },
        {rule.name: validation.scores_N(card, rule.name) for rule in target.findings},
    )


def _temperatures(config: TrainingConfig, validation: Scored) -> tuple[float, ...]:
    known = truths(validation, config.target)
    fitted = [
        fit_temperature(validation.logits_NF[:, place], truth_N.astype(np.int64), "sigmoid")
        for place, truth_N in enumerate(known)
    ]
    # A binary pair shares one logit, and so one temperature.
    return tuple(fitted)


def _metrics(
    config: TrainingConfig, card: ModelCard, films: Scored, thresholds: dict[str, float]
) -> dict[str, dict[str, float | int | None]]:
    """Figures per name; with several findings the finding comes first: `Effusion auc`."""
    found: dict[str, dict[str, float | int | None]] = {}
    rules = config.target.findings
    patients = [row.patient for row in films.rows]
    for rule, truth_N in zip(rules, truths(films, config.target), strict=True):
        scores_N = films.scores_N(card, rule.name)
        draws = config.evaluation.bootstrap
        judged = figures(truth_N, scores_N, patients, thresholds[rule.name], draws)
        prefix = f"{rule.name} " if len(rules) > 1 else ""
        found |= {prefix + name: plain(judged[name]) for name in CARD_FIGURES}
    return found
