"""The training loop: learns, stops, resumes to the same weights, never steps on a NaN."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.conftest import make_data
from training.config import TrainingConfig, with_overrides
from training.data.films import Films, load_films
from training.loop import loop
from training.loop.loop import NotFinite, Progress
from training.loop.processes import start_processes
from training.runs import RunFolder, new_run
from xrayview.errors import Cancelled


@pytest.fixture(scope="module")
def films(
    tiny_config: TrainingConfig, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Films:
    return load_films(tiny_config, tiny_data, tmp_path_factory.mktemp("cache"))


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    state = torch.load(run.last, weights_only=True)
    return {f"{part}.{k}": v for part in ("network", "averaged") for k, v in state[part].items()}


def same(one: RunFolder, other: RunFolder) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def silent(line: str) -> None:
    pass


def train(
    config: TrainingConfig, films: Films, run: RunFolder, say: Callable[[str], None]
) -> Progress:
    return loop.train(config, films, run, start_processes(config.run), say)


def test_that_it_overfits_8_films(tiny_config: TrainingConfig, tmp_path: Path):
    settings = (
        "data.validation_fraction=0.4", "optim.epochs=60", "optim.batch=8", "stopping.patience=60",
        "augment.flip=0", "augment.rotate_deg=0", "augment.shift=0", "augment.zoom=0",
        "augment.noise=0", "optim.label_smoothing=0", "network.dropout=0", "optim.rate=2e-2",
    )  # fmt: skip
    config = with_overrides(tiny_config, settings)
    films = load_films(config, make_data(tmp_path / "data", train=18, test=2), tmp_path / "cache")
    assert len(films.part("train")) == 8
    run = new_run(tmp_path / "runs", "overfit")
    train(config, films, run, silent)
    lines = run.log.read_text().splitlines()
    losses = [float(line.split(",")[1]) for line in lines[1:]]
    assert losses[0] > 0.5
    assert losses[-1] < 0.1


def test_that_the_same_seed_gives_the_same_weights_and_another_seed_others(
    tiny_config: TrainingConfig, films: Films, tmp_path: Path
):
    runs = [new_run(tmp_path, "run") for _ in range(3)]
    train(tiny_config, films, runs[0], silent)
    train(tiny_config, films, runs[1], silent)
    train(with_overrides(tiny_config, ["run.seed=2"]), films, runs[2], silent)
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


@pytest.mark.parametrize("stop_at", [(0, 2), (1, 1)], ids=["first epoch", "second epoch"])
def test_that_a_run_stopped_inside_an_epoch_resumes_to_the_same_weights(
    tiny_config: TrainingConfig,
    films: Films,
    tmp_path: Path,
    stop_at: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
):
    whole, resumed = new_run(tmp_path, "whole"), new_run(tmp_path, "resumed")
    train(tiny_config, films, whole, silent)
    draw = loop.TrainingBatches.batch

    def draw_then_signal(
        self: loop.TrainingBatches, epoch: int, step: int, *parallel: object
    ) -> loop.Batch:
        if (epoch, step) == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return draw(self, epoch, step, *parallel)

    monkeypatch.setattr(loop.TrainingBatches, "batch", draw_then_signal)
    with pytest.raises(Cancelled, match="--resume"):
        train(tiny_config, films, resumed, silent)
    monkeypatch.undo()
    progress = train(tiny_config, films, resumed, silent)
    assert progress.epoch == 2
    assert same(whole, resumed)
    logs = [run.log.read_text().splitlines() for run in (whole, resumed)]
    without_time = [[line.rsplit(",", 2)[0] for line in lines] for lines in logs]
    assert without_time[0] == without_time[1]
    assert torch.load(whole.best, weights_only=True)["epoch"] == progress.best_epoch


def test_that_a_run_killed_without_warning_resumes_from_its_last_epoch(
    tiny_config: TrainingConfig, films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole, killed = new_run(tmp_path, "whole"), new_run(tmp_path, "killed")
    train(tiny_config, films, whole, silent)
    draw = loop.TrainingBatches.batch

    def draw_or_die(
        self: loop.TrainingBatches, epoch: int, step: int, *parallel: object
    ) -> loop.Batch:
        if (epoch, step) == (1, 1):
            raise SystemExit
        return draw(self, epoch, step, *parallel)

    monkeypatch.setattr(loop.TrainingBatches, "batch", draw_or_die)
    with pytest.raises(SystemExit):
        train(tiny_config, films, killed, silent)
    monkeypatch.undo()
    train(tiny_config, films, killed, silent)
    assert same(whole, killed)
    assert len(killed.log.read_text().splitlines()) == 3


def test_that_a_finished_run_is_not_trained_further(
    tiny_config: TrainingConfig, films: Films, tmp_path: Path
):
    run = new_run(tmp_path, "run")
    train(tiny_config, films, run, silent)
    before = run.last.read_bytes()
    train(tiny_config, films, run, silent)
    assert run.last.read_bytes() == before


def test_that_a_loss_of_nan_stops_before_the_step_and_names_the_films(
    tiny_config: TrainingConfig, films: Films, tmp_path: Path
):
    greys = np.array(films.greys_NHW)
    bad = films.part("train").indices[0]
    greys[bad] = np.nan
    broken = Films(films.manifest, greys, films.targets_NK, ())
    run = new_run(tmp_path, "run")
    with pytest.raises(NotFinite, match=films.manifest.rows[bad].path):
        train(tiny_config, broken, run, silent)
    if run.last.is_file():  # the film came in a later epoch
        assert all(torch.isfinite(v).all() for v in weights(run).values())


def test_that_training_stops_early_when_validation_does_not_improve(
    tiny_config: TrainingConfig, films: Films, tmp_path: Path
):
    config = with_overrides(
        tiny_config, ["optim.epochs=50", "stopping.patience=1", "optim.rate=1e-9"]
    )
    progress = train(config, films, new_run(tmp_path, "run"), silent)
    assert progress.epoch < 50
    assert progress.best_epoch == progress.epoch - 1


def test_that_one_training_saves_the_best_weights_by_each_metric(
    tiny_config: TrainingConfig, films: Films, tmp_path: Path
):
    few = with_overrides(tiny_config, ["optim.epochs=5", "stopping.patience=2"])
    both = with_overrides(few, ["stopping.monitor=accuracy", "stopping.also=recall"])
    one = new_run(tmp_path, "both")
    progress = train(both, films, one, silent)
    for metric, chosen in (("accuracy", one.best), ("recall", one.best_by("recall"))):
        alone = new_run(tmp_path, metric)
        train(with_overrides(few, [f"stopping.monitor={metric}"]), films, alone, silent)
        saved, expected = (torch.load(p, weights_only=True) for p in (chosen, alone.best))
        assert saved["epoch"] == expected["epoch"] == progress.monitored[metric].epoch
        assert all(torch.equal(saved["weights"][k], v) for k, v in expected["weights"].items())
