"""Run folders: numbered, never overwritten, with a fixed set of files."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from training.config import TrainingConfig, from_dict, to_dict
from training.data.manifest import Manifest, write_omissions, write_rows
from training.disk import CannotWrite, disk_errors, whole_text, writing_partial
from xrayview.errors import UsageError
from xrayview.io.run_lock import run_lock

_PACKAGES = ("torch", "numpy", "opencv-python-headless", "pydicom", "lightning-fabric")


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run's files."""

    path: Path

    @property
    def config(self) -> Path:
        """All settings."""
        return self.path / "config.json"

    @property
    def manifest(self) -> Path:
        """The films of the run."""
        return self.path / "manifest.csv"

    @property
    def omitted(self) -> Path:
        """The films that were left out."""
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
    def lock(self) -> Path:
        """There while a process is at work on the run."""
        return self.path / "run.lock"

    @property
    def best(self) -> Path:
        """The weights that validation chose."""
        return self.path / "best.pt"

    def best_by(self, metric: str) -> Path:
        """Return the path of the weights that a metric of `stopping.also` chose."""
        return self.path / f"best-{metric}.pt"

    def read_config(self) -> TrainingConfig:
        """Read the run's settings.

        Raises:
            UsageError: the folder is not a run folder.
        """
        if not self.config.is_file():
            raise UsageError(f"{self.path} is not a run folder", hint="It has no config.json.")
        return from_dict(json.loads(self.config.read_text(encoding="utf-8")))

    def read_facts(self) -> dict[str, Any]:
        """Read what `describe` and `add_facts` wrote.

        Raises:
            UsageError: there is nothing, since the run was stopped before its first step.
        """
        if not self.facts.is_file():
            raise UsageError(
                f"{self.path} has no {self.facts.name}", hint="Start a new run in another folder."
            )
        facts: dict[str, Any] = json.loads(self.facts.read_text(encoding="utf-8"))
        return facts

    def add_facts(self, **more: object) -> None:
        """Add to run.json; the file is replaced as a whole."""
        facts = self.read_facts() if self.facts.is_file() else {}
        write_json(self.facts, {**facts, **more})

    def bundle(self, config: TrainingConfig) -> Path:
        """Return the path of the run's bundle, named as its card.

        A bundle of one's own films that has the recipe's name, as older runs have, is found too.
        """
        from training.bundle.identity import bundle_identity

        of_recipe = self.path / f"{config.bundle.name}.pt"
        if of_recipe.is_file() or not self.facts.is_file():
            return of_recipe
        return self.path / f"{bundle_identity(config, self.read_facts()).name}.pt"


def new_run(runs: Path, name: str) -> RunFolder:
    """Create the next free folder RUNS/NAME-001, NAME-002 ..."""
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
    """Create this folder for a run.

    Raises:
        UsageError: it exists and is not empty; a run is never overwritten.
    """
    lock = RunFolder(path).lock.name  # may be all that a killed start has left
    if path.exists() and (not path.is_dir() or any(p.name != lock for p in path.iterdir())):
        raise UsageError(
            f"{path} already exists",
            hint="A run is never overwritten: --resume it, or choose another name.",
        )
    path.mkdir(parents=True, exist_ok=True)
    return RunFolder(path)


@contextmanager
def in_use(folder: Path, what: str = "run") -> Iterator[None]:
    """Hold a folder's lock until the block ends; it is created if it does not exist.

    Raises:
        UsageError: another process is at work on the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with run_lock(RunFolder(folder).lock, f"The {what} {folder}"):
        yield


def describe(run: RunFolder, config: TrainingConfig, manifest: Manifest, leaks: int) -> None:
    """Write the run's config, films, versions and origin before its first step, or nothing.

    Raises:
        CannotWrite: the disk is full or fails; the folder can be used again.
    """
    try:
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
    except CannotWrite:
        for path in (run.config, run.manifest, run.omitted):
            path.unlink(missing_ok=True)
        raise


def weights_sha256(run: RunFolder) -> str:
    """Hash the weights that validation chose, to compare runs of the same config."""
    import torch

    from training.networks.cut_network import state_sha256

    return state_sha256(torch.load(run.best, map_location="cpu", weights_only=True)["weights"])


def record_resumption(run: RunFolder) -> None:
    """Record this start in run.json, since the code may have changed since the first."""
    earlier = run.read_facts().get("resumed", [])
    run.add_facts(resumed=[*earlier, {"time_utc": now_utc(), "commit": commit()}])


def command_line() -> str:
    """Return the command as typed, starting with `python -m training`."""
    return " ".join(["python -m training", *sys.argv[1:]])


def now_utc() -> str:
    """Return the time in ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def machine() -> str:
    """Describe the GPU, or else the processor and its cores."""
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
    """Return the code's git commit, with `+changes` if files were changed; empty outside git."""
    folder = Path(__file__).parent
    sources = ["--", str(folder), str(folder.parent / "xrayview")]
    try:
        head = _git("rev-parse", "HEAD")
        changes = _git("status", "--porcelain", "--untracked-files=no", *sources)
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + ("+changes" if changes else "")


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603
    return result.stdout.strip()


def write_json(path: Path, data: object) -> None:
    """Write the file whole or not at all."""
    with whole_text(path) as stream:
        stream.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def append_log(path: Path, row: Mapping[str, object]) -> None:
    """Append a row to the epoch log; the first row sets the columns."""
    is_first = not path.is_file() or not path.stat().st_size
    names = list(row) if is_first else path.read_text(encoding="utf-8").splitlines()[0].split(",")
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, extrasaction="ignore")
    if is_first:
        writer.writeheader()
    writer.writerow(row)
    size = 0 if is_first else path.stat().st_size
    try:
        with disk_errors(path), path.open("a", newline="", encoding="utf-8") as stream:
            stream.write(text.getvalue())
    except CannotWrite:
        if path.is_file():  # half a row would be taken for a whole one
            os.truncate(path, size)
        raise


def trim_log(path: Path, epochs: int) -> None:
    """Drop the rows after the first `epochs`, which a killed run repeats."""
    if path.is_file():
        lines = path.read_bytes().splitlines(keepends=True)
        partial = path.with_name(path.name + ".partial")
        with writing_partial(partial):
            partial.write_bytes(b"".join(lines[: epochs + 1]))
        partial.replace(path)
