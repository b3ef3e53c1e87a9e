"""Run folders and the command line: nothing is overwritten, every mistake has a message."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from markupsafe import escape

from tests.training.conftest import TINY, write_film
from training.bundle.card import draft_card
from training.bundle.export import best_network, export
from training.cli import main
from training.config import TrainingConfig
from training.data.manifest import read_rows
from training.networks import build as networks
from training.runs import RunFolder, named_run, new_run
from xrayview.errors import ExitCode, ModelError, UsageError
from xrayview.inference import loading
from xrayview.io.model.bundle import read_card


@pytest.fixture(scope="module")
def finished(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run made by the command line, with its bundle."""
    runs = tmp_path_factory.mktemp("runs")
    settings = [part for setting in TINY for part in ("--set", setting)]
    arguments = ["train", "normal-pneumonia-small", "--data", str(tiny_data), "--runs", str(runs)]
    assert main([*arguments, *settings]) == ExitCode.OK
    return RunFolder(runs / "normal-pneumonia-small-001")


def test_that_run_folders_are_numbered_and_never_reused(tmp_path: Path):
    names = [new_run(tmp_path, "small").path.name for _ in range(3)]
    assert names == ["small-001", "small-002", "small-003"]


def test_that_a_named_run_is_not_overwritten(tmp_path: Path):
    named_run(tmp_path / "run").config.write_text("{}")
    with pytest.raises(UsageError, match="never overwritten"):
        named_run(tmp_path / "run")


def test_that_a_run_records_config_command_and_films(
    finished: RunFolder, tiny_config: TrainingConfig
):
    assert finished.read_config() == tiny_config
    facts = finished.read_facts()
    assert facts["command"].startswith("python -m training")
    assert facts["counts"]["test"]["films"] == 12
    assert len(finished.manifest.read_text().splitlines()) == 1 + 44


def test_that_the_bundle_equals_the_trained_network(
    finished: RunFolder, tiny_config: TrainingConfig
):
    network = best_network(tiny_config, finished)
    bundle = finished.bundle(tiny_config)
    loaded = loading.load(bundle, read_card(bundle), "cpu")
    x_BCHW = torch.randn(5, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        np.testing.assert_allclose(
            loaded.forward(x_BCHW.numpy()), network(x_BCHW).numpy(), atol=1e-5
        )
        features = network.forward_features(x_BCHW)
    np.testing.assert_allclose(loaded.features(x_BCHW.numpy()), features.numpy(), atol=1e-5)
    np.testing.assert_allclose(
        loaded.head(features.numpy()), loaded.forward(x_BCHW.numpy()), atol=1e-5
    )


def test_that_a_bundle_that_differs_from_its_network_is_not_written(
    tiny_config: TrainingConfig, tmp_path: Path
):
    class Unstable(networks.Network):
        """Gives another result in every call, so that the traced one differs."""

        calls = 0

        def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
            Unstable.calls += 1
            return super().forward_head(features_BDhw) + Unstable.calls

    whole = networks.build(tiny_config.network, 1, 1, seed=0)
    network = Unstable(whole.features, whole.head, whole.stride).eval()
    path = tmp_path / "bundle.pt"
    card = draft_card(tiny_config, {}, whole.stride)
    with pytest.raises((ModelError, torch.jit.TracingCheckError)):
        export(network, card, path)
    assert not path.exists()


def test_that_the_card_describes_the_training_and_its_metrics(
    finished: RunFolder, tiny_config: TrainingConfig
):
    card = read_card(finished.bundle(tiny_config))
    assert [finding.name for finding in card.findings] == ["Pneumonia", "Normal"]
    assert card.preprocessing == tiny_config.preprocessing
    assert card.calibration.method == "temperature"
    assert card.calibration.fitted_on == "validation"
    assert card.operating_points[0].threshold == 0.5
    assert card.training["initial_weights"] == "none"
    assert card.training["manifest_sha256"] == finished.read_facts()["manifest_sha256"]
    assert card.metrics["test"]["auc"]["n"] == 12
    assert {"validation", "test"} == set(card.metrics)


def test_that_a_run_ends_with_its_audit_and_its_report(finished: RunFolder):
    audit = json.loads((finished.path / "audit.json").read_text())
    assert {"frame", "thumbnail"} <= {row["key"] for row in audit["rows"]}
    page = (finished.path / "report.html").read_text()
    assert escape(audit["rows"][0]["meaning"]) in page
    assert "Mean heat maps" in page


def test_that_evaluate_reproduces_the_metrics_of_the_card(
    finished: RunFolder, tiny_config: TrainingConfig, tiny_data: Path, tmp_path: Path
):
    bundle = finished.bundle(tiny_config)
    arguments = ["evaluate", str(finished.path), "--data", str(tiny_data), "--out", str(tmp_path)]
    assert main(arguments) == ExitCode.OK
    results = json.loads((tmp_path / "metrics.json").read_text())["findings"]["Pneumonia"]
    for name, estimate in read_card(bundle).metrics["test"].items():
        assert results["figures"][name] == estimate
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 13
    assert "95 % interval" in (tmp_path / "metrics.txt").read_text()


def evaluated(finished: RunFolder, data: Path, out: Path, *options: str) -> dict[str, Any]:
    arguments = ["evaluate", str(finished.path), "--data", str(data), "--out", str(out)]
    assert main([*arguments, *options]) == ExitCode.OK
    return json.loads((out / "metrics.json").read_text())


def other_films(folder: Path) -> Path:
    """Films that the model never saw, in class folders, without a split."""
    for number in range(10):
        label = ("normal", "pneumonia")[number % 2]
        write_film(folder / f"{label}/{number}.png", 100 + number, bright=bool(number % 2))
    return folder


def test_that_other_data_is_evaluated_as_a_whole(finished: RunFolder, tmp_path: Path):
    report = evaluated(finished, other_films(tmp_path / "data"), tmp_path / "out")
    assert (report["split"], report["films"]) == ("all", 10)


def test_that_copies_count_once(finished: RunFolder, tmp_path: Path):
    data = other_films(tmp_path / "data")
    once = evaluated(finished, data, tmp_path / "once")
    for path in sorted(data.rglob("*.png")):
        path.with_name(f"copy{path.name}").write_bytes(path.read_bytes())
    repeated = evaluated(finished, data, tmp_path / "repeated")
    assert repeated["findings"] == once["findings"]
    assert "10 films repeat another film" in (tmp_path / "repeated/metrics.txt").read_text()


def test_that_training_films_are_refused_wherever_they_are(
    finished: RunFolder, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = other_films(tmp_path / "data")
    rows = [row for row in read_rows(finished.manifest) if row.split == "train"]
    film = next(row for row in rows if row.labels == ("normal",))
    copy = data / "normal" / "renamed.png"
    copy.write_bytes((tiny_data / film.path).read_bytes())
    arguments = ["evaluate", str(finished.path), "--data", str(data), "--out", str(tmp_path / "o")]
    assert main([*arguments, "--split", "all"]) == ExitCode.USAGE
    assert "trained on 1 of these 11 films (normal/renamed.png)" in capsys.readouterr().err
    pixels = cv2.imdecode(np.fromfile(copy, np.uint8), cv2.IMREAD_UNCHANGED)
    copy.write_bytes(cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes())
    assert main(arguments) == ExitCode.USAGE
    assert "trained on 1 of these 11 films" in capsys.readouterr().err


def test_that_the_training_films_can_be_measured_as_such(
    finished: RunFolder, tiny_data: Path, tmp_path: Path
):
    report = evaluated(finished, tiny_data, tmp_path, "--split", "train")
    assert report["films"] == finished.read_facts()["counts"]["train"]["films"]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_that_the_scores_of_training_are_those_of_the_finished_bundle(
    split: str, finished: RunFolder, tiny_data: Path, tmp_path: Path
):
    """Training scores films once, before the temperature is fitted, and reuses the logits."""
    arguments = ["evaluate", str(finished.path), "--data", str(tiny_data), "--out", str(tmp_path)]
    assert main([*arguments, "--split", split]) == ExitCode.OK
    of_run = finished.path / split
    for name in ("scores.csv", "omitted.csv"):
        assert (of_run / name).read_text() == (tmp_path / name).read_text()
    before, after = (
        json.loads((folder / "metrics.json").read_text()) for folder in (of_run, tmp_path)
    )
    of_the_command = {"command", "time_utc"}
    assert {name: before[name] for name in before.keys() - of_the_command} == {
        name: after[name] for name in after.keys() - of_the_command
    }


def test_that_the_report_of_a_run_is_that_of_its_bundle_scored_again(
    finished: RunFolder, tiny_data: Path
):
    def page_without_times() -> str:
        text = (finished.path / "report.html").read_text()
        return re.sub(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", "", text)

    before = page_without_times()
    assert main(["report", str(finished.path), "--data", str(tiny_data)]) == ExitCode.OK
    assert page_without_times() == before


def test_that_the_bundle_contains_no_patient_id(finished: RunFolder, tiny_config: TrainingConfig):
    with zipfile.ZipFile(finished.bundle(tiny_config)) as archive:
        assert not any(b"child1" in archive.read(name) for name in archive.namelist())


def test_that_a_run_with_other_films_is_not_resumed(
    finished: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    from tests.training.conftest import make_data

    other = make_data(tmp_path / "other", train=34)
    arguments = ["train", "--resume", str(finished.path), "--data", str(other)]
    assert main([*arguments, "--cache", str(tmp_path / "cache")]) == ExitCode.USAGE
    assert "differ from those that the run began with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train", "nothing", "--data", "."], ExitCode.USAGE, "There is no recipe"),
        (["train", "--data", "."], ExitCode.USAGE, "No recipe is named"),
        (["train", "normal-pneumonia-small", "--data", "."], ExitCode.USAGE, "labels.csv"),
        (["train", "--resume", "nowhere", "--data", "."], ExitCode.USAGE, "is not a run folder"),
        (["evaluate", "nothing.pt", "--data", "."], ExitCode.MODEL, "missing"),
    ],
)
def test_that_a_mistake_has_a_message_and_an_exit_code(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    assert message in capsys.readouterr().err


def test_that_list_names_every_recipe(capsys: pytest.CaptureFixture[str]):
    assert main(["list"]) == ExitCode.OK
    assert "normal-pneumonia-small" in capsys.readouterr().out


def test_that_a_deterministic_run_gives_the_same_weights_twice(tiny_data: Path, tmp_path: Path):
    settings = [part for setting in TINY for part in ("--set", setting)]
    hashes = []
    try:
        for name in ("one", "two"):
            arguments = ["train", "normal-pneumonia-small", "--data", str(tiny_data)]
            folders = ["--run", str(tmp_path / name), "--cache", str(tmp_path / "cache")]
            options = [*settings, "--deterministic", "--no-report"]
            assert main([*arguments, *folders, *options]) == ExitCode.OK
            assert RunFolder(tmp_path / name).read_config().run.deterministic
            hashes.append(RunFolder(tmp_path / name).read_facts()["weights_sha256"])
    finally:
        torch.use_deterministic_algorithms(False)
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 64
