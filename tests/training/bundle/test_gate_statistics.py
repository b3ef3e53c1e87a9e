"""The statistics that training leaves in a bundle, and the command that adds them."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.conftest import make_data
from training.bundle.card import draft_card
from training.bundle.export import export
from training.bundle.gate_statistics import (
    CAUTION_PERCENTILE,
    FAR_TIMES,
    REFUSAL_PERCENTILE,
    fit_statistics,
    set_limits,
)
from training.cli import main
from training.config import TrainingConfig, to_dict
from training.networks import build as networks
from training.runs import RunFolder, write_json
from xrayview.domain.model import Scope
from xrayview.errors import ExitCode
from xrayview.inference import loading
from xrayview.inference.gate_file import GATE_NAME, read_statistics, to_npz
from xrayview.io.model.bundle import CARD_NAME, card_to_json, read_card

RNG = np.random.default_rng(3)
MIXING = RNG.normal(size=(20, 20))


def films(number: int) -> np.ndarray:
    """Correlated values of films of one kind."""
    return RNG.normal(size=(number, 20)) @ MIXING


def test_that_films_of_the_same_kind_are_near_and_others_far() -> None:
    found = set_limits(fit_statistics(films(800), grid=2, thumbnail=4), films(400))
    assert (found.distances(films(2000)) > found.near).mean() == pytest.approx(0.04, abs=0.03)
    # Each value has the same spread; only the covariance differs.
    spread_V = films(800).std(axis=0)
    assert (found.distances(RNG.normal(size=(100, 20)) * spread_V) > found.near).mean() > 0.75


def test_that_limits_rest_on_percentiles_of_the_validation_films() -> None:
    validation = films(400)
    found = set_limits(fit_statistics(films(800), grid=2, thumbnail=4), validation)
    distances = found.distances(validation)
    near, limit = np.percentile(distances, [CAUTION_PERCENTILE, REFUSAL_PERCENTILE])
    assert (found.near, found.far) == pytest.approx((near, FAR_TIMES * limit))
    assert (distances > found.near).sum() == 16


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
    assert card.scope == Scope()
    x_BCHW = RNG.standard_normal((3, 1, 32, 32)).astype(np.float32)
    one, other = (loading.load(path, read_card(path), "cpu") for path in (bundle, out))
    np.testing.assert_array_equal(one.forward(x_BCHW), other.forward(x_BCHW))
    assert main(arguments) == ExitCode.USAGE  # no bundle is overwritten


def test_that_limits_only_changes_the_caution_limit_and_nothing_else(
    run: RunFolder, tiny_config: TrainingConfig, tiny_data: Path, tmp_path: Path
) -> None:
    gated, stale, out = (tmp_path / f"{name}.pt" for name in ("gated", "stale", "new"))
    main(["gate", str(run.path), "--data", str(tiny_data), "--out", str(gated)])
    expected = read_statistics(gated)
    assert expected is not None
    card = read_card(gated)
    before = replace(expected, near=expected.near / 2)
    script = torch.jit.load(str(gated))
    text = json.dumps(card_to_json(card))
    torch.jit.save(script, str(stale), {CARD_NAME: text, GATE_NAME: to_npz(before)})
    arguments = ["gate", str(stale), "--limits-only", "--version", "9.1", "--out", str(out)]
    assert main(arguments) == ExitCode.OK
    found, after = read_statistics(out), read_card(out)
    assert found is not None
    for field in fields(found):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name))
    assert after.version == "9.1"
    assert after.gate["threshold"] == expected.near
    assert replace(after, version=card.version, training={}) == replace(card, training={})
    x_BCHW = RNG.standard_normal((3, 1, 32, 32)).astype(np.float32)
    one, other = (loading.load(path, read_card(path), "cpu") for path in (stale, out))
    np.testing.assert_array_equal(one.forward(x_BCHW), other.forward(x_BCHW))


def test_that_limits_need_statistics_or_films(
    run: RunFolder, tiny_config: TrainingConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(run.bundle(tiny_config))
    assert main(["gate", bundle, "--limits-only"]) == ExitCode.USAGE
    assert "no statistics" in capsys.readouterr().err
    assert main(["gate", bundle]) == ExitCode.USAGE
    assert "--data is missing" in capsys.readouterr().err


def test_that_too_few_films_are_refused(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_data(tmp_path / "few", train=6, test=2)
    arguments = ["gate", str(run.path), "--data", str(data), "--out", str(tmp_path / "g.pt")]
    assert main(arguments) == ExitCode.NOTHING_USABLE
    assert "Too few train films" in capsys.readouterr().err
    assert not (tmp_path / "g.pt").exists()
