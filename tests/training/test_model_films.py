"""Films of a finished model: with the run's splits wherever they lie, and none trained on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.training.conftest import TINY, write_film
from training.cli import main
from training.data.films import list_rows
from training.data.manifest import FilmRow, read_rows
from training.evaluation.model_films import ModelFilms
from training.evaluation.models import find_model
from training.runs import RunFolder
from xrayview.errors import ExitCode, UsageError
from xrayview.services.resources import resource


@pytest.fixture(scope="module")
def run(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = RunFolder(tmp_path_factory.mktemp("runs") / "run")
    settings = [part for setting in TINY for part in ("--set", setting)]
    options = ["--cache", str(run.path.parent / "cache"), "--no-report", *settings]
    arguments = ["train", "normal-pneumonia-small", "--data", str(tiny_data)]
    assert main([*arguments, "--run", str(run.path), *options]) == ExitCode.OK
    return run


def of(run: RunFolder, split: str) -> list[FilmRow]:
    return [row for row in read_rows(run.manifest) if row.split == split]


def films(run: RunFolder, data: Path) -> ModelFilms:
    return ModelFilms(find_model(run.path, None), data)


def other_data(folder: Path, *extra: Path) -> Path:
    """Films of three splits that the model never saw, and extra files in val and test."""
    for number in range(36):
        split, label = ("train", "val", "test")[number % 3], ("normal", "pneumonia")[number % 2]
        write_film(folder / split / label / f"{number}.png", 300 + number, bright=bool(number % 2))
    for path in extra:
        for split in ("val", "test"):
            shutil.copyfile(path, folder / split / "normal" / f"{split}{path.name}")
    return folder


def test_that_the_runs_splits_come_before_those_of_the_hash(
    run: RunFolder, tiny_data: Path, tmp_path: Path
):
    """The run may have moved films, to keep copies on one side of a split."""
    other = RunFolder(shutil.copytree(run.path, tmp_path / "other"))
    config = json.loads(other.config.read_text())
    config["data"]["split_salt"] = "another hash"
    other.config.write_text(json.dumps(config))
    listed = list_rows(other.read_config(), tiny_data).rows
    found = {row.path for row in films(other, tiny_data).part("validation")}
    assert found == {row.path for row in of(run, "validation")}
    assert found != {row.path for row in listed if row.split == "validation"}


def test_that_the_manifest_of_another_run_is_not_taken_for_the_models(
    run: RunFolder, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bundle = shutil.copyfile(resource("models", "paediatric-pneumonia-small.pt"), tmp_path / "m.pt")
    shutil.copyfile(run.manifest, tmp_path / "manifest.csv")
    found = ModelFilms(find_model(bundle, None), tiny_data)
    assert found.of_run is None
    found.say_if_unknown(print)
    assert "not known" in capsys.readouterr().out


def test_that_the_folder_of_an_ensembles_bundle_is_known(
    run: RunFolder, tiny_data: Path, tmp_path: Path
):
    bundle = run.bundle(run.read_config())
    copy = shutil.copyfile(bundle, tmp_path / "both.pt")
    (tmp_path / "both").mkdir()
    shutil.copyfile(run.manifest, tmp_path / "both/manifest.csv")
    assert ModelFilms(find_model(copy, None), tiny_data).of_run == read_rows(run.manifest)


def test_that_the_runs_films_are_known_in_another_folder(
    run: RunFolder, tiny_data: Path, tmp_path: Path
):
    folder = tmp_path / "elsewhere"
    for row in read_rows(run.manifest):
        target = folder / row.labels[0] / Path(row.path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tiny_data / row.path, target)
    found = films(run, folder)
    assert found.are_own
    for split in ("train", "validation", "test"):
        names = {Path(row.path).name for row in found.part(split)}
        assert names == {Path(row.path).name for row in of(run, split)}


def test_that_one_training_film_does_not_make_data_the_models_own(
    run: RunFolder, tiny_data: Path, tmp_path: Path
):
    """Otherwise only a part would be evaluated, and the film might not be in it."""
    film = next(row for row in of(run, "train") if row.labels == ("normal",))
    found = films(run, other_data(tmp_path / "data", tiny_data / film.path))
    assert not found.are_own
    with pytest.raises(UsageError, match="trained on 2 of these 38 films"):
        found.usual_split(lambda _line: None)


@pytest.mark.parametrize("command", ["evaluate", "report", "audit", "calibrate"])
def test_that_every_command_refuses_training_films(
    command: str, run: RunFolder, tiny_data: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    film = next(row for row in of(run, "train") if row.labels == ("normal",))
    data, out = other_data(tmp_path / "data", tiny_data / film.path), tmp_path / "out"
    cache = ["--cache", str(tmp_path / "cache")] if command == "audit" else []
    arguments = [command, str(run.path), "--data", str(data), "--out", str(out), *cache]
    assert main(arguments) == ExitCode.USAGE
    assert "The model was trained on" in capsys.readouterr().err
    assert not out.exists()


def test_that_a_gate_of_other_films_is_refused(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = other_data(tmp_path / "data")
    assert main(["gate", str(run.path), "--data", str(data)]) == ExitCode.USAGE
    assert "not the films that the model was trained on" in capsys.readouterr().err


def test_that_a_report_of_other_data_shows_all_of_its_films(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data, page = other_data(tmp_path / "data"), tmp_path / "page.html"
    shutil.copyfile(data / "val/normal/4.png", data / "val/normal/copy.png")
    options = ["--out", str(page), "--heat-films", "0"]
    assert main(["report", str(run.path), "--data", str(data), *options]) == ExitCode.OK
    text = page.read_text(encoding="utf-8")
    assert "Metrics on films of other data" in text
    assert "Beside the model" in text
    assert "<th>these films</th>" in text
    assert "36 films of other data of 36 patients, each once; 37 with 1 that repeat" in text
    assert "0 could not be read" in text
    assert "evaluating all 37 films" in capsys.readouterr().out


def test_that_the_validation_films_of_the_run_are_pointed_out(
    run: RunFolder, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    film = next(row for row in of(run, "validation") if row.labels == ("normal",))
    data = other_data(tmp_path / "data", tiny_data / film.path)
    out = ["--out", str(tmp_path / "out")]
    assert main(["evaluate", str(run.path), "--data", str(data), *out]) == ExitCode.OK
    assert "validation films of the run are among these (1)" in capsys.readouterr().out
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert (metrics["films"], metrics["films_with_copies"], metrics["copies"]) == (37, 38, 1)


def test_that_the_bundles_file_has_the_name_of_its_card(run: RunFolder):
    assert [path.stem for path in run.path.glob("*.pt") if path.stem not in {"last", "best"}] == [
        "kermany-normal-pneumonia-small"
    ]


def test_that_foreign_files_in_the_output_folder_are_kept(
    run: RunFolder, tiny_data: Path, tmp_path: Path
):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("scores.csv", "metrics.json", "report.html"):
        (out / name).write_text("mine")
    evaluate = ["evaluate", str(run.path), "--data", str(tiny_data), "--out", str(out)]
    page = ["--out", str(out / "report.html"), "--heat-films", "0"]
    for _ in range(2):
        assert main(evaluate) == ExitCode.OK
        assert main(["report", str(run.path), "--data", str(tiny_data), *page]) == ExitCode.OK
    copies = [path for path in out.iterdir() if path.name.count(".") == 2]
    assert sorted(path.name.partition(".")[0] for path in copies) == [
        "metrics", "report", "scores"
    ]  # fmt: skip
    assert all(path.read_text() == "mine" for path in copies)
