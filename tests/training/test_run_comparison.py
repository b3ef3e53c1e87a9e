"""`runs`: what differs between run folders, and their metrics, from their files only."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.training.conftest import TINY
from training.cli import main
from training.comparison.differences import paired, setting_differences
from training.comparison.found import FoundRun, find_runs
from training.runs import RunFolder
from xrayview.errors import ExitCode
from xrayview.io.run_lock import run_lock


@pytest.fixture(scope="module")
def runs(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs that differ in seed and rate."""
    folder = tmp_path_factory.mktemp("runs")
    for name, settings in (("one", ()), ("other", ("run.seed=2", "optim.rate=1e-3"))):
        overrides = [part for setting in (*TINY, *settings) for part in ("--set", setting)]
        arguments = ["train", "normal-pneumonia-small", "--data", str(tiny_data), "--no-report"]
        options = ["--run", str(folder / name), "--cache", str(folder / "cache"), *overrides]
        assert main([*arguments, *options]) == ExitCode.OK
    return folder


def found(*folders: Path) -> list[FoundRun]:
    return find_runs(folders)


def test_that_runs_are_listed_with_films_and_metrics(
    runs: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["runs", str(runs)]) == ExitCode.OK
    header, *lines = capsys.readouterr().out.splitlines()
    assert "test AUC" in header
    assert [Path(line.split()[0]).name for line in lines] == ["one", "other"]
    stored = json.loads((runs / "one/test/metrics.json").read_text())
    auc = stored["findings"]["Pneumonia"]["figures"]["auc"]
    assert f"{auc['value']:.3f} ({auc['low']:.3f}-{auc['high']:.3f})" in lines[0]
    assert "/12" in lines[0]
    assert lines[0].endswith("finished")


def test_that_only_settings_that_differ_are_named(runs: Path):
    differences = dict(setting_differences(found(runs)))
    assert differences == {"optim.rate": ["0.005", "0.001"], "run.seed": ["1", "2"]}


def test_that_two_runs_are_compared_on_the_same_films(
    runs: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["runs", str(runs / "one"), str(runs / "other"), "--compare"]) == ExitCode.OK
    text = capsys.readouterr().out
    for part in (
        "films: the same", "optim.rate", "sensitivity", "the same 12 test films", "DeLong",
        "kappa", "McNemar",
    ):  # fmt: skip
        assert part in text
    one, other = found(runs / "one", runs / "other")
    (result,) = paired(one, other, "test")
    auc = [run.estimate("test", "Pneumonia", "auc") for run in (one, other)]
    assert auc[0]
    assert auc[1]
    assert result.comparison.difference.value == pytest.approx(auc[0].value - auc[1].value)


def test_that_a_film_with_another_label_is_left_out_and_counted(runs: Path, tmp_path: Path):
    changed = Path(shutil.copytree(runs / "other", tmp_path / "changed"))
    path = changed / "test/scores.csv"
    header, first, *rows = path.read_text().splitlines()
    *cells, truth = first.split(",")
    path.write_text("\n".join([header, ",".join([*cells, str(1 - int(truth))]), *rows[:-1]]))
    one, other = find_runs([runs / "one"])[0], find_runs([changed])[0]
    (result,) = paired(one, other, "test")
    assert (result.comparison.n, result.other_films, result.other_labels) == (10, 1, 1)


def test_that_every_state_of_a_run_is_named(runs: Path, tmp_path: Path):
    states = {}
    for name in ("stopped", "new", "busy", "broken", "old"):
        run = RunFolder(shutil.copytree(runs / "one", tmp_path / name))
        facts = json.loads(run.facts.read_text())
        if name == "stopped":
            shutil.rmtree(run.path / "validation")
        elif name == "new":
            facts.pop("finished_utc")
            run.facts.write_text(json.dumps(facts))
            run.log.unlink()
        elif name == "broken":
            run.config.write_text("{")
        elif name == "old":
            config = json.loads(run.config.read_text())
            run.config.write_text(json.dumps({**config, "gone": {"field": 1}}))
        if name == "busy":
            with run_lock(run.lock, "run"):
                states[name] = find_runs([run.path])[0].state
        else:
            states[name] = find_runs([run.path])[0].state
    assert states["stopped"] == "stopped after epoch 2"
    assert states["new"] == "stopped before its first epoch"
    assert states["busy"] == "at work or killed"
    assert states["broken"].startswith("config.json cannot be read")
    assert states["old"] == "finished"


def test_that_all_metrics_are_written_as_csv(runs: Path, tmp_path: Path):
    out = tmp_path / "runs.csv"
    assert main(["runs", str(runs), "--out", str(out)]) == ExitCode.OK
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {Path(row["run"]).name for row in rows} == {"one", "other"}
    aucs = [row for row in rows if row["split"] == "test" and row["metric"] == "auc"]
    assert len(aucs) == 2
    assert all(float(row["low"]) <= float(row["value"]) <= float(row["high"]) for row in aucs)
    before = out.read_bytes()
    assert main(["runs", str(runs), "--out", str(out)]) == ExitCode.USAGE
    assert out.read_bytes() == before


@pytest.mark.parametrize("arguments", [("missing",), (".",), ("one", "--compare")])
def test_that_nothing_to_list_or_compare_is_an_error(
    arguments: tuple[str, ...], runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(runs if arguments[0] == "one" else tmp_path)
    assert main(["runs", *arguments]) == ExitCode.USAGE
