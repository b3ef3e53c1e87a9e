"""What differs between runs: their settings, their films, and their scores of the same films."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.comparison.found import FoundRun
from training.data.manifest import read_rows
from xrayview.errors import UsageError
from xrayview.evaluation.model_comparison import ModelComparison, compare_models

_TEXTS = {"bundle", "summary"}
"""Sections that change no result."""


def setting_differences(runs: Sequence[FoundRun]) -> Iterator[tuple[str, list[str]]]:
    """Yield each setting that is not the same in all runs, with its value in each.

    A dash stands for a setting that a run's version does not have.
    """
    flat = [dict(_flat(run.config)) for run in runs]
    for name in dict.fromkeys(name for settings in flat for name in settings):
        values = [settings.get(name, "-") for settings in flat]
        if len(set(values)) > 1:
            yield name, values


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if not prefix and name in _TEXTS:
            continue
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json.dumps(value, ensure_ascii=False)


def film_note(runs: Sequence[FoundRun]) -> str:
    """Say whether the runs have the same films in the same splits."""
    hashes = [run.facts.get("manifest_sha256") for run in runs]
    if None in hashes:
        return "films: not known for every run"
    if len(set(hashes)) == 1:
        return "films: the same, with the same labels and splits"
    return "films: different films, labels or splits; compare metrics with care"


@dataclass(frozen=True)
class _Scored:
    score: float
    truth: bool


@dataclass(frozen=True)
class Paired:
    """Two runs' scores of one finding on the films that both have scored."""

    finding: str
    comparison: ModelComparison
    other_films: int
    """Films that only one of them has scored."""
    other_labels: int
    """Films whose labels differ; they are left out."""


def paired(first: FoundRun, second: FoundRun, split: str) -> Iterator[Paired]:
    """Compare two runs on the films of a split that both have scored, finding by finding.

    Findings without films of both classes are left out.

    Raises:
        UsageError: a table of scores cannot be read.
    """
    patients = {row.path: row.patient for row in read_rows(first.folder.manifest)}
    for finding in first.findings(split):
        thresholds = (first.threshold(split, finding), second.threshold(split, finding))
        if thresholds[0] is None or thresholds[1] is None:
            continue
        one, other = (_scores(run, split, finding) for run in (first, second))
        both = [path for path in one if path in other]
        same = [path for path in both if one[path].truth == other[path].truth]
        truth = [one[path].truth for path in same]
        if not any(truth) or all(truth):
            continue
        comparison = compare_models(
            truth,
            [one[path].score for path in same],
            [other[path].score for path in same],
            (thresholds[0], thresholds[1]),
            [patients.get(path, path) for path in same],
        )
        yield Paired(
            finding,
            comparison,
            len(one) + len(other) - 2 * len(both),
            len(both) - len(same),
        )


def _scores(run: FoundRun, split: str, finding: str) -> dict[str, _Scored]:
    """Return the scored films by path whose label is known."""
    path = run.folder.path / split / "scores.csv"
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return {
                row["path"]: _Scored(float(row[f"score_{finding}"]), truth == "1")
                for row in csv.DictReader(stream)
                if (truth := row[f"truth_{finding}"])
            }
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UsageError(
            "The scores of a run cannot be read",
            path=path,
            why=str(error),
            hint="Write them again: python -m training evaluate.",
        ) from error
