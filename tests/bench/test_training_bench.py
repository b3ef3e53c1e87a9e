"""Films per second of the training loop, compared with a torchvision loop and the bare step.

All three train the same network on the same films in turns. `extra_info` has the ratios of the
medians, which are comparable between machines. The torchvision loop follows torchvision's examples:
ImageFolder, transforms, DataLoader, eager float32, the default memory layout; the faster of none
and two workers counts.
"""

from __future__ import annotations

import csv
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from training.config import TrainingConfig, with_overrides
from training.data.films import load_films
from training.loop.loop import _Training
from training.loop.processes import start_processes
from training.loop.signals import stop_requests
from training.loop.speed import Throughput
from training.networks import build as networks
from training.recipes import recipe
from training.runs import new_run

pytest.importorskip("PIL", reason="ImageFolder reads with Pillow")

FILMS = int(os.environ.get("XRAYVIEW_BENCH_FILMS", "96"))
ROUNDS = int(os.environ.get("XRAYVIEW_BENCH_ROUNDS", "7"))
CLASSES = {"normal": "normal", "bacterial pneumonia": "pneumonia", "viral pneumonia": "pneumonia"}


def class_folders(films_dir: Path, folder: Path) -> Path:
    """Link real films into `train/CLASS` in equal parts, and a few into `val/CLASS`."""
    counts: dict[tuple[str, str], int] = {}
    with (films_dir / "labels.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            name = CLASSES.get(row["label"])
            if row["dataset"] != "kermany" or row["split"] != "train" or name is None:
                continue
            for part, limit in (("train", FILMS // 2), ("val", 8)):
                if counts.get((part, name), 0) < limit:
                    counts[part, name] = counts.get((part, name), 0) + 1
                    link = folder / part / name / Path(row["path"]).name
                    link.parent.mkdir(parents=True, exist_ok=True)
                    os.link(films_dir / row["path"], link)
                    break
    return folder


@pytest.fixture(scope="module")
def data(films_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_folders(films_dir, tmp_path_factory.mktemp("films"))


def our_config() -> TrainingConfig:
    """The small recipe without what needs lung masks."""
    settings = (
        "data.reader=folders", "data.validation_splits=val", "data.fewest_validation=1",
        "data.leaks=allow", "augment.surroundings=0", "augment.placement=0", "run.device=cpu",
    )  # fmt: skip
    return with_overrides(recipe("normal-pneumonia-small"), settings)


class OurLoop:
    """The training loop's epoch: batches, steps, averaged weights; no validation."""

    def __init__(self, data: Path, folder: Path) -> None:
        config = our_config()
        films = load_films(config, data, folder / "cache")
        run = new_run(folder, "bench")
        self.training = _Training(config, films, run, start_processes(config.run), lambda _: None)
        self.films = self.training.batches.steps * config.optim.batch
        self.loader = self.training.open_loader()

    def epoch(self) -> None:
        with stop_requests() as stop:
            self.training._train_epoch(self.loader, stop, Throughput(1, 1))
        progress = self.training.progress
        progress.epoch, progress.step, progress.loss_sum = progress.epoch + 1, 0, 0.0

    def bare_steps(self) -> None:
        """Run the steps of an epoch on a batch that is already prepared."""
        batch = self.training.batches.batch(0, 0)
        for _ in range(self.training.batches.steps):
            self.training._step(batch)


class TorchvisionLoop:
    """A loop as in torchvision's examples, with the same network and kinds of augmentation."""

    def __init__(self, data: Path, workers: int) -> None:
        config = our_config()
        augment, size = config.augment, config.preprocessing.size
        transform = transforms.Compose([
            transforms.Grayscale(),
            transforms.Resize(size),
            transforms.RandomAffine(
                augment.rotate_deg, (augment.shift, augment.shift),
                (1 - augment.zoom, 1 + augment.zoom),
                interpolation=transforms.InterpolationMode.BILINEAR,
            ),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(brightness=0.1, contrast=0.1),
            transforms.ToTensor(),
            transforms.Normalize(0.5, 0.25),
        ])  # fmt: skip
        films = datasets.ImageFolder(str(data / "train"), transform)
        self.loader = DataLoader(
            films, config.optim.batch, shuffle=True, drop_last=True, num_workers=workers,
            persistent_workers=workers > 0,
        )  # fmt: skip
        self.network = networks.build(config.network, 1, 1, seed=1).train()
        self.optimizer = torch.optim.AdamW(self.network.parameters(), config.optim.rate)

    def epoch(self) -> None:
        for x_BCHW, y_B in self.loader:
            logits_B = self.network(x_BCHW)[:, 0]
            loss = functional.binary_cross_entropy_with_logits(logits_B, y_B.float())
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


def seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start


@pytest.mark.films
@pytest.mark.timeout(3600)
def test_films_per_second_of_the_training_loop(benchmark: Any, data: Path, tmp_path: Path) -> None:
    ours = OurLoop(data, tmp_path)
    torchvision_loops = {f"torchvision, {n} workers": TorchvisionLoop(data, n) for n in workers()}
    loops = {"loop": ours.epoch, "bare step": ours.bare_steps}
    loops |= {name: loop.epoch for name, loop in torchvision_loops.items()}
    # On a busy machine, the CPU time of a single thread is more reliable than wall time.
    single_threaded = torch.get_num_threads() == 1 and workers() == (0,)
    clock = time.process_time if single_threaded else time.perf_counter
    for work in loops.values():
        work()  # the first epoch fills caches
    times = {name: [] for name in loops}
    for _ in range(ROUNDS):
        for name, work in loops.items():
            times[name].append(seconds(work, clock))
    medians = {name: statistics.median(found) for name, found in times.items()}
    benchmark.pedantic(ours.epoch)
    ours.loader.__exit__()
    benchmark.extra_info |= {
        "clock": clock.__name__,
        "threads": torch.get_num_threads(),
        **{f"{name}, films per second": round(ours.films / t, 1) for name, t in medians.items()},
        "over torchvision": round(
            min(medians[name] for name in torchvision_loops) / medians["loop"], 3
        ),
        "of the bare step": round(medians["bare step"] / medians["loop"], 3),
    }
    print("\n" + "\n".join(f"{name}: {value}" for name, value in benchmark.extra_info.items()))


def workers() -> tuple[int, ...]:
    """Return the numbers of workers to try: none and two, or none on a single core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (0, 2) if (cores or 1) > 1 else (0,)
