"""A tiny data set of real files and a recipe that trains on it in a second."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.config import TrainingConfig, with_overrides
from training.recipes import recipe

HEADER = ("path", "dataset", "split", "label", "patient_id", "sex", "age", "view")
TINY = (
    "preprocessing.size=32", "network.stem=4", "network.widths=[4,8]", "network.depths=[1,1]",
    "network.strides=[2,1]", "optim.batch=4", "optim.epochs=2", "optim.rate=5e-3",
    "data.validation_fraction=0.3", "evaluation.bootstrap=20", "run.device=cpu",
    "augment.surroundings=0",
    "augment.placement=0",
)  # fmt: skip


def write_film(path: Path, seed: int, bright: bool) -> None:
    """Write a 40 x 48 PNG of noise; a bright disc is the finding."""
    pixels = np.random.default_rng(seed).integers(0, 90, (40, 48)).astype(np.uint8)
    if bright:
        cv2.circle(pixels, (16 + seed % 12, 20), 7, 230, -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def write_table(folder: Path, rows: list[tuple[str, ...]]) -> None:
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([HEADER, *rows])


def make_data(folder: Path, train: int = 32, test: int = 12) -> Path:
    """Write films of different patients, every second one with the finding."""
    rows = []
    for number in range(train + test):
        split = "train" if number < train else "test"
        label = ("normal", "viral pneumonia")[number % 2]
        path = f"films/{split}-{number:02d}.png"
        write_film(folder / path, number, bright=bool(number % 2))
        rows.append((path, "kermany", split, label, f"{split}:child{number}", "", "", "AP"))
    write_table(folder, rows)
    return folder


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def tiny_config() -> TrainingConfig:
    return with_overrides(recipe("normal-pneumonia-small"), TINY)
