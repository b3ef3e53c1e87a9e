"""`export` and `calibrate`: fitted on validation only, written to a new file, nothing lost."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.conftest import TINY, make_data, write_film
from training.bundle.card import draft_card
from training.cli import main
from training.config import TrainingConfig, to_dict
from training.data.films import select_rows
from training.data.manifest import read_rows
from training.networks import build as networks
from training.recipes import recipe
from training.runs import RunFolder, write_json
from xrayview.domain.model import Calibration, Scope
from xrayview.errors import ExitCode
from xrayview.inference import loading
from xrayview.io.model.bundle import card_to_json, read_card, read_extra
from xrayview.services.resources import resource


@pytest.fixture(scope="module")
def stopped(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that was stopped: best weights, and no bundle yet."""
    runs = tmp_path_factory.mktemp("runs")
    settings = [part for setting in TINY for part in ("--set", setting)]
    arguments = ["train", "normal-pneumonia-small", "--data", str(tiny_data), "--runs", str(runs)]
    assert main([*arguments, *settings, "--no-report"]) == ExitCode.OK
    run = RunFolder(runs / "normal-pneumonia-small-001")
    run.bundle(run.read_config()).unlink()
    return run


def test_that_a_stopped_run_becomes_a_finished_bundle(
    stopped: RunFolder, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "deep" / "model.pt"
    assert main(["export", str(stopped.path), "--data", str(tiny_data), "--out", str(out)]) == 0
    card = read_card(out)
    assert card.calibration.method == "temperature"
    assert card.calibration.fitted_on == "validation"
    assert card.operating_points
    assert set(card.metrics) == {"validation"}
    assert "temperature" in capsys.readouterr().out
    assert sorted(path.name for path in out.parent.iterdir()) == ["model.pt"]


def test_that_no_bundle_is_overwritten(
    stopped: RunFolder, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "model.pt"
    arguments = ["export", str(stopped.path), "--data", str(tiny_data), "--out", str(out)]
    assert main(arguments) == ExitCode.OK
    before = out.read_bytes()
    assert main(arguments) == ExitCode.USAGE
    calibrate = ["calibrate", str(out), "--data", str(tiny_data), "--out", str(out)]
    assert main(calibrate) == ExitCode.USAGE
    assert "never overwritten" in capsys.readouterr().err
    assert out.read_bytes() == before


@pytest.fixture
def bundle(tiny_config: TrainingConfig, tmp_path: Path) -> Path:
    """A bundle with a wrong temperature, stale metrics and a gate, in a run folder."""
    network = networks.build(tiny_config.network, 1, 1, seed=0).eval()
    card = replace(
        draft_card(tiny_config, {}, network.stride),
        calibration=Calibration("temperature", (20.0,), "nothing"),
        metrics={"test": {"accuracy": {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1}}},
    )
    run = RunFolder(tmp_path)
    write_json(run.config, to_dict(tiny_config))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        x_BCHW = torch.zeros(2, 1, 32, 32)
        inputs = {
            "forward": x_BCHW,
            "forward_features": x_BCHW,
            "forward_head": network.forward_features(x_BCHW),
        }
        script = torch.jit.trace_module(network, inputs)
        extras = {"model_card.json": json.dumps(card_to_json(card)), "gate.npz": b"\0gate\xff"}
        torch.jit.save(script, str(run.bundle(tiny_config)), _extra_files=extras)
    return run.bundle(tiny_config)


def test_that_recalibration_changes_nothing_else(bundle: Path, tiny_data: Path):
    before = bundle.read_bytes()
    assert main(["calibrate", str(bundle.parent), "--data", str(tiny_data)]) == ExitCode.OK
    assert bundle.read_bytes() == before
    old, new = read_card(bundle), read_card(bundle.with_name(f"{bundle.stem}-calibrated.pt"))
    assert new.calibration.fitted_on == "validation"
    assert new.calibration.temperature != old.calibration.temperature
    assert new.operating_points
    assert new.version == f"{old.version}+recalibrated"
    # Metrics of the old scores would be wrong for the new ones.
    assert set(new.metrics) == {"validation"}
    assert new.training["recalibration"]
    assert (new.findings, new.preprocessing) == (old.findings, old.preprocessing)


def test_that_the_copy_carries_every_file_and_the_same_network(bundle: Path, tiny_data: Path):
    out = bundle.with_name("new.pt")
    assert main(
        ["calibrate", str(bundle.parent), "--data", str(tiny_data), "--out", str(out)]
    ) == ExitCode.OK  # fmt: skip
    assert read_extra(out, "gate.npz") == b"\0gate\xff"
    x_BCHW = np.random.default_rng(1).standard_normal((3, 1, 32, 32)).astype(np.float32)
    one, other = (loading.load(path, read_card(path), "cpu") for path in (bundle, out))
    np.testing.assert_array_equal(one.forward(x_BCHW), other.forward(x_BCHW))
    np.testing.assert_array_equal(one.features(x_BCHW), other.features(x_BCHW))


def test_that_only_validation_films_count(
    bundle: Path, tiny_config: TrainingConfig, tmp_path: Path
):
    """Other pixels in every training and test film do not change the card."""
    data = make_data(tmp_path / "data")
    cards = []
    for name in ("one.pt", "other.pt"):
        out = tmp_path / name
        arguments = ["calibrate", str(bundle.parent), "--data", str(data), "--out", str(out)]
        assert main(arguments) == ExitCode.OK
        cards.append(read_card(out))
        for number, row in enumerate(select_rows(tiny_config, data)[0]):
            if row.split != "validation":
                write_film(data / row.path, 1000 + number, bright=bool(number % 3))
    assert cards[0].calibration == cards[1].calibration
    assert cards[0].operating_points == cards[1].operating_points
    assert cards[0].metrics == cards[1].metrics


def test_that_export_refuses_other_films(
    stopped: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = make_data(tmp_path / "data")
    validation = [row for row in read_rows(stopped.manifest) if row.split == "validation"]
    write_film(data / validation[0].path, 999, bright=True)
    out = tmp_path / "model.pt"
    arguments = ["export", str(stopped.path), "--data", str(data), "--out", str(out)]
    assert main(arguments) == ExitCode.USAGE
    assert f"{validation[0].path} is missing or has changed" in capsys.readouterr().err
    assert not out.exists()


# --- a shipped model, on one's own films

SHIPPED = "paediatric-pneumonia-small"


def own_films(folder: Path) -> Path:
    """Films in class folders with official splits, which no model was trained on."""
    for number in range(36):
        split, label = ("train", "val", "test")[number % 3], ("normal", "pneumonia")[number % 2]
        write_film(folder / split / label / f"{number}.png", 500 + number, bright=bool(number % 2))
    return folder


@pytest.mark.parametrize("command", ["calibrate", "gate"])
def test_that_a_copy_fitted_on_own_films_is_not_the_shipped_model(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data, out = own_films(tmp_path / "clinic"), tmp_path / "copy.pt"
    shipped = resource("models", f"{SHIPPED}.pt")
    assert main([command, str(shipped), "--data", str(data), "--out", str(out)]) == ExitCode.OK
    old, new = read_card(shipped), read_card(out)
    of_recipe = recipe("normal-pneumonia-small").bundle
    assert new.name.startswith("clinic-")
    assert SHIPPED not in new.name
    assert (new.version, new.authors, new.licence) == ("not stated",) * 3
    assert new.scope == Scope()
    assert new.intended_use != of_recipe.intended_use
    assert new.training["network"]["name"] == old.name
    assert new.training["network"]["licence"] == old.licence
    assert "does not state version, authors, licence" in capsys.readouterr().out


def test_that_the_person_states_what_the_copy_is(tmp_path: Path):
    data, out = own_films(tmp_path / "clinic"), tmp_path / "copy.pt"
    stated = [
        "bundle.name=ward", "bundle.authors=Ward 3", "bundle.scope.age_years=[18,90]",
        'bundle.scope.view_positions=["PA"]',
    ]  # fmt: skip
    arguments = ["calibrate", str(resource("models", f"{SHIPPED}.pt")), "--data", str(data)]
    settings = [part for setting in stated for part in ("--set", setting)]
    assert main([*arguments, "--out", str(out), *settings]) == ExitCode.OK
    card = read_card(out)
    assert (card.name, card.authors, card.licence) == ("ward", "Ward 3", "not stated")
    assert card.scope == Scope(age_years=(18.0, 90.0), view_positions=("PA",))
    assert main([*arguments, "--set", "optim.rate=1"]) == ExitCode.USAGE
