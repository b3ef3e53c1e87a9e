"""How far a run has come: one best epoch for each figure that is watched."""

from __future__ import annotations

import math

from training.config import with_overrides
from training.loop.progress import Progress, Watch
from training.recipes import recipe


def test_that_the_state_comes_back_whole():
    progress = Progress.fresh(("accuracy", "recall"))
    progress.epoch, progress.loss_sum, progress.watches["recall"].best = 3, 0.25, 0.5
    assert Progress.from_state(progress.as_state(), ("accuracy", "recall")) == progress


def test_that_a_checkpoint_with_one_best_epoch_is_still_read():
    old = {
        "epoch": 4, "step": 2, "loss_sum": 1.5, "best": 0.25, "best_epoch": 3,
        "best_weights": "averaged", "waited": 1, "seconds": 9.0, "lowest_loss": math.inf,
        "stale": 0, "rate_scale": 1.0,
    }  # fmt: skip
    progress = Progress.from_state(old, ("loss",))
    assert progress.watches == {"loss": Watch(0.25, 3, "averaged", 1)}
    assert (progress.epoch, progress.step, progress.best_epoch) == (4, 2, 3)


def test_that_a_figure_whose_patience_has_ended_is_out_for_good():
    progress = Progress({"accuracy": Watch(0.1, 2, "raw", 3), "recall": Watch(0.2, 4, "raw", 0)})
    assert [name for name, _ in progress.waiting(3)] == ["recall"]
    assert list(progress.waiting(0)) == []


def test_that_the_monitor_comes_first_and_counts_once():
    config = with_overrides(
        recipe("normal-pneumonia-small"),
        ["stopping.monitor=accuracy", 'stopping.also=["recall","accuracy"]'],
    )
    assert config.stopping.watched == ("accuracy", "recall")
