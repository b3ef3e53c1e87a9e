"""The statistics that training leaves in a bundle, and the command that adds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import make_data
from training.bundle.card import draft_card
from training.bundle.export import export
from training.bundle.gate_statistics import (
    FAR_TIMES,
    LIMIT_PERCENTILE,
    NEAR_TIMES,
    fit_statistics,
    set_limits,
)
from training.cli import main
from training.config import TrainingConfig, to_dict
from training.networks import build as networks
from training.runs import RunFolder, write_json
from xrayview.errors import ExitCode
from xrayview.inference import loading
from xrayview.inference.gate_file import read_statistics
from xrayview.io.model.bundle import read_card

RNG = np.random.default_rng(3)
MIXING = RNG.normal(size=(20, 20))


def films(number: int) -> np.ndarray:
    """Correlated values of films of one kind."""
    return RNG.normal(size=(number, 20)) @ MIXING


def test_that_films_of_the_same_kind_are_near_and_others_far() -> None:
    found = set_limits(fit_statistics(films(800), grid=2, thumbnail=4), films(400))
    assert (found.distances(films(2000)) > found.near).mean() < 0.015
    # Each value has the same spread; only the covariance differs.
    spread_V = films(800).std(axis=0)
    assert (found.distances(RNG.normal(size=(100, 20)) * spread_V) > found.near).mean() > 0.75


def test_that_limits_are_multiples_of_a_percentile_of_the_validation_films() -> None:
    validation = films(400)
    found = set_limits(fit_statistics(films(800), grid=2, thumbnail=4), validation)
    limit = np.percentile(found.distances(validation), LIMIT_PERCENTILE)
    assert (found.near, found.far) == pytest.approx((NEAR_TIMES * limit, FAR_TIMES * limit))


def test_that_one_odd_validation_film_does_not_move_the_limits() -> None:
    validation = films(400)
    odd = validation.copy()
    odd[0] *= 100
    statistics = fit_statistics(films(800), grid=2, thumbnail=4)
    plain, found = set_limits(statistics, validation), set_limits(statistics, odd)
    assert found.near == pytest.approx(plain.near, rel=0.02)
    assert found.verdict(found.distances(odd).max()).refused


def test_that_a_constant_value_gives_no_infinite_distance() -> None:
    dead = np.concatenate([films(100), np.zeros((100, 1))], axis=1)
    found = set_limits(fit_statistics(dead, grid=1, thumbnail=1), dead)
    changed = dead.copy()
    changed[:, -1] = 1e-12
    np.testing.assert_allclose(found.distances(changed), found.distances(dead), rtol=1e-3)


@pytest.fixture
def run(tiny_config: TrainingConfig, tmp_path: Path) -> RunFolder:
    """A bundle without statistics, in a run folder."""
    network = networks.build(tiny_config.network, 1, 1, seed=0).eval()
    run = RunFolder(tmp_path)
    write_json(run.config, to_dict(tiny_config))
    export(network, draft_card(tiny_config, {}, network.stride), run.bundle(tiny_config))
    return run


def test_that_the_gate_command_adds_statistics_and_changes_no_score(
    run: RunFolder, tiny_config: TrainingConfig, tiny_data: Path, tmp_path: Path
) -> None:
    bundle, out = run.bundle(tiny_config), tmp_path / "gated.pt"
    before = bundle.read_bytes()
    arguments = ["gate", str(run.path), "--data", str(tiny_data), "--out", str(out)]
    assert main(arguments) == ExitCode.OK
    assert bundle.read_bytes() == before
    statistics, card = read_statistics(out), read_card(out)
    assert statistics is not None
    assert card.gate["threshold"] == statistics.near
    assert card.gate["training_films"] == statistics.training_films
    assert card.scope.age_years == (1, 5)
    x_BCHW = RNG.standard_normal((3, 1, 32, 32)).astype(np.float32)
    one, other = (loading.load(path, read_card(path), "cpu") for path in (bundle, out))
    np.testing.assert_array_equal(one.forward(x_BCHW), other.forward(x_BCHW))
    assert main(arguments) == ExitCode.USAGE  # no bundle is overwritten


def test_that_too_few_films_are_refused(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_data(tmp_path / "few", train=6, test=2)
    arguments = ["gate", str(run.path), "--data", str(data), "--out", str(tmp_path / "g.pt")]
    assert main(arguments) == ExitCode.NOTHING_USABLE
    assert "Too few train films" in capsys.readouterr().err
    assert not (tmp_path / "g.pt").exists()
