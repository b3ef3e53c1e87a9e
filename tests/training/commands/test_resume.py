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
    with run_lock(run.lock, "run"):
        assert main(resume) == ExitCode.USAGE
    assert run.last.read_bytes() == last
    capsys.readouterr()
    assert main(resume) == ExitCode.OK
