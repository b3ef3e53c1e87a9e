"""Progress of a run, with a best epoch for each monitored metric."""

from __future__ import annotations

import math

from training.config import with_overrides
from training.loop.progress import BestEpoch, Progress
from training.recipes import recipe


def test_that_the_state_survives_a_round_trip():
    progress = Progress.start(("accuracy", "recall"))
    progress.epoch, progress.loss_sum, progress.monitored["recall"].best = 3, 0.25, 0.5
    assert Progress.from_state(progress.as_state(), ("accuracy", "recall")) == progress


def test_that_a_checkpoint_with_a_single_best_epoch_is_read():
    old = {
        "epoch": 4, "step": 2, "loss_sum": 1.5, "best": 0.25, "best_epoch": 3,
        "best_weights": "averaged", "waited": 1, "seconds": 9.0, "lowest_loss": math.inf,
        "stale": 0, "rate_scale": 1.0,
    }  # fmt: skip
    progress = Progress.from_state(old, ("loss",))
    assert progress.monitored == {"loss": BestEpoch(0.25, 3, "averaged", 1)}
    assert (progress.epoch, progress.step, progress.best_epoch) == (4, 2, 3)


def test_that_a_metric_is_not_improvable_once_its_patience_has_run_out():
    progress = Progress(
        {"accuracy": BestEpoch(0.1, 2, "raw", 3), "recall": BestEpoch(0.2, 4, "raw", 0)}
    )
    assert [name for name, _ in progress.improvable(3)] == ["recall"]
    assert list(progress.improvable(0)) == []


def test_that_the_monitor_comes_first_and_counts_once():
    config = with_overrides(
        recipe("normal-pneumonia-small"),
        ["stopping.monitor=accuracy", 'stopping.also=["recall","accuracy"]'],
    )
    assert config.stopping.monitored_metrics == ("accuracy", "recall")
