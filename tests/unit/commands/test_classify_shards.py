"""Shards on a cluster of separate worker processes: rows equal to those of one run."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import dask
import distributed  # noqa: F401 - its settings must be there before some are changed
import numpy as np
import pytest

from tests import fragile_shards
from tests.builders import phantom, write_raster
from tests.bundles import write_bundle
from tests.unit.batch.test_shards import cells, write_films
from xrayview.batch.report import report_path
from xrayview.cli import main
from xrayview.engine import client
from xrayview.errors import ExitCode, UsageError
from xrayview.services.cluster import SchedulerChoice

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = write_films(tmp_path / "films")
    write_raster(folder / "crash.png", phantom(64, 64, 8))
    for n in range(6):
        write_raster(folder / f"slow {n}.png", (phantom(64, 64, 8) // (n + 1)).astype(np.uint8))
    return folder


def command(work: Path, *more: str) -> list[str]:
    return ["classify", "--model", str(work / "tiny.pt"), "--trust-model", "--device", "cpu",
            "--identity-key", str(work / "key"), "--workers", "1", *more]  # fmt: skip


class Killer(threading.Thread):
    """Kills the first process that is at work on a shard and has written a row of it."""

    def __init__(self, parts: Path) -> None:
        super().__init__(daemon=True)
        self.parts, self.killed, self.rows = parts, 0, 0
        self.children: list[int] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.01) and not self.killed:
            for lock in self.parts.glob("*.lock"):
                with suppress(OSError, ValueError):
                    journal = lock.with_suffix(".journal")
                    self.rows = len(journal.read_text().splitlines()) - 1
                    if self.rows >= 1:
                        pid = json.loads(lock.read_text())["pid"]
                        self.children = _started_by(pid)
                        os.kill(pid, signal.SIGKILL)
                        self.killed = pid
                        return


def test_that_a_killed_worker_and_a_film_that_kills_its_decoder_change_no_row(
    films: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bundle(tmp_path / "tiny.pt")
    index, out = tmp_path / "index.parquet", tmp_path / "cluster.csv"
    key = ["--identity-key", str(tmp_path / "key"), "--workers", "1"]
    assert main(["index", str(films), "--out", str(index), *key]) == ExitCode.OK
    monkeypatch.setattr(client, "start_decode_worker", fragile_shards.start_decode_worker)
    main(command(tmp_path, str(films), "--out", str(tmp_path / "whole.csv")))
    whole = cells(tmp_path / "whole.csv")
    codes = {row["path"]: row["status_code"] for row in whole}
    assert codes["crash.png"] == "DECODER_CRASHED"

    killer = Killer(out.with_name(out.name + ".parts"))
    killer.start()
    on_cluster = ["--films", str(index), "--out", str(out), "--scheduler", "local:2"]
    on_cluster += ["--shard-films", "7", "--studies", str(tmp_path / "s.csv")]
    with dask.config.set({"distributed.worker.preload": ["tests.fragile_shards"]}):
        code = main(command(tmp_path, *on_cluster))
    killer.stopped.set()
    killer.join()

    assert killer.killed
    assert killer.killed != os.getpid()
    assert killer.children  # its decoder and its model worker
    assert code == ExitCode.SOME_FAILED  # the film, and what is not a film
    assert cells(out) == whole
    report = json.loads(report_path(out).read_text(encoding="utf-8"))
    assert [part["shard"] for part in report["parts"]] == ["1/3", "2/3", "3/3"]
    assert report["missing"] == []
    assert (tmp_path / "s.csv").exists()
    assert "3 of 3 shards" not in capsys.readouterr().out
    deadline = time.monotonic() + 60
    while children := _started_by(killer.killed):
        assert time.monotonic() < deadline, f"left over: {children}"
        time.sleep(0.2)


def _started_by(pid: int) -> list[int]:
    """Processes that a worker has started and that live without it."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{fragile_shards.STARTED_BY}={pid}\0".encode() in stat.read_bytes():
                found.append(int(stat.parent.name))
    return found


SBATCH = """#!/bin/bash
script=$(cat "$1")  # which is removed when this program ends
setsid bash -c "$script" > /dev/null 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/bash
for job in "$@"; do kill -TERM -- "-$job"; done
(sleep 5; for job in "$@"; do kill -KILL -- "-$job"; done) > /dev/null 2>&1 &
"""


@pytest.mark.skipif(os.name == "nt", reason="job queues run on POSIX")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # dask-jobqueue's certificates
def test_that_jobs_of_slurm_classify_the_shards(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With stand-ins for the two programs of Slurm that run a real job script."""
    write_bundle(tmp_path / "tiny.pt")
    films, index, out = tmp_path / "films", tmp_path / "index.parquet", tmp_path / "p.csv"
    films.mkdir()
    for n in range(4):
        write_raster(films / f"{n}.png", (phantom(64, 64, 8) // (n + 1)).astype(np.uint8))
    key = ["--identity-key", str(tmp_path / "key"), "--workers", "1"]
    assert main(["index", str(films), "--out", str(index), *key]) == ExitCode.OK
    run = command(tmp_path, "--films", str(index), "--out", str(out), "--scheduler", "slurm:1")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert main(run) == ExitCode.USAGE
    assert "there is no sbatch on this computer" in capsys.readouterr().err
    (tmp_path / "bin").mkdir()
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    assert main(run) == ExitCode.USAGE
    assert "jobqueue.yaml" in capsys.readouterr().err
    with dask.config.set({"jobqueue.slurm.cores": 2, "jobqueue.slurm.memory": "4GB"}):
        assert main([*run, "--shard-films", "2"]) == ExitCode.OK
    assert [row["path"] for row in cells(out)] == [f"{n}.png" for n in range(4)]
    gc.collect()  # at the latest, certificates go when the process ends
    left = {path.suffix for path in out.with_name("p.csv.parts").iterdir()}
    assert left == {".parquet", ".journal", ".json"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["FILMS", "--scheduler", "local:2"], "does not go with FOLDER"),
        (["--scheduler", "local:2"], "--scheduler needs an index"),
        (["--films", "INDEX", "--scheduler", "local:0"], "Not a scheduler"),
        (["--films", "INDEX", "--scheduler", "cloud"], "Not a scheduler"),
        (["--films", "INDEX", "--shard", "1/2", "--scheduler", "local:2"], "with --shard"),
        (["--films", "INDEX", "--scheduler", "local:2"], "Not an index"),
    ],
)
def test_that_what_cannot_run_on_a_cluster_is_refused(
    arguments: list[str], text: str, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "FILMS").mkdir()
    (tmp_path / "INDEX").write_text("not one")
    given = [str(tmp_path / word) if word.isupper() else word for word in arguments]
    assert main(command(tmp_path, *given, "--out", str(tmp_path / "p.csv"))) == ExitCode.USAGE
    assert text in capsys.readouterr().err
    assert not list(tmp_path.glob("p.csv*"))


def test_that_schedulers_are_known_by_their_form() -> None:
    assert SchedulerChoice.parse("local:4") == SchedulerChoice("local", 4)
    assert SchedulerChoice.parse("slurm:20") == SchedulerChoice("slurm", 20)
    assert SchedulerChoice.parse("lsf") == SchedulerChoice("lsf", 1)
    assert SchedulerChoice.parse("tls://node1:8786").address == "tls://node1:8786"
    assert SchedulerChoice.parse("node1:8786").kind == "address"
    for text in ("", "local:x", "slurm:-1", "node1", ":8786"):
        with pytest.raises(UsageError, match="Not a scheduler"):
            SchedulerChoice.parse(text)
