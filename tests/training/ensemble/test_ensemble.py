"""`ensemble`: several finished models of the same task as one bundle that meets the contract."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.conftest import TINY, make_data
from training.cli import main
from training.config import NetworkConfig, TrainingConfig
from training.data.films import select_rows
from training.data.manifest import FilmRow, read_rows, write_rows
from training.data.splits import TEST, TRAIN, VALIDATION
from training.ensemble.films import common_films, write_table
from training.ensemble.network import Ensemble
from training.networks import build as networks
from training.runs import RunFolder
from xrayview.domain.model import ModelCard
from xrayview.errors import ExitCode, NothingUsable, UsageError
from xrayview.inference import loading
from xrayview.inference.attributions import Explained, grad_cam
from xrayview.inference.runtime import Runtime
from xrayview.io.model.bundle import read_card, read_extra, sha256_of
from xrayview.io.run_lock import run_lock


def trained(data: Path, folder: Path, *settings: str, options: Sequence[str] = ()) -> RunFolder:
    overrides = [part for setting in (*TINY, *settings) for part in ("--set", setting)]
    arguments = ["train", "normal-pneumonia-small", "--data", str(data), "--run", str(folder)]
    cache = ["--cache", str(folder.parent / "cache")]
    assert main([*arguments, *cache, *overrides, "--no-report", *options]) == ExitCode.OK
    return RunFolder(folder)


def run_ensemble(data: Path, out: Path, members: Sequence[Path], *options: str) -> int:
    where = ["--data", str(data), "--out", str(out), "--cache", str(out.parent / "cache")]
    return main(["ensemble", *map(str, members), *where, *options, "--no-report"])


@pytest.fixture(scope="module")
def members(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[RunFolder]:
    """Two networks of different widths; the second is not evaluated on its test films."""
    runs = tmp_path_factory.mktemp("runs")
    return [
        trained(tiny_data, runs / "one"),
        trained(
            tiny_data, runs / "other", "run.seed=2", "network.widths=[4,6]", options=["--no-test"]
        ),
    ]


@pytest.fixture(scope="module")
def ensemble(
    members: list[RunFolder], tiny_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    out = tmp_path_factory.mktemp("ensembles") / "both"
    options = ("--no-test", "--name", "both", "--version", "2.0.0")
    assert run_ensemble(tiny_data, out, [run.path for run in members], *options) == ExitCode.OK
    return RunFolder(out)


def opened(run: RunFolder) -> tuple[Runtime, ModelCard]:
    path = run.bundle(run.read_config())
    return loading.load(path, read_card(path), "cpu"), read_card(path)


def films(count: int = 3) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((count, 1, 32, 32)).astype(np.float32)


def test_that_logits_are_the_mean_of_the_members_calibrated_logits(
    ensemble: RunFolder, members: list[RunFolder]
):
    parts = [opened(run) for run in members]
    expected = np.mean(
        [part.forward(films()) / card.calibration.temperature[0] for part, card in parts], axis=0
    )
    whole, _ = opened(ensemble)
    np.testing.assert_allclose(whole.forward(films()), expected, atol=1e-5)


def test_that_features_are_the_members_maps_joined_along_the_channels(
    ensemble: RunFolder, members: list[RunFolder]
):
    whole, _ = opened(ensemble)
    features = whole.features(films())
    parts = [opened(run)[0].features(films()) for run in members]
    np.testing.assert_allclose(features, np.concatenate(parts, axis=1), atol=1e-5)
    np.testing.assert_allclose(whole.head(features), whole.forward(films()), atol=1e-5)


def test_that_the_heat_map_is_the_mean_of_the_members_heat_maps(
    ensemble: RunFolder, members: list[RunFolder]
):
    direction_K = np.ones(1, np.float32)
    maps = [
        grad_cam(Explained(part, films()[0], direction_K)) / card.calibration.temperature[0]
        for part, card in map(opened, members)
    ]
    found = grad_cam(Explained(opened(ensemble)[0], films()[0], direction_K))
    assert np.ptp(found) > 0
    np.testing.assert_allclose(found, np.mean(maps, axis=0), rtol=1e-4, atol=1e-7)


def test_that_the_card_lists_the_members(ensemble: RunFolder, members: list[RunFolder]):
    _, card = opened(ensemble)
    assert (card.name, card.version) == ("both", "2.0.0")
    assert card.training["architecture"] == "ensemble of 2: residual, residual"
    listed = card.training["members"]
    assert [member["seed"] for member in listed] == [1, 2]
    hashes = [sha256_of(run.bundle(run.read_config())) for run in members]
    assert [member["sha256"] for member in listed] == hashes
    cards = [opened(run)[1] for run in members]
    for member, of_member in zip(listed, cards, strict=True):
        assert member["manifest_sha256"] == of_member.training["manifest_sha256"]
        assert member["temperature"] == list(of_member.calibration.temperature)
        assert {"recipe", "commit", "architecture", "omitted"} <= set(member)
    assert not {"seed", "omitted"} & set(card.training)
    assert card.limitations == cards[0].limitations
    assert card.calibration.fitted_on == "validation"
    assert card.operating_points
    assert set(card.metrics) == {"validation"}


def test_that_unused_test_films_are_recorded(
    ensemble: RunFolder, members: list[RunFolder], tiny_data: Path
):
    for run in (ensemble, members[1]):
        _, card = opened(run)
        assert card.training["test_films"] == "not evaluated (--no-test)"
        assert run.read_facts()["test_films"] == "not evaluated (--no-test)"
        assert "test films" in (run.path / "validation" / "metrics.txt").read_text()
        assert set(card.metrics) == {"validation"}
        assert not (run.path / "test").exists()
        assert not (run.path / "report.html").exists()
    assert opened(members[0])[1].training["test_films"] == "evaluated"


def test_that_a_run_without_test_films_can_be_evaluated_on_them_later(
    members: list[RunFolder], tiny_data: Path, tmp_path: Path
):
    folder = tmp_path / "later"
    shutil.copytree(members[1].path, folder)
    where = ["--data", str(tiny_data), "--cache", str(tmp_path / "cache"), "--no-report"]
    assert main(["train", "--resume", str(folder), *where]) == ExitCode.OK
    card = opened(RunFolder(folder))[1]
    assert card.training["test_films"] == "evaluated"
    assert set(card.metrics) == {"validation", "test"}


def test_that_every_command_on_a_run_accepts_the_ensemble(
    ensemble: RunFolder, tiny_data: Path, tmp_path: Path
):
    folder = tmp_path / "copy"
    shutil.copytree(ensemble.path, folder)
    cache = ["--cache", str(tmp_path / "cache")]
    for name, *more in (
        ("evaluate", "--split", "test"), ("audit", *cache), ("report",), ("calibrate",), ("gate",),
    ):  # fmt: skip
        assert main([name, str(folder), "--data", str(tiny_data), *more]) == ExitCode.OK
    written = json.loads((folder / "test" / "metrics.json").read_text())
    assert written["films"] == 12
    assert (folder / "report.html").is_file()
    assert {"both-calibrated.pt", "both-gated.pt"} <= {path.name for path in folder.iterdir()}


def test_that_the_gate_describes_the_joined_features(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    data = make_data(tmp_path / "data", train=60)
    runs = [trained(data, tmp_path / f"run{seed}", f"run.seed={seed}") for seed in (1, 2)]
    assert run_ensemble(data, tmp_path / "both", [run.path for run in runs]) == ExitCode.OK
    run = RunFolder(tmp_path / "both")
    card = opened(run)[1]
    assert card.gate["values"] == 2 * 8 * 4 + 64
    assert read_extra(run.bundle(run.read_config()), "gate.npz")
    assert set(card.metrics) == {"validation", "test"}


def test_that_the_output_can_be_a_bundle_with_the_run_folder_beside_it(
    members: list[RunFolder], tiny_data: Path, tmp_path: Path
):
    out = tmp_path / "mean.pt"
    bundles = [run.bundle(run.read_config()) for run in members]
    assert run_ensemble(tiny_data, out, bundles, "--no-test") == ExitCode.OK
    assert read_card(out).name == "kermany-normal-pneumonia-small-ensemble"
    assert (tmp_path / "mean" / "validation" / "metrics.json").is_file()
    assert run_ensemble(tiny_data, out, bundles, "--no-test") == ExitCode.USAGE


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (("preprocessing.size=48",), "preprocessing"),
        (("evaluation.flip_average=false",), "flip average"),
        (("target.complement=Clear",), "findings"),
    ],
)
def test_that_members_that_do_not_fit_together_are_refused(
    settings: tuple[str, ...],
    reason: str,
    members: list[RunFolder],
    tiny_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    other = trained(tiny_data, tmp_path / "other", *settings, options=["--no-test"])
    paths = [members[0].path, other.path]
    assert run_ensemble(tiny_data, tmp_path / "out", paths) == ExitCode.USAGE
    assert f"differ in their {reason}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_that_one_model_or_the_same_model_twice_is_refused(
    members: list[RunFolder], tiny_data: Path, tmp_path: Path
):
    path = members[0].path
    assert run_ensemble(tiny_data, tmp_path / "out", [path]) == ExitCode.USAGE
    assert run_ensemble(tiny_data, tmp_path / "out", [path, path]) == ExitCode.USAGE


def test_that_a_bundle_whose_training_films_are_not_known_is_refused(
    members: list[RunFolder],
    tiny_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    """The recipe has another share of validation films than this bundle's run had."""
    bundle = tmp_path / "bundle.pt"
    shutil.copyfile(members[1].bundle(members[1].read_config()), bundle)
    paths, recipe = [members[0].path, bundle], "normal-pneumonia-small"
    assert run_ensemble(tiny_data, tmp_path / "out", paths, "--recipe", recipe) == ExitCode.USAGE
    assert "not known" in capsys.readouterr().err


def row(number: int, split: str, **fields: object) -> FilmRow:
    film = FilmRow(f"{number}.png", "here", f"child{number}", ("normal",), "", split=split)
    return replace(film, **fields)


def test_that_validation_has_no_film_patient_or_pixels_of_any_members_training():
    one = [
        row(0, TRAIN), row(1, VALIDATION), row(2, VALIDATION), row(3, VALIDATION),
        row(4, TEST), row(5, VALIDATION), row(6, TEST), row(8, VALIDATION, pixels_sha256="p"),
    ]  # fmt: skip
    other = [
        row(0, VALIDATION), row(1, VALIDATION), row(2, TRAIN), row(3, VALIDATION),
        row(4, TEST), row(6, VALIDATION), row(7, TRAIN, patient="child3"),
        row(8, VALIDATION, pixels_sha256="p"), row(9, TRAIN, pixels_sha256="p"),
    ]  # fmt: skip
    found = common_films([one, other], fewest=1)
    assert not found.same
    assert {r.path: r.split for r in found.manifest.rows} == {
        "0.png": TRAIN, "1.png": VALIDATION, "2.png": TRAIN, "4.png": TEST, "7.png": TRAIN,
        "9.png": TRAIN,
    }  # fmt: skip
    assert {o.path for o in found.manifest.omitted} == {"3.png", "5.png", "6.png", "8.png"}
    assert "1 films" in found.manifest.notes[0]
    with pytest.raises(NothingUsable):
        common_films([one, other], fewest=2)


def test_that_the_table_of_splits_gives_the_same_films_back(
    tmp_path: Path, tiny_config: TrainingConfig
):
    rows = [
        row(0, TRAIN, labels=("normal",)),
        row(1, TRAIN, labels=("viral pneumonia",), sex="F", age="4", view="AP"),
        row(2, VALIDATION, labels=("bacterial pneumonia", "viral pneumonia")),
        row(3, TRAIN, labels=("normal",), source="there"),
    ]
    data = write_table(rows, tmp_path / "splits.csv")
    found, omitted = select_rows(replace(tiny_config, data=data), tmp_path / "elsewhere")
    assert [replace(r, official_split="") for r in found] == rows
    assert not omitted


def test_that_members_with_other_splits_share_their_common_validation_films(tmp_path: Path):
    data = make_data(tmp_path / "data", train=80)
    runs = [
        trained(data, tmp_path / f"run{salt}", f"data.split_salt={salt}", options=["--no-test"])
        for salt in "ab"
    ]
    paths = [run.path for run in runs]
    assert run_ensemble(data, tmp_path / "none", paths, "--no-test") == ExitCode.NOTHING_USABLE
    assert run_ensemble(
        data, tmp_path / "both", paths, "--no-test", "--fewest-validation", "2"
    ) == ExitCode.OK  # fmt: skip
    run = RunFolder(tmp_path / "both")
    held_out = [{r.path for r in read_rows(m.manifest) if r.split == VALIDATION} for m in runs]
    validation = {r.path for r in read_rows(run.manifest) if r.split == VALIDATION}
    assert validation == held_out[0] & held_out[1]
    assert validation
    card = opened(run)[1]
    assert "splits differ" in str(card.training["notes"])
    again = [str(run.path), "--data", str(data), "--split", "validation"]
    assert main(["evaluate", *again]) == ExitCode.OK
    metrics = json.loads((run.path / "validation" / "metrics.json").read_text())
    assert metrics["films"] == len(validation)


def test_that_repeating_a_coarser_map_does_not_change_logits():
    fine, coarse = (
        networks.build(
            NetworkConfig(stem=4, widths=(4, width), depths=(1, 1), strides=(2, stride)), 1, 2, 0
        ).eval()
        for width, stride in ((6, 1), (8, 2))
    )
    whole = Ensemble([fine, coarse], [(2.0,), (0.5, 4.0)], (1, 32, 32)).eval()
    x_BCHW = torch.from_numpy(films())
    with torch.no_grad():
        features = whole.forward_features(x_BCHW)
        expected = (fine(x_BCHW) / 2 + coarse(x_BCHW) / torch.tensor([0.5, 4.0])) / 2
        np.testing.assert_allclose(whole(x_BCHW), expected, atol=1e-5)
    assert features.shape == (3, 14, 8, 8)
    assert whole.stride == 4


def test_that_grids_and_logits_that_do_not_divide_are_refused():
    def network(stride: int, outputs: int = 1) -> torch.nn.Module:
        config = NetworkConfig(stem=4, widths=(4,), depths=(1,), strides=(stride,))
        return networks.build(config, 1, outputs, 0).eval()

    with pytest.raises(UsageError, match="does not fit"):
        Ensemble([network(2), network(3)], [(1.0,), (1.0,)], (1, 32, 32))
    with pytest.raises(UsageError, match="logits"):
        Ensemble([network(2), network(2, 2)], [(1.0,), (1.0,)], (1, 32, 32))
    with pytest.raises(UsageError, match="temperatures"):
        Ensemble([network(2, 3)], [(1.0, 2.0)], (1, 32, 32))


def test_that_a_manifest_survives_a_round_trip(tmp_path: Path, tiny_data: Path):
    rows = (
        row(0, TRAIN, labels=("a", "b"), unknown_labels=("c",)),
        row(1, "", labels=(), sha256="x", pixels_sha256="y"),
    )
    write_rows(rows, tmp_path / "manifest.csv")
    assert read_rows(tmp_path / "manifest.csv") == rows
    with pytest.raises(UsageError):
        read_rows(tiny_data / "labels.csv")


def test_that_a_truncated_manifest_is_an_error(tmp_path: Path, tiny_data: Path):
    path = tmp_path / "manifest.csv"
    write_rows([FilmRow("a.png", "here", "p1", ("normal",), "train")] * 2, path)
    path.write_text(path.read_text().rsplit(",", 3)[0])
    with pytest.raises(UsageError, match="cannot be read") as caught:
        read_rows(path)
    assert "a.png is cut short" in str(caught.value)


def test_that_a_second_process_is_refused(
    members: list[RunFolder], tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = RunFolder(tmp_path / "both")
    run.path.mkdir()
    with run_lock(run.lock, "run"):
        paths = [member.path for member in members]
        assert run_ensemble(tiny_data, run.path, paths, "--no-test") == ExitCode.USAGE
    assert "is in use by another run" in capsys.readouterr().err
    assert not any(run.path.iterdir())
