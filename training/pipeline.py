"""What a run does, in order: train, calibrate, export, evaluate."""

from __future__ import annotations

from pathlib import Path

from training.config import TrainingConfig
from training.data.films import Films, Say
from training.loop import train as train_network
from training.runs import RunFolder, now_utc


def train(config: TrainingConfig, films: Films, run: RunFolder, say: Say) -> None:
    """Train from the last checkpoint, or from the start; a finished run is left as it is."""
    counts = films.manifest.counts()
    say(f"run {run.path}")
    for split, numbers in counts.items():
        say(f"  {split:10s} " + "  ".join(f"{k} {v}" for k, v in numbers.items()))
    progress = train_network(config, films, run, say)
    run.add_facts(
        finished_utc=now_utc(),
        epochs=progress.epoch,
        best_epoch=progress.best_epoch,
        best_weights=progress.best_weights,
        training_seconds=round(progress.seconds),
    )


def finish(config: TrainingConfig, films: Films, run: RunFolder, data: Path, say: Say) -> None:
    """Make the bundle of the best weights, then judge validation and test films with it."""
