"""A run on a disk that fills, at one write after another, ends as it would have on an empty one."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.conftest import TINY
from training.cli import main
from training.runs import RunFolder
from xrayview.errors import ExitCode

OWN_MOUNTS = ["unshare", "--map-root-user", "--mount"]


def can_mount(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    command = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "none", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def losses(log: str) -> list[tuple[str, ...]]:
    timed = {"films_per_s", "seconds"}
    return [
        tuple(v for k, v in row.items() if k not in timed) for row in csv.DictReader(log.split())
    ]


def test_that_a_run_on_a_filling_disk_resumes_to_the_same_weights(tiny_data: Path, tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("a disk of a few KiB needs a mount namespace: Linux with unshare")
    reference = RunFolder(tmp_path / "reference")
    settings = [part for setting in TINY for part in ("--set", setting)]
    arguments = ["train", "normal-pneumonia-small", "--data", str(tiny_data), "--no-report"]
    options = ["--run", str(reference.path), "--cache", str(tmp_path / "cache")]
    assert main([*arguments, *options, *settings]) == ExitCode.OK

    command = [*OWN_MOUNTS, sys.executable, "-m", "tests.training.filling_disk"]
    done = subprocess.run(
        [*command, str(disk), str(tiny_data), *TINY], capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout.splitlines()[-1])
    for error in result["errors"]:
        assert error["code"] == ExitCode.INTERNAL
        assert "No space left on device" in error["text"]
        assert str(disk / "run") in error["text"]
    texts = [error["text"] for error in result["errors"]]
    assert "config.json" in texts[0]
    assert any("last.pt" in text or "best.pt" in text for text in texts)
    assert any("small.pt" in text for text in texts)
    assert result["weights_sha256"] == reference.read_facts()["weights_sha256"]
    assert losses(result["log"]) == losses(reference.log.read_text())
    assert result["scores"] == (reference.path / "test/scores.csv").read_text()
    assert result["files"] == sorted(path.name for path in reference.path.iterdir())
