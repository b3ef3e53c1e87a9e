"""`prepare`: manifest, cache and leaks of a recipe's films, without training."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.conftest import TINY, make_data
from training.cli import main
from xrayview.errors import ExitCode


def run_prepare(data: Path, out: Path, *settings: str) -> int:
    options = [part for setting in (*TINY, *settings) for part in ("--set", setting)]
    return main(
        ["prepare", "normal-pneumonia-small", "--data", str(data), "--runs", str(out), *options]
    )


def test_that_prepare_writes_manifest_cache_and_leaks_without_a_run(tmp_path: Path):
    out = tmp_path / "runs"
    assert run_prepare(make_data(tmp_path / "data"), out) == ExitCode.OK
    folder = out / "prepared" / "normal-pneumonia-small"
    assert {path.name for path in folder.iterdir()} == {
        "manifest.csv", "omitted.csv", "leaks.csv", "data.json",
    }  # fmt: skip
    summary = json.loads((folder / "data.json").read_text())
    assert summary["counts"]["test"]["films"] == 12
    assert summary["leaks"] == {}
    assert {path.suffix for path in (out / "cache").iterdir()} == {".npy", ".json"}
    assert sorted(path.name for path in out.iterdir()) == ["cache", "prepared"]


def test_that_prepare_lists_leaks_before_it_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = make_data(tmp_path / "data")
    films = data / "films"
    (films / "test-32.png").write_bytes((films / "train-00.png").read_bytes())
    assert run_prepare(data, tmp_path) == ExitCode.USAGE
    with (tmp_path / "prepared/normal-pneumonia-small/leaks.csv").open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert {row["path"] for row in found} == {"films/train-00.png", "films/test-32.png"}
    assert {row["kind"] for row in found} == {"same pixels"}
    assert "1 leaks between splits" in capsys.readouterr().err
    assert run_prepare(data, tmp_path, "data.leaks=allow") == ExitCode.OK


def run_train(data: Path, out: Path, *settings: str) -> int:
    options = [part for setting in (*TINY, *settings) for part in ("--set", setting)]
    arguments = ["train", "normal-pneumonia-small", "--data", str(data), "--runs", str(out)]
    return main([*arguments, "--no-report", *options])


def relabelled(folder: Path, **labels: str) -> Path:
    """Films as usual, with the labels of some of them replaced, by number."""
    data = make_data(folder)
    lines = (data / "labels.csv").read_text().splitlines()
    for number, label in labels.items():
        cells = lines[int(number[1:]) + 1].split(",")
        lines[int(number[1:]) + 1] = ",".join([*cells[:3], label, *cells[4:]])
    (data / "labels.csv").write_text("\n".join(lines) + "\n")
    return data


def test_that_train_prints_what_prepare_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    data = relabelled(tmp_path / "data", n0="covid?")
    assert run_prepare(data, tmp_path) == ExitCode.OK
    prepared = capsys.readouterr().out.splitlines()
    assert "left out   1 NO_TARGET: label not in the target: covid? (1 film)" in prepared
    assert run_train(data, tmp_path) == ExitCode.OK
    trained = capsys.readouterr().out.splitlines()
    assert [line for line in prepared if not line.startswith(("decoded", "written"))] == [
        line for line in trained if line in prepared and not line.startswith("decoded")
    ]


@pytest.mark.parametrize("run", [run_prepare, run_train])
@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        (
            {f"n{n}": "covid" for n in range(16, 30)},
            (),
            "14 of 44 films (32%) are left out, more than data.most_left_out allows (10%)",
        ),
        (
            {f"n{n}": "normal" for n in range(32)},
            (),
            "no training film has Pneumonia (labels: bacterial pneumonia, viral pneumonia",
        ),
        ({f"n{n}": "pneumonia" for n in range(32)}, (), "every training film has Pneumonia"),
        ({}, ("data.columns.patient=split",), "all films are of one patient"),
    ],
    ids=["left out", "no film", "every film", "one patient"],
)
def test_that_training_stops_where_it_could_not_learn(
    labels: dict[str, str], settings: tuple[str, ...], message: str, tmp_path: Path,
    run: Callable[..., int], capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    data = relabelled(tmp_path / "data", **labels)
    if settings:
        text = (data / "labels.csv").read_text().replace(",test,", ",train,")
        (data / "labels.csv").write_text(text)
    assert run(data, tmp_path, *settings) == ExitCode.USAGE
    printed = capsys.readouterr()
    assert message in printed.err
    assert ("covid (14 films)" in printed.err) == ("left out" in message)
    assert f"problem    {message}" in printed.out
    assert not list(tmp_path.glob("normal-pneumonia-small-*"))


def test_that_a_left_out_share_can_be_allowed(tmp_path: Path):
    data = relabelled(tmp_path / "data", **{f"n{n}": "covid" for n in range(16, 30)})
    assert run_prepare(data, tmp_path, "data.most_left_out=0.4") == ExitCode.OK


def test_that_prepare_writes_the_conflicts_before_it_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = make_data(tmp_path / "data")
    lines = (data / "labels.csv").read_text().splitlines()
    twice = lines[1].replace("normal", "pneumonia")
    (data / "labels.csv").write_text("\n".join([*lines, twice]) + "\n")
    assert run_prepare(data, tmp_path) == ExitCode.USAGE
    table = tmp_path / "prepared/normal-pneumonia-small/conflicts.csv"
    with table.open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [(row["path"], row["label"]) for row in found] == [
        ("films/train-00.png", "normal"), ("films/train-00.png", "pneumonia"),
    ]  # fmt: skip
    assert "1 conflicts between labels" in capsys.readouterr().err
    assert run_prepare(data, tmp_path, "data.votes=any") == ExitCode.OK
    assert not table.exists()


def test_that_a_table_that_a_person_has_changed_is_copied_before_it_is_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data, out = make_data(tmp_path / "data"), tmp_path / "out"
    options = ["--out", str(out)]
    settings = [part for setting in TINY for part in ("--set", setting)]
    arguments = ["prepare", "normal-pneumonia-small", "--data", str(data), *options, *settings]
    cache = ["--cache", str(tmp_path / "cache")]
    out.mkdir()
    (out / "leaks.csv").write_text("mine")
    assert main([*arguments, *cache]) == ExitCode.OK
    (kept,) = out.glob("leaks.*.csv")
    assert kept.read_text() == "mine"
    assert f"copied to {kept.name}" in capsys.readouterr().out
    assert main([*arguments, *cache]) == ExitCode.OK
    assert len(list(out.glob("*.*.csv"))) == 1
    changed = (out / "omitted.csv").read_text() + "a.png,LATERAL,looked at it,p1\n"
    (out / "omitted.csv").write_text(changed)
    assert main([*arguments, *cache]) == ExitCode.OK
    (kept,) = out.glob("omitted.*.csv")
    assert kept.read_text() == changed
