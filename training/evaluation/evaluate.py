"""`evaluate`: metrics of a bundle on a split, with intervals, as tables and files."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.bundle.card import TEST_FILMS
from training.config import TargetConfig
from training.data.cache import file_sha256
from training.data.films import Say, refuse_conflicts
from training.data.manifest import write_omissions
from training.data.merging import pixel_conflicts
from training.data.splits import ALL, TRAIN
from training.data.targets import targets_NK
from training.disk import whole_text
from training.evaluation import confidence
from training.evaluation.metrics import (
    ClassIndices,
    as_json,
    chance_note,
    class_accuracy,
    class_report,
    class_table,
    confusion_table,
    estimate_as_json,
    estimate_metrics,
    table,
)
from training.evaluation.model_films import ModelFilms
from training.evaluation.models import EvaluatedModel
from training.evaluation.reporting import estimate_calibration, estimate_predictive_values
from training.evaluation.scoring import ScoredFilms, Truth, score_films
from training.evaluation.subgroups import group_table, groups_as_json, metrics_by_group
from training.outputs import contains, keep_tables, keep_unless
from training.runs import command_line, now_utc, write_json
from xrayview.domain.model import ModelCard
from xrayview.evaluation.intervals import Estimate
from xrayview.evaluation.metrics import confusion
from xrayview.inference import loading
from xrayview.inference.runtime import Runtime

_METRICS = "metrics.json"
_TABLES = ("metrics.txt", "scores.csv", "omitted.csv")
ALL_CLASSES = "all classes"
"""Used in place of a finding's name for the metrics of a multiclass model as a whole."""


def evaluate(
    model: EvaluatedModel,
    films: ModelFilms,
    split: str,
    out: Path,
    device: str,
    say: Say,
) -> dict[str, Any]:
    """Evaluate a split, or all films; write metrics.json, metrics.txt and scores.csv to `out`.

    Raises:
        NothingUsable: the split has no readable film.
        UsageError: the model was trained on a film (and the split is not `train`), or films
            contradict each other.
    """
    rows = films.part(split)
    loaded = loading.load(model.bundle, model.card, device)
    scored = score_films(loaded, model.card, rows, films.folder)
    if split != TRAIN:
        films.refuse_trained(scored.rows)
    refuse_conflicts(pixel_conflicts(scored.rows, model.config.target), model.config.data)
    if split == ALL and (fitted := films.count_fitted(scored.rows)):
        say(
            f"note: validation films of the run are among these ({fitted}). They chose its epoch, "
            "temperature and operating points, so that metrics on them are too good"
        )
    return write_metrics(model, loaded, scored, out, say)


def write_metrics(
    model: EvaluatedModel, loaded: Runtime, scored: ScoredFilms, out: Path, say: Say
) -> dict[str, Any]:
    """Write the metrics of films of a split that `loaded`, the model's bundle, has scored."""
    split = scored.rows[0].split
    results: dict[str, Any] = {}
    text = [f"{model.card.name} {model.card.version}, {split}: {scored.count_text()}"]
    text += [f"initial weights: {weights}" for weights in _initial_weights(model.card)]
    text += _test_films_note(model.card)
    target = model.config.target
    for rule in target.findings:
        results[rule.name], lines = _evaluate_finding(model, scored, rule.name)
        text += ["", *lines]
    if target.task == "multiclass":
        results[ALL_CLASSES], lines = _evaluate_classes(model, scored)
        text += ["", *lines]
    if scored.copies:
        copies = f"{scored.copies} films repeat another film and are left out"
        n = len(scored.rows)
        text += ["", f"{copies}: see omitted.csv"]
        text += [f"n is {n} here, and {n + scored.copies} in tables that count them"]
    if scored.unread:
        text += ["", f"{scored.unread} films could not be read: see omitted.csv"]
    report = {
        "model": model.card.name,
        "version": model.card.version,
        "model_sha256": loaded.sha256,
        "initial_weights": list(_initial_weights(model.card)),
        "split": split,
        "films": len(scored.rows),
        "patients": len({row.patient for row in scored.rows}),
        "omitted": len(scored.omitted),
        "copies": scored.copies,
        "films_with_copies": len(scored.rows) + scored.copies,
        "device": loaded.device,
        "command": command_line(),
        "time_utc": now_utc(),
        "findings": results,
    }
    out.mkdir(parents=True, exist_ok=True)
    keep_tables(out / _METRICS, _TABLES, say)
    keep_unless(out / _METRICS, contains('"model_sha256"'), say)
    with whole_text(out / "metrics.txt") as stream:
        stream.write("\n".join(text) + "\n")
    write_scores(scored, target, out / "scores.csv")
    write_omissions(scored.omitted, out / "omitted.csv")
    tables = {name: file_sha256(out / name) for name in _TABLES}
    write_json(out / _METRICS, {**report, "tables": tables})
    say("\n".join(text))
    say(f"written to {out}")
    return report


def _initial_weights(card: ModelCard) -> Iterator[str]:
    """Yield the weights that training started from, and the recipe's if they differ."""
    for name in ("initial_weights", "initial_weights_of_the_recipe"):
        if name in card.training:
            yield f"{'recipe: ' if 'recipe' in name else ''}{card.training[name]}"


def _test_films_note(card: ModelCard) -> Iterator[str]:
    """Yield a note if the bundle was made without its test films."""
    if card.training.get("test_films") == TEST_FILMS[False]:
        yield f"test films, when the bundle was made: {TEST_FILMS[False]}"


def truth_by_finding(
    scored: ScoredFilms, target: TargetConfig
) -> dict[str, tuple[ScoredFilms, Truth]]:
    """Return for each finding the films where it is known, and which of them have it."""
    truths = {}
    for rule, target_N in zip(target.findings, targets_NK(scored.rows, target).T, strict=False):
        known = ~np.isnan(target_N)
        truths[rule.name] = (scored.subset(known), target_N[known] > 0.5)
    return truths


def true_and_predicted(
    scored: ScoredFilms, target: TargetConfig
) -> tuple[ClassIndices, ClassIndices]:
    """Return the true and the predicted class of each film, as indices of the findings."""
    names = [rule.name for rule in target.findings]
    predicted = [names.index(prediction.predicted) for prediction in scored.predictions]
    return targets_NK(scored.rows, target).argmax(axis=1), np.array(predicted, dtype=np.int64)


def _evaluate_classes(
    model: EvaluatedModel, scored: ScoredFilms
) -> tuple[dict[str, Any], list[str]]:
    target = model.config.target
    names = [rule.name for rule in target.findings]
    patients = [row.patient for row in scored.rows]
    true_N, predicted_N = true_and_predicted(scored, target)
    accuracy = class_accuracy(true_N, predicted_N, patients, model.config.evaluation.bootstrap)
    by_confidence = confidence.class_confidence(true_N, predicted_N, scored.scores_NF(model.card))
    lines = [
        table({"accuracy": accuracy}), "", class_table(true_N, predicted_N, names), "",
        class_report(true_N, predicted_N, names), "", *confidence.as_lines(by_confidence),
    ]  # fmt: skip
    results = {
        "figures": as_json({"accuracy": accuracy}), "confidence": confidence.as_json(by_confidence)
    }  # fmt: skip
    return results, lines


def _evaluate_finding(
    model: EvaluatedModel, scored: ScoredFilms, finding: str
) -> tuple[dict[str, Any], list[str]]:
    card = model.card
    scored, truth_N = truth_by_finding(scored, model.config.target)[finding]
    if not truth_N.size:
        return {"figures": {}}, [f"{finding}: not known for any of these films"]
    scores_N = scored.scores_N(card, finding)
    point = card.operating_point(finding)
    patients = [row.patient for row in scored.rows]
    estimates = estimate_metrics(
        truth_N, scores_N, patients, point.threshold, model.config.evaluation.bootstrap
    )
    others = {
        other.name: confusion(truth_N, scores_N, other.threshold)
        for other in card.operating_points
        if other.finding == finding
    }
    lines = [f"{finding} at {point.name} (score >= {point.threshold:.3f})", table(estimates), ""]
    if note := chance_note(finding, estimates["auc"]):
        lines += [note, ""]
    lines.append(confusion_table(truth_N, scores_N, point.threshold, finding))
    if model.config.target.complement:
        # Class 0 is the finding, class 1 its complement.
        called_N = scores_N >= point.threshold
        truths_N, calls_N = (~truth_N).astype(np.int64), (~called_N).astype(np.int64)
        names = (finding, model.config.target.complement)
        lines += ["", class_report(truths_N, calls_N, names), ""]
    lines += [
        f"{name:18s} sensitivity {counts.sensitivity:.3f}  specificity {counts.specificity:.3f}  "
        f"accuracy {counts.accuracy:.3f}"
        for name, counts in others.items()
    ]
    groups = metrics_by_group(
        scored.rows, truth_N, scores_N, point.threshold, model.config.evaluation.bootstrap
    )
    lines += ["", group_table(groups)]
    calibration = estimate_calibration(
        truth_N, scores_N, patients, model.config.evaluation.bootstrap
    )
    lines += ["", *(_line(name, estimate) for name, estimate in calibration.items())]
    prevalences = model.config.evaluation.prevalences
    predictive = estimate_predictive_values(
        truth_N, scores_N, patients, point.threshold, prevalences,
        model.config.evaluation.bootstrap,
    )  # fmt: skip
    for (name, prevalence), estimate in predictive.items():
        lines.append(_line(f"{name} at a prevalence of {prevalence:g}", estimate))
    by_confidence = confidence.finding_confidence(truth_N, scores_N)
    lines += ["", *confidence.as_lines(by_confidence)]
    results = {
        "operating_point": point.name,
        "threshold": point.threshold,
        "figures": as_json(estimates),
        "operating_points": {
            name: {
                "true_positive": counts.true_positive,
                "false_positive": counts.false_positive,
                "false_negative": counts.false_negative,
                "true_negative": counts.true_negative,
            }
            for name, counts in others.items()
        },
        "subgroups": groups_as_json(groups),
        "confidence": confidence.as_json(by_confidence),
        "calibration": as_json(calibration),
        "predictive_values": [
            {"name": name, "prevalence": prevalence, **estimate_as_json(estimate)}
            for (name, prevalence), estimate in predictive.items()
        ],
    }
    return results, lines


def _line(name: str, estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return f"{name}: not defined for these films"
    return f"{name}: {estimate.value:.3f} ({estimate.low:.3f} - {estimate.high:.3f})"


def write_scores(scored: ScoredFilms, target: TargetConfig, path: Path) -> None:
    """Write a row per scored film, with column names as in the app's predictions.csv."""
    names: Sequence[str] = scored.predictions[0].findings
    with whole_text(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["path", "predicted", *(f"score_{n}" for n in names), *(f"logit_{n}" for n in names)]
            + [f"truth_{rule.name}" for rule in target.findings]
        )
        known = targets_NK(scored.rows, target)[:, : len(target.findings)]
        for row, prediction, truth_K in zip(scored.rows, scored.predictions, known, strict=True):
            truth = ("" if np.isnan(value) else int(value) for value in truth_K)
            writer.writerow(
                [row.path, prediction.predicted, *prediction.scores, *prediction.logits, *truth]
            )
