"""Several processes train one run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.training.conftest import TINY
from training.runs import RunFolder

ROOT = Path(__file__).parents[3]


def test_that_two_processes_under_torchrun_share_one_run(tiny_data: Path, tmp_path: Path):
    settings = [part for setting in TINY for part in ("--set", setting)]
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
        "-m", "training", "train", "normal-pneumonia-small",
        "--data", str(tiny_data), "--runs", str(tmp_path), *settings,
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "normal-pneumonia-small-001"]
    run = RunFolder(tmp_path / "normal-pneumonia-small-001")
    assert run.bundle(run.read_config()).is_file()
    assert len(run.log.read_text().splitlines()) == 1 + 2
    assert done.stdout.count("epoch   2/2") == 1
