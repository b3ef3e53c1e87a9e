"""A start of `train` that cannot succeed ends early and leaves no run folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.conftest import TINY
from training import cli
from xrayview.errors import ExitCode


def train(data: Path, runs: Path, *settings: str) -> int:
    options = [part for setting in (*TINY, *settings) for part in ("--set", setting)]
    arguments = ["train", "normal-pneumonia-small", "--data", str(data), "--runs", str(runs)]
    return cli.main([*arguments, *options])


def test_that_fewer_films_than_a_batch_leave_no_run(
    tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert train(tiny_data, tmp_path, "optim.batch=512") == ExitCode.USAGE
    assert "--set optim.batch=" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_that_a_missing_folder_of_lung_masks_is_found_before_films_are_decoded(
    tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert train(tiny_data, tmp_path, "augment.surroundings=0.5") == ExitCode.USAGE
    assert "There is no folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
