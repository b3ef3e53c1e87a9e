"""Run folders as they are on disk: state, films and metrics, without loading a model or a film."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from training.evaluation.metrics import estimate_from_json
from training.runs import RunFolder
from xrayview.errors import UsageError
from xrayview.evaluation.intervals import Estimate

_DEPTH = 3
"""Folders below the given one in which runs are looked for: a grid's models are two deep."""
ALL_CLASSES = "all classes"


@dataclass(frozen=True)
class FoundRun:
    """What the files of a run say."""

    folder: RunFolder
    name: str
    """The path as the tables show it."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """The stored settings, by section; empty if they cannot be read."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why a file of the run cannot be read."""

    @property
    def recipe(self) -> str:
        """The recipe, or its file's name."""
        return str(self.config.get("recipe", ""))

    @property
    def state(self) -> str:
        """`finished`, `stopped after epoch N`, `at work or killed`, or why it is not known."""
        if self.problem:
            return self.problem
        if self.folder.lock.is_file():
            return "at work or killed"
        if "finished_utc" in self.facts and self._is_evaluated:
            return "finished"
        epochs = self._epochs_logged
        return f"stopped after epoch {epochs}" if epochs else "stopped before its first epoch"

    @property
    def _is_evaluated(self) -> bool:
        return (self.folder.path / "validation" / "metrics.json").is_file()

    @property
    def _epochs_logged(self) -> int:
        try:
            return max(0, len(self.folder.log.read_text(encoding="utf-8").splitlines()) - 1)
        except OSError:
            return 0

    def films(self, split: str) -> int | None:
        """Return the number of films of a split when the run began."""
        counts = self.facts.get("counts", {})
        films = counts.get(split, {}).get("films") if isinstance(counts, dict) else None
        return films if isinstance(films, int) else None

    @cached_property
    def metrics(self) -> Mapping[str, Mapping[str, Any]]:
        """The stored metrics.json by split."""
        found = {}
        for path in sorted(self.folder.path.glob("*/metrics.json")):
            stored = _read(path)
            if isinstance(stored, dict) and isinstance(stored.get("findings"), dict):
                found[path.parent.name] = stored
        return found

    def findings(self, split: str) -> list[str]:
        """Return the findings that were evaluated on a split, `all classes` last."""
        return list(self.metrics.get(split, {}).get("findings", {}))

    def estimate(self, split: str, finding: str, metric: str) -> Estimate | None:
        """Return a metric with its interval; None if it was not measured."""
        of_finding = self.metrics.get(split, {}).get("findings", {}).get(finding, {})
        stored = of_finding.get("figures", {}).get(metric)
        return estimate_from_json(stored) if isinstance(stored, dict) else None

    def threshold(self, split: str, finding: str) -> float | None:
        """Return the operating point that the metrics are at."""
        value = self.metrics[split]["findings"].get(finding, {}).get("threshold")
        return float(value) if value is not None else None


def find_runs(folders: Sequence[Path]) -> list[FoundRun]:
    """Return the run folders that are given, and those below the given ones, oldest first.

    Raises:
        UsageError: a folder does not exist, or none has a run.
    """
    found: dict[Path, FoundRun] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}", hint="Name folders with runs.")
        for path in _run_folders(folder, _DEPTH):
            found.setdefault(path.resolve(), _found(path))
    if not found:
        named = ", ".join(map(str, folders))
        raise UsageError(f"There is no run in {named}", hint="A run folder has a config.json.")
    return sorted(found.values(), key=lambda r: (str(r.facts.get("started_utc", "")), r.name))


def _run_folders(folder: Path, depth: int) -> Iterator[Path]:
    if RunFolder(folder).config.is_file():
        yield folder
    if depth:
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                yield from _run_folders(path, depth - 1)


def _found(path: Path) -> FoundRun:
    run = RunFolder(path)
    config, facts = _read(run.config), _read(run.facts) if run.facts.is_file() else {}
    for name, value in ((run.config.name, config), (run.facts.name, facts)):
        if not isinstance(value, dict):
            return FoundRun(run, str(path), problem=f"{name} cannot be read: {value}")
    return FoundRun(run, str(path), config, facts)


def _read(path: Path) -> Any:
    """Return the JSON of a file; a text that says why it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return error.strerror or type(error).__name__
    except ValueError as error:
        return str(error)
