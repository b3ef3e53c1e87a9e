"""The list of runs, and their comparison, as text and CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from training.comparison.differences import film_note, paired, setting_differences
from training.comparison.found import ALL_CLASSES, FoundRun
from training.disk import whole_text
from xrayview.evaluation.intervals import Estimate

METRICS = ("auc", "accuracy", "sensitivity", "specificity", "ece")
_SPLITS = ("train", "validation", "test")


def list_lines(runs: Sequence[FoundRun], split: str) -> Iterator[str]:
    """Yield a line for each run: state, films, and its first finding's AUC on the split."""
    width = max(len(run.name) for run in runs)
    yield f"{'run':{width}s}  {'films':>17s}  {split + ' AUC':24s} state"
    for run in runs:
        films = "/".join(str(n) if (n := run.films(s)) is not None else "-" for s in _SPLITS)
        finding = next(iter(run.findings(split)), "")
        auc = _format(run.estimate(split, finding, "auc"))
        yield f"{run.name:{width}s}  {films:>17s}  {auc:24s} {run.state}"


def comparison_lines(runs: Sequence[FoundRun], split: str) -> Iterator[str]:
    """Yield what differs in the settings, the metrics side by side, and the paired comparison."""
    yield film_note(runs)
    yield ""
    differences = list(setting_differences(runs))
    yield "settings that differ" if differences else "all settings are the same"
    for name, values in differences:
        yield f"  {name}"
        yield from (f"    {run.name}: {value}" for run, value in zip(runs, values, strict=True))
    for finding in dict.fromkeys(name for run in runs for name in run.findings(split)):
        yield ""
        yield f"{finding}, {split} films"
        metrics = ("accuracy",) if finding == ALL_CLASSES else METRICS
        for metric in metrics:
            yield f"  {metric}"
            for run in runs:
                estimate = run.estimate(split, finding, metric)
                n = f"  n {estimate.n}" if estimate else ""
                yield f"    {run.name}: {_format(estimate)}{n}"
    if len(runs) == 2:
        yield from _paired_lines(runs[0], runs[1], split)


def _paired_lines(first: FoundRun, second: FoundRun, split: str) -> Iterator[str]:
    if split not in first.metrics or split not in second.metrics:
        yield ""
        yield f"no paired comparison: not both runs have scored {split} films"
        return
    for each in paired(first, second, split):
        found = each.comparison
        test = "" if math.isnan(found.p_value) else f", p {found.p_value:.3g} (DeLong)"
        yield ""
        yield f"{each.finding}, the same {found.n} {split} films ({found.positives} with it)"
        yield f"  AUC of {first.name} minus {second.name}: {_format(found.difference)}{test}"
        yield f"  agreement of their calls (kappa): {_format(found.kappa)}"
        yield (
            f"  right only by the first: {found.calls.only_first}, only by the second: "
            f"{found.calls.only_second}, p {found.calls.p_value:.3g} (McNemar)"
        )
        if each.other_films:
            yield f"  {each.other_films} films were scored by one of them only"
        if each.other_labels:
            yield f"  {each.other_labels} films have other labels in the two runs: left out"


def write_csv(runs: Sequence[FoundRun], path: Path) -> None:
    """Write a row for each run, split, finding and metric; runs without metrics have one row."""
    with whole_text(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ("run", "recipe", "state", "started_utc", "manifest_sha256", "split", "finding",
             "metric", "value", "low", "high", "n")
        )  # fmt: skip
        for run in runs:
            facts = (str(run.facts.get(name, "")) for name in ("started_utc", "manifest_sha256"))
            first = (run.name, run.recipe, run.state, *facts)
            rows = list(_metric_rows(run)) or [("",) * 7]
            writer.writerows((*first, *row) for row in rows)


def _metric_rows(run: FoundRun) -> Iterator[tuple[object, ...]]:
    for split, stored in run.metrics.items():
        for finding, of_finding in stored["findings"].items():
            for metric in of_finding.get("figures", {}):
                if estimate := run.estimate(split, finding, metric):
                    numbers = (estimate.value, estimate.low, estimate.high)
                    cells = ("" if math.isnan(number) else number for number in numbers)
                    yield (split, finding, metric, *cells, estimate.n)


def _format(estimate: Estimate | None) -> str:
    if estimate is None or math.isnan(estimate.value):
        return "-"
    if math.isnan(estimate.low):
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"
