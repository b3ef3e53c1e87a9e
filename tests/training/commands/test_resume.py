"""Two processes cannot continue one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.conftest import TINY
from training.cli import main
from training.runs import RunFolder
from xrayview.errors import ExitCode
from xrayview.io.run_lock import run_lock


def test_that_a_second_process_is_refused(
    tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings = [part for setting in TINY for part in ("--set", setting)]
    run = RunFolder(tmp_path / "run")
    arguments = ["train", "normal-pneumonia-small", "--data", str(tiny_data)]
    more = ["--cache", str(tmp_path / "cache"), "--no-report"]
    assert main([*arguments, "--run", str(run.path), *more, *settings]) == ExitCode.OK
    assert not run.lock.exists()
    last = run.last.read_bytes()
    resume = ["train", "--resume", str(run.path), "--data", str(tiny_data), *more]
    facts = run.facts.read_bytes()
    with run_lock(run.lock, "run"):
        assert main(resume) == ExitCode.USAGE
    assert run.last.read_bytes() == last
    assert run.facts.read_bytes() == facts
    capsys.readouterr()
    assert main(resume) == ExitCode.OK
    assert len(run.read_facts()["resumed"]) == 1


def test_that_a_new_run_in_the_folder_of_another_start_is_refused(
    tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings = [part for setting in TINY for part in ("--set", setting)]
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    arguments = ["train", "normal-pneumonia-small", "--data", str(tiny_data), "--no-report"]
    options = ["--run", str(run.path), "--cache", str(tmp_path / "cache"), *settings]
    with run_lock(run.lock, "run"):
        assert main([*arguments, *options]) == ExitCode.USAGE
        assert "is in use by another run" in capsys.readouterr().err
        assert [path.name for path in run.path.iterdir()] == [run.lock.name]
    assert main([*arguments, *options]) == ExitCode.OK


def test_that_a_run_that_ends_while_films_are_scored_leaves_no_bundle(
    tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A bundle without temperature, operating points and gate would look like a finished one."""

    def stopped(*_arguments: object) -> None:
        raise KeyboardInterrupt

    settings = [part for setting in TINY for part in ("--set", setting)]
    run = RunFolder(tmp_path / "run")
    arguments = ["train", "normal-pneumonia-small", "--data", str(tiny_data), "--no-report"]
    options = ["--run", str(run.path), "--cache", str(tmp_path / "cache"), *settings]
    monkeypatch.setattr("training.pipeline.score_films", stopped)
    assert main([*arguments, *options]) == ExitCode.INTERRUPTED
    assert {path.name for path in run.path.glob("*.pt")} == {"last.pt", "best.pt"}
    assert not any(path.is_dir() for path in run.path.iterdir())
