"""`report`: a model's results on its test films, or on other data, as one self-contained page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from training.audit.explanations import TITLES
from training.bundle.card import calibration_notes
from training.bundle.identity import NOT_STATED
from training.config import to_dict
from training.data.films import Say
from training.data.splits import ALL, TEST, TRAIN, VALIDATION
from training.disk import whole_text
from training.evaluation.evaluate import ALL_CLASSES
from training.evaluation.metrics import estimate_from_json
from training.evaluation.models import EvaluatedModel
from training.evaluation.scoring import ScoredFilms
from training.outputs import contains, keep_unless
from training.report import plots
from training.report.checklists import checklists
from training.report.data import ReportData, collect
from training.report.films import flow, table_one
from training.report.pages import render, write_page
from training.report.performance import beside_own_films, class_table, confusion_matrices
from training.report.pictures import METHOD
from training.runs import RunFolder, command_line, commit, now_utc, versions
from xrayview.domain.heat_map_methods import method_title
from xrayview.domain.population import population_text
from xrayview.evaluation.confidence import SHARES
from xrayview.preprocessing.pipeline import Preprocessor

_METRICS = ("auc", "sensitivity", "specificity", "precision", "f1", "accuracy", "ece", "brier")
_MARK = "Research use only. Not for diagnosis."
"""A sentence of every page."""
_SPLITS = {TRAIN: 0, VALIDATION: 1, TEST: 2}
"""Split -> its index in the table of films."""
_FACTS = ("command", "commit", "started_utc", "finished_utc", "machine", "training_seconds")
"""What the page shows of run.json or the card's `training`."""


def write_report(
    model: EvaluatedModel,
    data: Path,
    run: RunFolder | None,
    out: Path,
    heat_films: int,
    device: str,
    say: Say,
    scored: ScoredFilms | None = None,
) -> Path:
    """Write the report of a bundle on its test films, whole or not at all.

    Args:
        model: the bundle.
        data: the folder of its films.
        run: the run that made it, if there is one, for its log and its facts.
        out: the page; an `audit.json` beside it becomes a part of it.
        heat_films: the most films for each finding's mean heat map.
        device: the device to run on.
        say: prints a line of progress.
        scored: the test films with this bundle's scores, if they are scored already.

    Raises:
        NothingUsable: there is no test film, or none can be read.
        ModelError: the network failed.
    """
    report = collect(model, data, run, out.parent, heat_films, device, say, scored)
    drawn = draw_plots(report)
    keep_unless(out, contains(_MARK), say)
    say(f"figures in {write_figures(drawn, out)}")
    say(f"written to {write_page(render_report(report, drawn), out)}")
    return out


def write_figures(drawn: Mapping[str, Markup | None], page: Path) -> Path:
    """Write each plot as an SVG of its own, for a paper, into PAGE-figures; return that folder."""
    folder = page.with_name(f"{page.stem}-figures")
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in drawn.items():
        if svg:
            with whole_text(folder / f"{name}.svg") as stream:
                stream.write(f'<?xml version="1.0" encoding="utf-8"?>\n{svg}\n')
    return folder


def render_report(report: ReportData, drawn: Mapping[str, Markup | None] | None = None) -> str:
    """Render the page; `drawn` are its plots, if they are drawn already."""
    card = report.card
    saved = report.facts or card.training
    confidences = [(result.finding, result.confidence) for result in report.results]
    if report.confidence:
        confidences.append((ALL_CLASSES, report.confidence))
    return render(
        "report.html",
        title=f"{card.name} {card.version}",
        report=report,
        evaluated="films of other data" if report.split == ALL else f"{report.split} films",
        population=population_text(card.scope),
        not_stated=NOT_STATED,
        input=_describe_input(report),
        temperatures=", ".join(f"{t:.3f}" for t in card.calibration.temperature),
        calibration_notes=calibration_notes(card),
        metrics=_METRICS,
        beside=beside_own_films(report),
        classes=class_table(report),
        matrices=confusion_matrices(report),
        confidences=confidences,
        shares=[f"most confident {share:.0%}" for share in SHARES],
        audit_rows=_audit_rows(report),
        heat_map_method=method_title(METHOD),
        plots=drawn or draw_plots(report),
        flow=list(flow(report.rows_of_run, report.omitted_of_run)) if report.rows_of_run else [],
        table_one=table_one(report.rows_of_run, report.rows, report.config.target),
        checklists=checklists(report),
        settings=list(_settings(to_dict(report.config))),
        this_report={"command": command_line(), "commit": commit(), "time": now_utc()},
        this_training={name: saved.get(name) for name in _FACTS},
        versions=_join_versions(versions()),
        training_versions=_join_versions(saved.get("versions")),
        **_film_counts(report),
    )


def _describe_input(report: ReportData) -> str:
    spec = report.card.preprocessing
    height, width = spec.size
    mirrored = ", mean of the film and its mirror image" if report.card.flip_average else ""
    name = Preprocessor(spec).preprocessing_id
    return f"{height} x {width}, {spec.fit}, equalize {spec.equalize}{mirrored}; spec {name}"


def _film_counts(report: ReportData) -> dict[str, Any]:
    counts = report.facts.get("counts") or report.card.training.get("counts")
    if not isinstance(counts, dict):
        counts = {}
    return {
        "counts": counts,
        "labels": list(dict.fromkeys(label for split in counts.values() for label in split)),
        "splits": sorted(counts, key=lambda split: _SPLITS.get(split, len(_SPLITS))),
    }


def _audit_rows(report: ReportData) -> list[tuple[Any, ...]]:
    return [
        (TITLES.get(row["key"], row["title"]), row["finding"], estimate_from_json(row["auc"]),
         row["auc"]["n"], row["meaning"])
        for row in (report.audit or {"rows": []})["rows"]
    ]  # fmt: skip


def _settings(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every setting as `section.field` and its value."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _settings(value, f"{prefix}{name}.")
        elif not prefix.startswith("bundle.") and name != "findings":
            yield f"{prefix}{name}", json.dumps(value, ensure_ascii=False)


def draw_plots(report: ReportData) -> dict[str, Markup | None]:
    """Draw the plots of the page by name; None where there is nothing to draw."""
    both_classes = {
        result.finding: (result.truth_N, result.scores_N)
        for result in report.results
        if result.truth_N.any() and not result.truth_N.all()
    }
    return {
        "roc": plots.roc_and_precision(both_classes) if both_classes else None,
        "reliability": plots.reliability_diagram(both_classes) if both_classes else None,
        "decision": plots.decision_curves(both_classes) if both_classes else None,
        "gate": plots.gate_distances(report.gate) if report.gate else None,
        "training": plots.training_curves(report.log) if report.log else None,
    }


def _join_versions(packages: object) -> str:
    named = packages if isinstance(packages, dict) else {}
    return ", ".join(f"{name} {version}" for name, version in named.items())
