"""Features of a frozen backbone are computed once per film, and training gives the same result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from training.config import TrainingConfig, with_overrides
from training.data.films import Films, load_films
from training.loop.loop import train
from training.loop.processes import start_processes
from training.networks import build as networks
from training.networks import frozen_features
from training.networks.frozen_features import has_constant_features, load_features
from training.runs import RunFolder, new_run
from xrayview.preprocessing.pipeline import Preprocessor

CONSTANT = (
    "network.architecture=resnet18", "network.trainable_layers=0", "optim.ema_decay=0",
    "optim.rate=1e-2", "augment.rotate_deg=0", "augment.shift=0", "augment.zoom=0",
    "augment.squeeze=0", "augment.flip=0", "augment.gamma=0", "augment.noise=0",
    "augment.tone=0", "augment.sharpness=0",
    "network.dropout=0", "augment.surroundings=0",
    "augment.placement=0",
)  # fmt: skip


@pytest.fixture(scope="module")
def config(tiny_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainingConfig:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
    return with_overrides(tiny_config, [*CONSTANT, f"network.initial_weights={path}"])


def load(config: TrainingConfig, data: Path, cache: Path) -> Films:
    return load_films(config, data, cache)


def silent(line: str) -> None:
    """Print nothing."""


def losses(run: RunFolder) -> list[list[float]]:
    return [
        [float(cell) for cell in line.split(",")[1:4]]
        for line in run.log.read_text().splitlines()[1:]
    ]


def test_that_training_on_features_is_training_on_films(
    config: TrainingConfig, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    films = load(config, tiny_data, tmp_path / "cache")
    short, long = new_run(tmp_path, "features"), new_run(tmp_path, "films")
    train(config, films, short, start_processes(config.run), silent)
    monkeypatch.setattr(frozen_features, "has_constant_features", lambda _config: False)
    train(config, films, long, start_processes(config.run), silent)
    np.testing.assert_allclose(losses(short), losses(long), atol=2e-4)
    assert len(list((tmp_path / "cache").glob("features-*.npy"))) == 2
    one, other = (torch.load(run.last, weights_only=True)["network"] for run in (short, long))
    torch.testing.assert_close(one, other, atol=2e-4, rtol=1e-3)


def test_that_features_computed_before_a_kill_are_kept(
    config: TrainingConfig, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    films = load(config, tiny_data, tmp_path / "cache")
    network = networks.build(config.network, 1, 1, seed=0)
    preprocessor = Preprocessor(config.preprocessing)
    compute, seen = frozen_features._compute, []

    def compute_or_die(network, part, preprocessor):
        if seen:
            raise SystemExit
        seen.append(part.names)
        return compute(network, part, preprocessor)

    monkeypatch.setattr(frozen_features, "_compute", compute_or_die)
    with pytest.raises(SystemExit):
        load_features(films, "train", network, preprocessor, silent)
    monkeypatch.setattr(
        frozen_features, "_compute", lambda *args: seen.append(args[1].names) or compute(*args)
    )
    found = load_features(films, "train", network, preprocessor, silent)
    assert sorted(name for names in seen for name in names) == sorted(found.names)
    assert np.isfinite(found.features_ND).all()
    seen.clear()
    again = load_features(films, "train", network, preprocessor, silent)
    assert not seen
    assert np.array_equal(again.features_ND, found.features_ND)


def test_that_other_weights_have_other_features(
    config: TrainingConfig, tiny_data: Path, tmp_path: Path
):
    films = load(config, tiny_data, tmp_path / "cache")
    preprocessor = Preprocessor(config.preprocessing)
    one, other = (
        load_features(
            films, "train", networks.build(config.network, 1, 1, seed=seed), preprocessor, silent
        )
        for seed in (0, 1)
    )
    assert not np.allclose(one.features_ND, other.features_ND)


@pytest.mark.parametrize(
    ("setting", "constant"),
    [
        ("optim.batch=4", True),
        ("augment.flip=0.5", False),
        ("augment.collimate_width=0.3", True),
        ("network.trainable_layers=3", False),
        ("network.unfreeze_every=2", False),
    ],
)
def test_that_features_replace_films_only_if_they_are_constant(
    config: TrainingConfig, setting: str, constant: bool
):
    assert has_constant_features(with_overrides(config, [setting])) is constant
