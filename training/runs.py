"""Run folders: numbered, never overwritten; what they hold and where."""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from training.config import TrainingConfig, from_dict, to_dict
from training.data.manifest import Manifest, write_omissions, write_rows
from training.disk import told, writing
from xrayview.errors import UsageError

_PACKAGES = ("torch", "numpy", "opencv-python-headless", "pydicom", "lightning-fabric")


@dataclass(frozen=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @property
    def config(self) -> Path:
        """All settings."""
        return self.path / "config.json"

    @property
    def manifest(self) -> Path:
        """The films used."""
        return self.path / "manifest.csv"

    @property
    def omitted(self) -> Path:
        """The films left out."""
        return self.path / "omitted.csv"

    @property
    def facts(self) -> Path:
        """Command, machine, versions, commit, times."""
        return self.path / "run.json"

    @property
    def log(self) -> Path:
        """One row per epoch."""
        return self.path / "log.csv"

    @property
    def last(self) -> Path:
        """The state to resume from."""
        return self.path / "last.pt"

    @property
    def best(self) -> Path:
        """The weights that validation chose."""
        return self.path / "best.pt"

    def best_by(self, figure: str) -> Path:
        """The weights of another of validation's figures, where `stopping.also` names some."""
        return self.path / f"best-{figure}.pt"

    def read_config(self) -> TrainingConfig:
        """The run's settings.

        Raises:
            UsageError: the folder is no run.
        """
        if not self.config.is_file():
            raise UsageError(f"{self.path} is no run folder", hint="It has no config.json.")
        return from_dict(json.loads(self.config.read_text(encoding="utf-8")))

    def read_facts(self) -> dict[str, Any]:
        """What `describe` wrote, plus what was added since."""
        facts: dict[str, Any] = json.loads(self.facts.read_text(encoding="utf-8"))
        return facts

    def add_facts(self, **more: object) -> None:
        """Add to run.json; the file is replaced whole."""
        known = self.read_facts() if self.facts.is_file() else {}
        write_json(self.facts, {**known, **more})

    def bundle(self, config: TrainingConfig) -> Path:
        """Where the run's bundle goes."""
        return self.path / f"{config.bundle.name}.pt"


def new_run(runs: Path, name: str) -> RunFolder:
    """Make the next free folder RUNS/NAME-001, NAME-002 ..."""
    runs.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        try:
            folder = runs / f"{name}-{number:03d}"
            folder.mkdir()
            return RunFolder(folder)
        except FileExistsError:
            number += 1


def named_run(path: Path) -> RunFolder:
    """Make this very folder.

    Raises:
        UsageError: it exists and is not empty; a run is never overwritten.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(
            f"{path} is already there", hint="A run is never overwritten: --resume it, or rename."
        )
    path.mkdir(parents=True, exist_ok=True)
    return RunFolder(path)


def describe(run: RunFolder, config: TrainingConfig, manifest: Manifest, leaks: int) -> None:
    """Write what the run is made of, before its first step."""
    write_json(run.config, to_dict(config))
    write_rows(manifest.rows, run.manifest)
    write_omissions(manifest.omitted, run.omitted)
    run.add_facts(
        command=command_line(),
        started_utc=now_utc(),
        manifest_sha256=manifest.sha256,
        film_sources=manifest.sources(),
        counts=manifest.counts(),
        omitted=len(manifest.omitted),
        leaks=leaks,
        notes=list(manifest.notes),
        versions=versions(),
        commit=commit(),
        machine=machine(),
    )


def weights_sha256(run: RunFolder) -> str:
    """Of the weights that validation chose: what two runs of one config can be compared by."""
    import torch

    from training.networks.cut_network import state_sha256

    return state_sha256(torch.load(run.best, map_location="cpu", weights_only=True)["weights"])


def note_resumption(run: RunFolder) -> None:
    """Add this start to run.json: the code may have changed since the first."""
    starts = run.read_facts().get("resumed", [])
    run.add_facts(resumed=[*starts, {"time_utc": now_utc(), "commit": commit()}])


def command_line() -> str:
    """The command as typed, from `python -m training` on."""
    return " ".join(["python -m training", *sys.argv[1:]])


def now_utc() -> str:
    """ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> str:
    """The processor in words."""
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"{_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit() -> str:
    """The code's git commit, with `+changes` when the tree differs; empty outside git."""
    folder = Path(__file__).parent
    sources = ["--", str(folder), str(folder.parent / "xrayview")]
    try:
        head = _git("rev-parse", "HEAD")
        changes = _git("status", "--porcelain", "--untracked-files=no", *sources)
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + ("+changes" if changes else "")


def _git(*words: str) -> str:
    command = ["git", "-C", str(Path(__file__).parent), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    return done.stdout.strip()


def write_json(path: Path, data: object) -> None:
    """Write whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with writing(partial):
        partial.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def append_log(path: Path, row: Mapping[str, object]) -> None:
    """One more row of the epoch log; the first writes the header, later ones keep to it."""
    fresh = not path.is_file()
    names = list(row) if fresh else path.read_text(encoding="utf-8").splitlines()[0].split(",")
    with told(path), path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, extrasaction="ignore")
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def trim_log(path: Path, epochs: int) -> None:
    """Drop rows past the first `epochs`: a run that was killed repeats them."""
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[: epochs + 1]), encoding="utf-8")
