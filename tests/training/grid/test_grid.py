"""The grid: two trainings for each backbone, with models by two metrics; killed and continued."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
import torchvision

from tests.training.conftest import write_film, write_table
from training.cli import main
from training.grid import plan as grid_plan
from training.grid.plan import ARCHITECTURES, Cell, plan
from training.grid.rows import ROW
from training.recipes import recipe
from training.runs import RunFolder
from xrayview.errors import ExitCode, UsageError
from xrayview.io.model.bundle import read_card
from xrayview.io.run_lock import run_lock

WEIGHTS = "vgg16=a.pth,resnet50=b.pth,inception_v3=c.pth"
TINY = (
    "preprocessing.size=32", "optim.batch=4", "optim.epochs=2", "data.validation_fraction=0.4",
    "evaluation.bootstrap=20", "run.device=cpu", "network.head=[8]", "optim.rate=1e-2",
)  # fmt: skip


def cells(*settings: str, weights: str = WEIGHTS) -> dict[str, Cell]:
    return {cell.name: cell for cell in plan(recipe("backbone-grid"), settings, weights)}


# --- the plan


def test_that_twelve_models_come_out_of_six_trainings():
    planned = cells()
    assert list(planned) == [
        "vgg16-plain", "vgg16-augmented", "resnet50-plain", "resnet50-augmented",
        "inception_v3-plain", "inception_v3-augmented",
    ]  # fmt: skip
    models = [model for cell in planned.values() for model in cell.models]
    assert len({model.folder for model in models}) == 12
    assert len({model.config.bundle.name for model in models}) == 12
    assert [m.metric for m in planned["vgg16-plain"].models] == ["accuracy", "recall"]
    assert all(cell.config.optim.optimizer == "adamax" for cell in planned.values())
    assert all(cell.config.evaluation.fixed_points == (0.3,) for cell in planned.values())


def test_that_only_augmented_cells_change_films():
    for name, cell in cells().items():
        assert cell.config.augment.is_identity == name.endswith("-plain")


def test_that_films_are_those_of_the_recipe_with_the_same_labels():
    like = recipe("abnormal-resnet50")
    for cell in cells().values():
        assert cell.config.data == like.data
        assert cell.config.target.findings == like.target.findings
        assert cell.config.target.activation == "sigmoid"  # BCE


def test_that_inception_keeps_its_own_size_unless_it_is_set_for_it():
    planned = cells("preprocessing.size=96")
    assert planned["vgg16-plain"].config.preprocessing.size == (96, 96)
    assert planned["inception_v3-plain"].config.preprocessing.size == (299, 299)
    named = cells("preprocessing.size=96", "inception_v3:preprocessing.size=150")
    assert named["inception_v3-augmented"].config.preprocessing.size == (150, 150)
    assert named["resnet50-plain"].config.preprocessing.size == (96, 96)


def test_that_the_auxiliary_head_is_used_only_if_the_backbone_learns():
    frozen, learning = cells(), cells("network.trainable_layers=-1")
    assert not frozen["inception_v3-plain"].config.network.auxiliary
    assert learning["inception_v3-plain"].config.network.auxiliary
    small = cells("network.trainable_layers=-1", "inception_v3:preprocessing.size=150")
    assert not small["inception_v3-plain"].config.network.auxiliary


@pytest.mark.parametrize(
    ("settings", "weights", "message"),
    [
        ((), "none", "frozen over random weights"),
        ((), "vgg16=a.pth", "weights of its own"),
        ((), "model.pth", "weights of its own"),
        (("densenet121:optim.batch=4",), WEIGHTS, "has no densenet121"),
        (("network.architecture=resnet18",), WEIGHTS, "chosen by the grid"),
        (("optim.ratee=1",), WEIGHTS, "Did you mean optim.rate"),
    ],
)
def test_that_a_mistake_is_refused_before_anything_is_trained(
    settings: tuple[str, ...], weights: str, message: str
):
    with pytest.raises(UsageError, match=message):
        cells(*settings, weights=weights)


# --- the training, on one small backbone


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rows = tmp_path_factory.mktemp("nih"), []
    for number in range(36):
        split, label = ("test" if number >= 26 else "train"), ("No Finding", "Mass")[number % 2]
        write_film(folder / f"{number}.png", number, bright=bool(number % 2))
        rows.append((f"{number}.png", "nih", split, label, f"p{number}", "F", "40", "PA"))
    write_table(folder, rows)
    return folder


@pytest.fixture(autouse=True)
def _one_backbone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "out" in request.fixturenames:
        monkeypatch.setattr(grid_plan, "ARCHITECTURES", {"resnet18": ()})


def start(data: Path, out: Path, weights: Path, *more: str) -> int:
    settings = [part for setting in (*TINY, *more) for part in ("--set", setting)]
    folders = ["--data", str(data), "--out", str(out), "--cache", str(out.parent / "cache")]
    return main(["grid", *folders, "--initial-weights", f"resnet18={weights}", *settings])


@pytest.fixture(scope="module")
def out(data: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid that was killed in its second training and started again."""
    from training.loop import loop

    out = tmp_path_factory.mktemp("grid") / "grid"
    draw, finished = loop.TrainingBatches.batch, []

    def draw_or_die(
        self: loop.TrainingBatches, epoch: int, step: int, *parallel: object
    ) -> loop.Batch:
        if not self.config.is_identity and (epoch, step) == (1, 1):
            raise SystemExit
        return draw(self, epoch, step, *parallel)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid_plan, "ARCHITECTURES", {"resnet18": ()})
        patch.setattr(loop.TrainingBatches, "batch", draw_or_die)
        with pytest.raises(SystemExit):
            start(data, out, weights)
        finished = sorted(out.rglob(ROW))
        assert [path.parent.name for path in finished] == ["by-accuracy", "by-recall"]
        before = {path: path.stat().st_mtime_ns for path in finished}
        patch.setattr(loop.TrainingBatches, "batch", draw)
        assert start(data, out, weights) == ExitCode.OK
        assert {path: path.stat().st_mtime_ns for path in finished} == before
    return out


def test_that_a_killed_grid_continues_and_keeps_what_was_finished(out: Path):
    resumed = RunFolder(out / "resnet18-augmented").read_facts()["resumed"]
    assert len(resumed) == 1
    assert len((out / "resnet18-augmented" / "log.csv").read_text().splitlines()) == 3
    assert "resumed" not in RunFolder(out / "resnet18-plain").read_facts()


def test_that_the_table_has_every_model_and_the_published_results(out: Path):
    lines = (out / "grid.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 4 + 2
    assert "recall at 0.3" in rows[0]
    assert "0.643" in rows[-2]
    assert "0.850" in rows[-1]
    notes = "\n".join(lines[len(rows) :])
    assert "4 models out of 2 trainings" in notes
    assert "5 of these test films have the finding" in notes
    assert "precision of 0.500 and a recall of 1" in notes
    assert "resnet18.pth (sha256 " in notes
    assert "The recipe starts from ImageNet" in notes
    with (out / "grid.csv").open(newline="") as stream:
        records = list(csv.DictReader(stream))
    assert [record["kept_by"] for record in records] == ["accuracy", "recall"] * 2
    for record in records:
        metrics = json.loads((out / record["folder"] / "test" / "metrics.json").read_text())
        accuracy = metrics["findings"]["Abnormal"]["figures"]["accuracy"]["value"]
        assert float(record["test_accuracy"]) == pytest.approx(accuracy, abs=1e-4)


def test_that_every_model_is_a_run_with_a_bundle_that_names_its_initial_weights(out: Path):
    for folder in sorted(out.glob("*/by-*")):
        run = RunFolder(folder)
        config = run.read_config()
        card = read_card(run.bundle(config))
        assert config.stopping.monitor == folder.name.removeprefix("by-")
        assert "resnet18.pth" in str(card.training["initial_weights"])
        assert "imagenet" in str(card.training["initial_weights_of_the_recipe"])
        assert [p.name for p in card.operating_points][:2] == ["balanced", "at-0.3"]
        assert card.operating_points[1].threshold == 0.3


def test_that_the_page_shows_heat_maps_of_the_best_model(out: Path):
    page = (out / "grid.html").read_text()
    assert "Heat maps of resnet18-" in page
    assert page.count('src="data:image/png') >= 4
    assert "Research use only" in page


def test_that_a_finished_grid_only_writes_its_table_again(
    out: Path, data: Path, weights: Path, capsys: pytest.CaptureFixture[str]
):
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.pt")}
    assert start(data, out, weights) == ExitCode.OK
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.pt")} == before
    assert capsys.readouterr().out.count(", finished") == 2


def test_that_another_grid_is_not_mixed_into_an_existing_one(
    out: Path, data: Path, weights: Path, capsys: pytest.CaptureFixture[str]
):
    assert start(data, out, weights, "optim.epochs=3") == ExitCode.USAGE
    printed = capsys.readouterr().err
    assert "began with other settings" in printed
    assert "optim.epochs was 2, now 3" in printed


def test_that_the_grid_has_three_backbones():
    assert list(ARCHITECTURES) == ["vgg16", "resnet50", "inception_v3"]


def test_that_a_second_process_is_refused(
    out: Path, data: Path, weights: Path, capsys: pytest.CaptureFixture[str]
):
    table = (out / "grid.csv").read_bytes()
    with run_lock(RunFolder(out).lock, "grid"):
        assert start(data, out, weights) == ExitCode.USAGE
    assert "is in use by another run" in capsys.readouterr().err
    assert (out / "grid.csv").read_bytes() == table
    assert not list(out.rglob("run.lock"))


@pytest.mark.usefixtures("out")
def test_that_a_foreign_folder_gets_no_file(
    data: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    assert start(data, tmp_path / "mine", weights) == ExitCode.USAGE
    assert "is not a grid" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
