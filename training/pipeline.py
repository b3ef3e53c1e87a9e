"""What a run does, in order: train, calibrate, export, evaluate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from lightning_fabric import Fabric

from training.bundle.card import TEST_FILMS, calibrated, completed, draft_card
from training.bundle.export import best_network, export
from training.bundle.gate_statistics import gated
from training.config import TrainingConfig
from training.data.films import Films, Say, load_films
from training.data.manifest import FilmRow
from training.data.splits import TEST, VALIDATION
from training.data.targets import targets_NK
from training.evaluation.evaluate import Subject, classes, truths, write_figures
from training.evaluation.metrics import Truth, agreement, figures, plain
from training.evaluation.operating_points import choose
from training.evaluation.scoring import Scored, score_films
from training.finish import conclude
from training.loop.loop import train as train_network
from training.loop.processes import start_processes
from training.loop.progress import Progress
from training.networks.cut_network import CutNetwork
from training.runs import RunFolder, now_utc, weights_sha256
from xrayview.domain.model import ModelCard, OperatingPoint
from xrayview.inference.calibration import fit_temperature
from xrayview.io.model.bundle import read_card

CARD_FIGURES = ("auc", "accuracy", "sensitivity", "specificity", "ece", "brier")


def run_recipe(
    config: TrainingConfig,
    data: Path,
    cache: Path,
    open_run: Callable[[Films], RunFolder],
    say: Say,
    report: bool = True,
    test: bool = True,
) -> None:
    """A whole run, on every process that Fabric starts; the first one reads, writes and speaks.

    `open_run` makes the run folder for these films, or finds the one to go on with. `report` ends
    it with the shortcut audit and the report; both look at test films, which without `test` nobody
    does.
    """
    fabric = start_processes(config.run, config.network)
    tell: Say = say if fabric.is_global_zero else (lambda _line: None)
    with fabric.rank_zero_first():
        films = load_films(config, data, cache, tell)
    run = RunFolder(fabric.broadcast(open_run(films).path if fabric.is_global_zero else Path()))
    train(config, films, run, fabric, tell)
    if fabric.is_global_zero:
        judged = finish(config, films, run, data, tell, test)
        if report and test:
            conclude(config, run, data, cache, tell, judged[TEST])


def train(
    config: TrainingConfig, films: Films, run: RunFolder, fabric: Fabric, say: Say
) -> Progress:
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
            weights_sha256=weights_sha256(run),
        )
    return progress


def finish(
    config: TrainingConfig,
    films: Films,
    run: RunFolder,
    data: Path,
    say: Say,
    test: bool = True,
) -> dict[str, Scored]:
    """Make the bundle of the best weights: calibrated and judged through the app's own path.

    Returns what it was judged by, for each split.
    """
    note_test_films(run, test, say)
    network = best_network(config, run)
    draft = draft_card(config, run.read_facts(), network.stride)
    return bundled(config, network, draft, films.manifest.rows, run, data, say, test)


def note_test_films(run: RunFolder, judged: bool, say: Say) -> None:
    """Write into run.json, for the card, whether the run's end looks at the test films."""
    run.add_facts(test_films=TEST_FILMS[judged])
    say(f"test films: {TEST_FILMS[judged]}")


def bundled(
    config: TrainingConfig,
    network: CutNetwork,
    draft: ModelCard,
    rows: Sequence[FilmRow],
    run: RunFolder,
    data: Path,
    say: Say,
    test: bool,
) -> dict[str, Scored]:
    """Write the run's bundle of a finished network, and its figures.

    Temperature and operating points come from validation; nothing comes from the test films, which
    are judged only with `test`. Each film is judged once: a bundle's card changes no logit.
    Returns the judged films of each split, under the bundle's card.
    """
    bundle = run.bundle(config)
    loaded = export(network, draft, bundle)
    scored = {
        split: score_films(loaded, draft, [row for row in rows if row.split == split], data)
        for split in ((VALIDATION, TEST) if test else (VALIDATION,))
    }
    card = fitted_card(config, draft, scored)
    card, extra = gated(loaded, card, rows, data, say)
    loaded = export(network, card, bundle, extra)
    subject = Subject(bundle, read_card(bundle), config)
    judged = {split: films.under(subject.card, loaded) for split, films in scored.items()}
    for split, films in judged.items():
        write_figures(subject, loaded, films, run.path / split, say)
    say(f"bundle {bundle}")
    return judged


def fitted_card(
    config: TrainingConfig, draft: ModelCard, scored: Mapping[str, Scored]
) -> ModelCard:
    """The card with temperature and operating points from the validation films, and figures.

    `scored` names the splits whose figures the card gets; validation must be among them.
    """
    validation = scored[VALIDATION]
    card = calibrated(draft, _temperatures(config, validation), VALIDATION)
    points: list[OperatingPoint] = []
    target, asked = config.target, config.evaluation
    for name, (films, truth_N) in truths(validation, target).items():
        scores_N = films.scores_N(card, name)
        points += choose(
            name, truth_N, scores_N, asked.high_sensitivity, asked.high_specificity,
            asked.fixed_points,
        )  # fmt: skip
    thresholds = {point.finding: point.threshold for point in reversed(points)}
    return completed(
        card,
        tuple(points),
        {split: _metrics(config, card, films, thresholds) for split, films in scored.items()},
        {rule.name: validation.scores_N(card, rule.name) for rule in target.findings},
    )


def _temperatures(config: TrainingConfig, validation: Scored) -> tuple[float, ...]:
    target = config.target
    if target.activation == "softmax":
        y_NK = targets_NK(validation.rows, target)
        return (fit_temperature(validation.logits_NF, y_NK.argmax(axis=1), "softmax"),)
    # A binary pair shares one logit, and so one temperature.
    return tuple(
        _temperature(films.logits_NF[:, place], truth_N)
        for place, (films, truth_N) in enumerate(truths(validation, target).values())
    )


def _temperature(logits_N: npt.NDArray[np.float64], truth_N: Truth) -> float:
    """1, as the network gave it, where films of one kind only would ask for an endless one."""
    if truth_N.all() or not truth_N.any():
        return 1.0
    return fit_temperature(logits_N, truth_N.astype(np.int64), "sigmoid")


def _metrics(
    config: TrainingConfig, card: ModelCard, films: Scored, thresholds: dict[str, float]
) -> dict[str, dict[str, float | int | None]]:
    """Figures per name; with several findings the finding comes first: `Effusion auc`.

    `accuracy` alone is that of all classes together.
    """
    found: dict[str, dict[str, float | int | None]] = {}
    target, draws = config.target, config.evaluation.bootstrap
    for finding, (known, truth_N) in truths(films, target).items():
        if not truth_N.size:
            continue
        scores_N = known.scores_N(card, finding)
        patients = [row.patient for row in known.rows]
        judged = figures(truth_N, scores_N, patients, thresholds[finding], draws)
        prefix = f"{finding} " if len(target.findings) > 1 else ""
        found |= {prefix + name: plain(judged[name]) for name in CARD_FIGURES}
    if target.task == "multiclass":
        patients = [row.patient for row in films.rows]
        found["accuracy"] = plain(agreement(*classes(films, target), patients, draws))
    return found
