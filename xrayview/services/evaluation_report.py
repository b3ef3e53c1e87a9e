"""Write an evaluation: tables, figures, one JSON file, and a page that is complete in itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil, isnan
from pathlib import Path
from typing import Any

import numpy as np

from xrayview import __version__
from xrayview.evaluation.curves import curve, reliability
from xrayview.evaluation.intervals import Estimate, wilson
from xrayview.evaluation.model_study import Band, FindingStudy
from xrayview.evaluation.svg_plots import Line, plot
from xrayview.io.atomic import replacing
from xrayview.io.dated_copy import kept_if_replaced
from xrayview.io.tables.results import write_json, write_table
from xrayview.services.labelled_run import LabelledFilm, LabelledRun, film_name
from xrayview.services.resources import resource
from xrayview.services.second_run import FindingAgainst

MOST_LISTED = 100
"""Wrong films on the page; the tables have all of them."""
HISTOGRAM_BINS = 20
METHOD = (
    "95 % intervals: DeLong (AUC) and Wilson (shares) where every film is of another patient, else "
    "a percentile bootstrap over patients; the bootstrap also for the other metrics and the bands."
)


@dataclass(frozen=True)
class EvaluatedFinding:
    """A finding's study with the films behind it."""

    study: FindingStudy
    films: Sequence[LabelledFilm]
    truth: Sequence[bool]
    scores: Sequence[float]
    unclear: Sequence[LabelledFilm]
    against: FindingAgainst | None = None
    """The same finding in a second table."""

    def wrong(self, *, present: bool) -> list[tuple[LabelledFilm, float]]:
        """False negatives (`present`) or false positives, the most wrong first."""
        found = [
            (film, score)
            for film, truth, score in zip(self.films, self.truth, self.scores, strict=True)
            if truth == present and (score >= self.study.threshold) != present
        ]
        return sorted(found, key=lambda pair: pair[1], reverse=not present)


@dataclass(frozen=True)
class Evaluation:
    """All that is written."""

    predictions: str
    """File names, as the page names them."""
    labels: str
    model: str
    run: LabelledRun
    rows: int
    findings: Sequence[EvaluatedFinding]


def write_evaluation(out: Path, evaluation: Evaluation) -> tuple[str, ...]:
    """Write everything into a folder; the names of the files. Older files are kept as copies.

    Raises:
        OSError: a file cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    figures = {
        f"{_slug(f.study.finding)}-{name}.svg": svg
        for f in evaluation.findings
        for name, svg in _figures(f).items()
    }
    tables = _tables(evaluation)
    for name, (header, rows) in tables.items():
        with kept_if_replaced(out / name):
            write_table(out / name, header, rows)
    texts = {**figures, "report.html": _page(evaluation, figures)}
    for name, text in texts.items():
        with kept_if_replaced(out / name), replacing(out / name) as stream:
            stream.write(text)
    with kept_if_replaced(out / "metrics.json"):
        write_json(out / "metrics.json", _summary(evaluation))
    return ("report.html", "metrics.json", *tables, *figures)


Table = tuple[Sequence[str], list[tuple[object, ...]]]


def _tables(evaluation: Evaluation) -> dict[str, Table]:
    found = evaluation.findings
    estimate = ("value", "low", "high", "films")
    compared = [(f.study.finding, f.against) for f in found if f.against]
    against: dict[str, Table] = {
        "comparison.csv": (
            ("finding", "model", "measure", "value", "low", "high", "films", "p_value"),
            [row for name, second in compared for row in _against_rows(name, second)],
        ),
        "differences.csv": (
            ("finding", "film", "score", "second_score", "calls_differ", "label"),
            [
                (name, film_name(x.film.row), x.first, x.second, int(x.calls_differ), x.film.label)
                for name, second in compared
                for x in second.films
            ],
        ),
    }
    return (against if compared else {}) | {
        "metrics.csv": (
            ("finding", "metric", *estimate),
            [
                (f.study.finding, name, *_cells(value))
                for f in found
                for name, value in f.study.metrics.items()
            ],
        ),
        "curves.csv": (
            ("finding", "threshold", "sensitivity", "specificity", "precision"),
            [row for f in found for row in _curve_rows(f)],
        ),
        "calibration.csv": (
            ("finding", "from", "to", "films", "films_with_finding", "mean_score", "observed"),
            [
                (f.study.finding, b.low, b.high, b.n, b.positives, b.mean_score, b.observed)
                for f in found
                for b in reliability(f.truth, f.scores)
            ],
        ),
        "subgroups.csv": (
            ("finding", "attribute", "group", "films", "films_with_finding", "metric",
             "value", "low", "high", "left_out_because"),
            [row for f in found for row in _subgroup_rows(f.study)],
        ),
        "wrong_films.csv": (
            ("finding", "kind", "film", "score", "label"),
            [
                (f.study.finding, kind, film_name(film.row), score, film.label)
                for f in found
                for kind, present in (("false negative", True), ("false positive", False))
                for film, score in f.wrong(present=present)
            ],
        ),
        "not_compared.csv": (
            ("film", "finding", "reason", "label"),
            [
                *((film, "", reason, "") for film, reason in evaluation.run.left_out),
                *(
                    (film_name(film.row), f.study.finding, "label not understood", film.label)
                    for f in found
                    for film in f.unclear
                ),
            ],
        ),
    }  # fmt: skip


def _curve_rows(finding: EvaluatedFinding) -> list[tuple[object, ...]]:
    points = curve(finding.truth, finding.scores)
    columns = (points.thresholds_T, points.sensitivity_T, points.specificity_T, points.precision_T)
    return [(finding.study.finding, *map(float, row)) for row in zip(*columns, strict=True)]


def _against_rows(finding: str, second: FindingAgainst) -> list[tuple[object, ...]]:
    c = second.comparison
    first = (finding, second.model)
    only_one = c.calls.only_first + c.calls.only_second
    return [
        (*first, "AUC", c.first_auc, "", "", c.n, ""),
        (*first, "AUC of the second model", c.second_auc, "", "", c.n, ""),
        (*first, "Difference of AUC", *_cells(c.difference), c.p_value),
        (*first, "Kappa of the calls", *_cells(c.kappa), ""),
        (*first, "Films that only the first model gets right", c.calls.only_first, "", "", only_one,
         c.calls.p_value),
    ]  # fmt: skip


def _subgroup_rows(study: FindingStudy) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for g in study.subgroups:
        start = (study.finding, g.attribute, g.group)
        if g.suppressed:
            rows.append((*start, "", "", "", "", "", "", g.suppressed))
            continue
        metrics = (("AUC", g.auc), ("Sensitivity", g.sensitivity), ("Specificity", g.specificity))
        rows += [
            (*start, g.n or 0, g.positives or 0, name, e.value, e.low, e.high, "")
            for name, e in metrics
            if e is not None
        ]
    return rows


def _cells(estimate: Estimate) -> tuple[float, float, float, int]:
    return estimate.value, estimate.low, estimate.high, estimate.n


def _figures(finding: EvaluatedFinding) -> dict[str, str]:
    study = finding.study
    figures = {}
    counts = study.confusion
    point = Line([1 - counts.specificity], [counts.sensitivity], "threshold", kind="points")
    chance = Line([0, 1], [0, 1], dashed=True)
    if study.roc:
        figures["roc"] = plot(
            [_banded(study.roc, "ROC"), point, chance], "1 - specificity", "Sensitivity"
        )
    if study.precision_recall:
        called = Line([counts.sensitivity], [counts.precision], "threshold", kind="points")
        lines = [_banded(study.precision_recall, "precision")]
        lines += [called] if not isnan(counts.precision) else []
        figures["precision-recall"] = plot(lines, "Recall (sensitivity)", "Precision (PPV)")
    bins = [b for b in reliability(finding.truth, finding.scores) if b.n]
    observed = [wilson(b.positives, b.n) for b in bins]
    dots = Line(
        [b.mean_score for b in bins],
        [e.value for e in observed],
        "films in ten bins",
        ([e.low for e in observed], [e.high for e in observed]),
        kind="points",
    )
    figures["calibration"] = plot([dots, chance], "Mean score", "Share with the finding")
    figures["scores"] = _histogram(finding)
    if finding.against:
        figures["against"] = _scatter(finding, finding.against)
    return figures


def _banded(band: Band, name: str) -> Line:
    known = not np.isnan(band.low).any()
    bounds = (band.low.tolist(), band.high.tolist()) if known else None
    return Line(band.x.tolist(), band.y.tolist(), name, bounds)


def _histogram(finding: EvaluatedFinding) -> str:
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    middles = ((edges[:-1] + edges[1:]) / 2).tolist()
    scores, truth = np.array(finding.scores, dtype=float), np.array(finding.truth, dtype=bool)
    absent = np.histogram(scores[~truth], edges)[0].tolist()
    present = np.histogram(scores[truth], edges)[0].tolist()
    most = 5 * ceil(max([*absent, *present, 1]) / 5)  # the axis has a tick at each fifth
    threshold = finding.study.threshold
    lines = [
        Line(middles, absent, "absent", kind="bars"),
        Line(middles, present, "present", kind="bars"),
        Line([threshold, threshold], [0, most], dashed=True),
    ]
    return plot(lines, "Score", "Films", most)


def _scatter(finding: EvaluatedFinding, against: FindingAgainst) -> str:
    present = dict(zip(map(id, finding.films), finding.truth, strict=True))
    lines = [
        Line(
            [x.first for x in against.films if present[id(x.film)] == wanted],
            [x.second for x in against.films if present[id(x.film)] == wanted],
            name,
            kind="points",
            radius=2,
        )
        for name, wanted in (("absent", False), ("present", True))
    ]
    return plot([*lines, Line([0, 1], [0, 1], dashed=True)], "Score", "Score of the second model")


def _summary(evaluation: Evaluation) -> dict[str, Any]:
    run = evaluation.run
    return {
        "schema": 1,
        "app_version": __version__,
        "predictions": evaluation.predictions,
        "labels": evaluation.labels,
        "model": evaluation.model,
        "method": METHOD,
        "rows": evaluation.rows,
        "films_compared": len(run.films),
        "copies": run.copies,
        "left_out": _reasons(run),
        "labels_not_understood": dict(run.not_understood().most_common()),
        "findings": [
            {
                "finding": f.study.finding,
                "threshold": f.study.threshold,
                "films": f.study.n,
                "films_with_finding": f.study.positives,
                "confusion": asdict(f.study.confusion),
                "metrics": {
                    name: {"value": e.value, "low": e.low, "high": e.high, "films": e.n}
                    for name, e in f.study.metrics.items()
                },
                "against": _against(f.against) if f.against else None,
            }
            for f in evaluation.findings
        ],
    }


def _against(second: FindingAgainst) -> dict[str, Any]:
    return {"model": second.model, "films_absent": second.absent, **asdict(second.comparison)}


def _reasons(run: LabelledRun) -> dict[str, int]:
    reasons = [reason for _, reason in run.left_out]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def _page(evaluation: Evaluation, figures: dict[str, str]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(resource("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"interval": interval, "film": film_name}
    findings = [
        {
            "finding": f,
            "figures": [svg for name, svg in figures.items()
                        if name.startswith(f"{_slug(f.study.finding)}-")],
            "differ": [x for x in f.against.films if x.calls_differ] if f.against else [],
            "missed": [(film_name(x.row), s) for x, s in f.wrong(present=True)],
            "false_alarms": [(film_name(x.row), s) for x, s in f.wrong(present=False)],
        }
        for f in evaluation.findings
    ]  # fmt: skip
    return environment.get_template("evaluation.html").render(
        e=evaluation,
        findings=findings,
        reasons=_reasons(evaluation.run),
        unclear=evaluation.run.not_understood().most_common(),
        method=METHOD,
        version=__version__,
        most=MOST_LISTED,
    )


def interval(estimate: Estimate | None) -> str:
    """Format as `0.913 (0.881 to 0.942)`; a dash where there is no value."""
    if estimate is None or isnan(estimate.value):
        return "-"
    if isnan(estimate.low):
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "finding"
