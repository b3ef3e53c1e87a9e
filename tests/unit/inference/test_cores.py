"""The cores of a container count, and OpenMP is told how to wait before torch is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xrayview.inference import cores
from xrayview.inference.cores import available_cores, set_wait_policy


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 6),
        ({"cpu.max": "max 100000"}, 6),
        ({"cpu.max": "250000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "1600000 100000"}, 6),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 6),
    ],
)
def test_that_the_limit_of_a_container_counts(
    files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(cores, "_CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(6)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert available_cores() == expected


def test_that_the_user_may_choose_how_threads_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    set_wait_policy()
    assert "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    set_wait_policy()
    assert os.environ["GOMP_SPINCOUNT"] == "7"


CHECK = """
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "cv2") and "GOMP_SPINCOUNT" not in os.environ:
            os._exit(3)
sys.meta_path.insert(0, Finder())
{code}
import torch
os._exit(0 if os.environ["GOMP_SPINCOUNT"] == "2000" else 4)
"""
PROGRAMS = {
    "model worker": """
from xrayview.engine.worker import start_model_worker
start_model_worker(os.devnull)
""",
    "command line": """
from xrayview.cli import main
main(["model", "list"])
""",
    "training": """
from training.cli import main
main(["list"])
""",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_that_every_program_sets_it_before_torch_is_imported(program: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_WAIT", "GOMP"))}
    command = [sys.executable, "-c", CHECK.format(code=PROGRAMS[program])]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
