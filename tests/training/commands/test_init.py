"""`init` writes a recipe for a folder, by which `train` alone makes a bundle."""

from __future__ import annotations

import csv
import json
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.conftest import write_film
from tests.training.data.layouts.miniatures import MINIATURES
from training import cli
from training.commands.films import data_config
from training.data.film_list import as_json, read_film_list
from training.data.films import list_rows
from training.recipes import recipe
from training.runs import RunFolder
from xrayview.errors import ExitCode
from xrayview.io.model.bundle import read_card

FAST = ("optim.epochs=1", "evaluation.bootstrap=20", "run.device=cpu",
        "network.widths=[4,8,8,8]")  # fmt: skip


def kaggle(root: Path) -> None:
    """Split folders, class folders, and the kind of pneumonia in the names."""
    number = 0
    for split, films in (("train", 32), ("val", 8), ("test", 12)):
        for i in range(films):
            number += 1
            kind = ("IM-{:04d}-0001", "person{}_bacteria_1", "IM-{:04d}-0001", "person{}_virus_2")
            name = f"{'PNEUMONIA' if i % 2 else 'NORMAL'}/{kind[i % 4].format(i)}.jpeg"
            write_film(root / f"chest_xray/{split}/{name}", number, bright=bool(i % 2))


def ground_truth(root: Path) -> None:
    """A folder of films, and a table with their names, labels and patients."""
    rows = [("filename", "ground_truth", "patient")]
    for i in range(48):
        write_film(root / f"images/img_{i:03d}.png", i, bright=bool(i % 2))
        rows.append((f"img_{i:03d}", ("Normal", "Pneumonia")[i % 2], f"p{i // 2}"))
    with (root / "ground_truth.csv").open("w", newline="") as stream:
        csv.writer(stream, delimiter=";").writerows(rows)


def two_classes(root: Path) -> None:
    for i in range(40):
        write_film(root / f"{('NORMAL', 'ABNORMAL')[i % 2]}/{i}.png", i, bright=bool(i % 2))


def three_classes(root: Path) -> None:
    for i in range(60):
        label = ("normal", "pneumonia", "tuberculosis")[i % 3]
        write_film(root / f"data/{label}/{i}.png", i, bright=bool(i % 3))


SHAPES: dict[Callable[[Path], None], tuple[str, list[str]]] = {
    kaggle: ("multiclass", ["Normal", "Bacterial pneumonia", "Viral pneumonia"]),
    ground_truth: ("binary", ["Pneumonia"]),
    two_classes: ("binary", ["Abnormal"]),
    three_classes: ("multiclass", ["Normal", "Pneumonia", "Tuberculosis"]),
}


def init(data: Path, out: Path, *more: str) -> int:
    return cli.main(["init", "--data", str(data), "--out", str(out), "--yes", *more])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_that_init_and_train_alone_make_a_bundle(
    shape: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shape(tmp_path / "data")
    file = tmp_path / "recipe.toml"
    assert init(tmp_path / "data", file, "--name", "ours", "--authors", "Us") == ExitCode.OK
    task, findings = SHAPES[shape]
    config = recipe(str(file))
    assert (config.target.task, [rule.name for rule in config.target.findings]) == (task, findings)
    settings = [part for setting in FAST for part in ("--set", setting)]
    run = tmp_path / "run"
    arguments = ["train", str(file), "--data", str(tmp_path / "data"), "--run", str(run),
                 "--cache", str(tmp_path / "cache"), "--no-report", *settings]  # fmt: skip
    assert cli.main(arguments) == ExitCode.OK, capsys.readouterr().err
    card = read_card(RunFolder(run).bundle(config))
    assert (card.name, card.authors, card.licence) == ("ours", "Us", "not stated")
    assert (tmp_path / "run/test/metrics.json").is_file()
    if shape is not two_classes:
        return
    assert cli.main(["evaluate", str(run / "ours.pt"), "--data", str(tmp_path / "data"),
                     "--recipe", str(file), "--split", "validation",
                     "--out", str(tmp_path / "again")]) == ExitCode.OK  # fmt: skip


def test_that_official_validation_films_are_used_as_such(tmp_path: Path) -> None:
    rows = [("path", "label", "dataset", "split")]
    for split, films in (("Train", 30), ("Valid", 20), ("Test", 10)):
        for i in range(films):
            name = f"{split}{i}.png"
            write_film(tmp_path / "data" / name, len(rows), bright=bool(i % 2))
            rows.append((name, ("normal", "mass")[i % 2], "ours", split))
    with (tmp_path / "data/labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    out = tmp_path / "r.toml"
    assert init(tmp_path / "data", out, "--set", "data.dataset=ours") == ExitCode.OK
    films = list_rows(recipe(str(out)), tmp_path / "data").rows
    assert Counter(row.split for row in films) == {"train": 30, "validation": 20, "test": 10}


def test_that_every_setting_has_a_reason_or_stands_by_itself(tmp_path: Path) -> None:
    two_classes(tmp_path / "data")
    init(tmp_path / "data", tmp_path / "r.toml", "--population", "adults of two hospitals")
    text = (tmp_path / "r.toml").read_text()
    for setting in ("reader", "task", "size", "epochs", "validation_fraction"):
        lines = text.splitlines()
        (at,) = [i for i, line in enumerate(lines) if line.startswith(f"{setting} =")]
        assert lines[at - 1].startswith("# ")
    assert (
        "Population: adults of two hospitals."
        in recipe(str(tmp_path / "r.toml")).bundle.limitations
    )
    assert tomllib.loads(text)["bundle"]["licence"] == "not stated"


def test_that_a_recipe_that_somebody_wrote_is_never_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two_classes(tmp_path / "data")
    (tmp_path / "r.toml").write_text("mine")
    assert init(tmp_path / "data", tmp_path / "r.toml") == ExitCode.USAGE
    assert "already exists" in capsys.readouterr().err
    assert (tmp_path / "r.toml").read_text() == "mine"
    assert init(tmp_path / "data", tmp_path / "r.toml", "--force") == ExitCode.OK
    (copy,) = tmp_path.glob("r.*.toml")
    assert copy.read_text() == "mine"
    assert f"copied to {copy.name}" in capsys.readouterr().out


def test_that_questions_are_asked_on_a_terminal_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    two_classes(tmp_path / "data")
    arguments = ["init", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "r.toml")]
    assert cli.main(arguments) == ExitCode.OK
    assert "there is no terminal to ask on: the proposals are accepted" in capsys.readouterr().out
    (tmp_path / "r.toml").unlink()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers = iter(["ours", "", "CC BY 4.0", "children"])
    monkeypatch.setattr("builtins.input", lambda _prompt: next(answers))
    assert cli.main(arguments) == ExitCode.OK
    bundle = recipe(str(tmp_path / "r.toml")).bundle
    assert (bundle.name, bundle.authors, bundle.licence) == ("ours", "not stated", "CC BY 4.0")


def test_that_a_folder_of_one_class_is_refused_with_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_film(tmp_path / "data/normal/a.png", 0, bright=False)
    assert init(tmp_path / "data", tmp_path / "r.toml") == ExitCode.USAGE
    error = capsys.readouterr().err
    assert "All films have the same label" in error
    assert not (tmp_path / "r.toml").exists()


def test_that_a_column_for_each_finding_is_recognised(tmp_path: Path) -> None:
    with_mass = [("scan", "Mass", "Edema", "Sex")]
    for i in range(40):
        write_film(tmp_path / f"data/films/{i}.png", i, bright=False)
        with_mass.append((f"films/{i}.jpg", str(i % 2), ("1", "0", "")[i % 3], "MF"[i % 2]))
    with (tmp_path / "data/list.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(with_mass)
    assert init(tmp_path / "data", tmp_path / "r.toml") == ExitCode.OK
    config = recipe(str(tmp_path / "r.toml"))
    assert (config.data.table, config.data.columns.path) == ("list.csv", "scan")
    assert config.data.columns.findings == ("Mass", "Edema")
    assert config.data.columns.sex == "Sex"
    assert config.target.task == "multilabel"


def test_that_numbers_of_patients_in_the_names_are_proposed(tmp_path: Path) -> None:
    for i in range(40):
        label = ("NORMAL", "PNEUMONIA")[i % 2]
        name = f"patient{i // 2:03d}_{i}.png"
        write_film(tmp_path / "data" / label / name, i, bright=bool(i % 2))
    assert init(tmp_path / "data", tmp_path / "r.toml") == ExitCode.OK
    config = recipe(str(tmp_path / "r.toml"))
    rows = list_rows(config, tmp_path / "data").rows
    assert len({row.patient for row in rows}) == 20
    splits = {(row.patient, row.split) for row in rows}
    assert len(splits) == 20
    assert "check it" in (tmp_path / "r.toml").read_text()


@pytest.mark.parametrize("name", MINIATURES)
def test_that_every_layout_gets_a_recipe_which_says_what_is_too_few(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    MINIATURES[name](tmp_path / "data")
    assert init(tmp_path / "data", tmp_path / "r.toml") == ExitCode.OK
    assert recipe(str(tmp_path / "r.toml")).data.reader == name
    assert "note " in capsys.readouterr().out


# --- films and schema


def test_that_films_writes_every_label_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two_classes(tmp_path / "data")
    out = tmp_path / "films.json"
    assert cli.main(["films", "--data", str(tmp_path / "data"), "--out", str(out)]) == ExitCode.OK
    assert "class folders" in capsys.readouterr().out
    written = json.loads(out.read_text())
    assert written == json.loads(
        json.dumps(as_json(read_film_list(tmp_path / "data", data_config([]))))
    )
    assert written["NORMAL/0.png"]["labels"] == {"NORMAL": 1}


def test_that_films_takes_settings_of_the_data_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two_classes(tmp_path)
    arguments = ["films", "--data", str(tmp_path), "--set"]
    assert cli.main([*arguments, "data.reader=folders"]) == ExitCode.OK
    assert cli.main([*arguments, "optim.rate=1"]) == ExitCode.USAGE
    assert cli.main([*arguments, "data.raeder=folders"]) == ExitCode.USAGE
    assert "Did you mean data.reader?" in capsys.readouterr().err
