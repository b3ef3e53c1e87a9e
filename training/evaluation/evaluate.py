"""`evaluate`: a bundle judged on one split, with intervals, as tables and files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.bundle.card import TEST_FILMS
from training.config import TargetConfig, TrainingConfig
from training.data.films import Say, select_rows
from training.data.manifest import write_omissions
from training.data.targets import targets_NK
from training.evaluation import confidence
from training.evaluation.metrics import (
    Places,
    agreement,
    as_json,
    class_report,
    class_table,
    confusion_table,
    figures,
    table,
)
from training.evaluation.scoring import Scored, Truth, score_films
from training.evaluation.subgroups import by_group, group_table, groups_as_json
from training.recipes import RECIPES, recipe
from training.runs import RunFolder, command_line, now_utc, write_json
from xrayview.domain.model import ModelCard
from xrayview.errors import ModelError, NothingUsable, UsageError
from xrayview.evaluation.metrics import confusion
from xrayview.inference import loading
from xrayview.inference.runtime import Runtime
from xrayview.io.model.bundle import read_card

ALL_CLASSES = "all classes"
"""Stands beside the findings' names for figures of a multiclass model as a whole."""


@dataclass(frozen=True)
class Subject:
    """What is judged: a bundle, and the config that says which films and labels."""

    bundle: Path
    card: ModelCard
    config: TrainingConfig


def find_subject(model: Path, recipe_name: str | None) -> Subject:
    """A run folder's bundle with its config, or a bundle with its recipe's.

    Raises:
        ModelError: the bundle is missing, or its findings are not the recipe's.
        UsageError: no recipe is known for it.
    """
    if model.is_dir():
        config = RunFolder(model).read_config()
        bundle = RunFolder(model).bundle(config)
        card = read_card(bundle)
    else:
        bundle, card = model, read_card(model)
        config = recipe(recipe_name or _recipe_of(card))
    names = {finding.name for finding in card.findings}
    missing = [rule.name for rule in config.target.findings if rule.name not in names]
    if missing:
        raise ModelError(
            f"The model does not score {', '.join(missing)}",
            path=bundle,
            why=f"it scores {', '.join(sorted(names))}",
            hint="Name the recipe that fits with --recipe.",
        )
    return Subject(bundle, card, config)


def _recipe_of(card: ModelCard) -> str:
    name = str(card.training.get("recipe", ""))
    if name not in RECIPES:
        raise UsageError(
            f"The card names no known recipe ({name or 'none'})",
            hint="Name one with --recipe: it says which films and labels to judge by.",
        )
    return name


def evaluate(
    subject: Subject, data: Path, split: str, out: Path, device: str, say: Say
) -> dict[str, Any]:
    """Judge one split; write metrics.json, metrics.txt and scores.csv below `out`.

    Raises:
        NothingUsable: the split holds no film that can be read.
    """
    rows = [row for row in select_rows(subject.config, data)[0] if row.split == split]
    if not rows:
        raise NothingUsable(f"There is no film for {split}", hint="Look at --data and --split.")
    loaded = loading.load(subject.bundle, subject.card, device)
    return write_figures(subject, loaded, score_films(loaded, subject.card, rows, data), out, say)


def write_figures(
    subject: Subject, loaded: Runtime, scored: Scored, out: Path, say: Say
) -> dict[str, Any]:
    """The figures of films of one split that `loaded`, the subject's bundle, has judged."""
    split = scored.rows[0].split
    results: dict[str, Any] = {}
    text = [f"{subject.card.name} {subject.card.version}, {split}: {len(scored.rows)} films"]
    text += [f"initial weights: {words}" for words in _start(subject.card)]
    text += _unjudged(subject.card)
    target = subject.config.target
    names = [rule.name for rule in target.findings]
    for rule in target.findings:
        found, lines = _judge(subject, scored, rule.name)
        results[rule.name] = found
        text += ["", *lines]
    if target.task == "multiclass":
        patients = [row.patient for row in scored.rows]
        share = agreement(*classes(scored, target), patients, subject.config.evaluation.bootstrap)
        results[ALL_CLASSES] = {"figures": as_json({"accuracy": share})}
        text += ["", table({"accuracy": share}), "", class_table(*classes(scored, target), names)]
        text += ["", class_report(*classes(scored, target), names)]
        sure = confidence.of_classes(*classes(scored, target), scored.scores_NF(subject.card))
        results[ALL_CLASSES]["confidence"] = confidence.as_json(sure)
        text += ["", *confidence.lines(sure)]
    if scored.omitted:
        text += ["", f"{len(scored.omitted)} films could not be read: see omitted.csv"]
    report = {
        "model": subject.card.name,
        "version": subject.card.version,
        "model_sha256": loaded.sha256,
        "initial_weights": list(_start(subject.card)),
        "split": split,
        "films": len(scored.rows),
        "patients": len({row.patient for row in scored.rows}),
        "omitted": len(scored.omitted),
        "device": loaded.device,
        "command": command_line(),
        "time_utc": now_utc(),
        "findings": results,
    }
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "metrics.json", report)
    (out / "metrics.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
    write_scores(scored, target, out / "scores.csv")
    write_omissions(scored.omitted, out / "omitted.csv")
    say("\n".join(text))
    say(f"written to {out}")
    return report


def _start(card: ModelCard) -> Iterator[str]:
    """What the card says of where training began, and where the recipe would have."""
    for name in ("initial_weights", "initial_weights_of_the_recipe"):
        if name in card.training:
            yield f"{'recipe: ' if 'recipe' in name else ''}{card.training[name]}"


def _unjudged(card: ModelCard) -> Iterator[str]:
    """What the card says where the test films were left alone."""
    if card.training.get("test_films") == TEST_FILMS[False]:
        yield f"test films, when the bundle was made: {TEST_FILMS[False]}"


def truths(scored: Scored, target: TargetConfig) -> dict[str, tuple[Scored, Truth]]:
    """For each finding: the films of which the data knows, and which of them carry it."""
    found = {}
    for rule, target_N in zip(target.findings, targets_NK(scored.rows, target).T, strict=False):
        known = ~np.isnan(target_N)
        found[rule.name] = (scored.only(known), target_N[known] > 0.5)
    return found


def classes(scored: Scored, target: TargetConfig) -> tuple[Places, Places]:
    """The true and the predicted class of each film as places among the findings."""
    names = [rule.name for rule in target.findings]
    predicted = [names.index(prediction.predicted) for prediction in scored.predictions]
    return targets_NK(scored.rows, target).argmax(axis=1), np.array(predicted, dtype=np.int64)


def _judge(subject: Subject, scored: Scored, finding: str) -> tuple[dict[str, Any], list[str]]:
    card = subject.card
    scored, truth_N = truths(scored, subject.config.target)[finding]
    if not truth_N.size:
        return {"figures": {}}, [f"{finding}: the data says of no film whether it has it"]
    scores_N = scored.scores_N(card, finding)
    point = card.operating_point(finding)
    patients = [row.patient for row in scored.rows]
    found = figures(
        truth_N, scores_N, patients, point.threshold, subject.config.evaluation.bootstrap
    )
    others = {
        other.name: confusion(truth_N, scores_N, other.threshold)
        for other in card.operating_points
        if other.finding == finding
    }
    lines = [f"{finding} at {point.name} (score >= {point.threshold:.3f})", table(found), ""]
    lines.append(confusion_table(truth_N, scores_N, point.threshold, finding))
    if subject.config.target.complement:
        # Place 0 is the finding, 1 its complement.
        called_N = scores_N >= point.threshold
        truths_N, calls_N = (~truth_N).astype(np.int64), (~called_N).astype(np.int64)
        names = (finding, subject.config.target.complement)
        lines += ["", class_report(truths_N, calls_N, names), ""]
    lines += [
        f"{name:18s} sensitivity {counts.sensitivity:.3f}  specificity {counts.specificity:.3f}  "
        f"accuracy {counts.accuracy:.3f}"
        for name, counts in others.items()
    ]
    groups = by_group(
        scored.rows, truth_N, scores_N, point.threshold, subject.config.evaluation.bootstrap
    )
    lines += ["", group_table(groups)]
    sure = confidence.of_finding(truth_N, scores_N)
    lines += ["", *confidence.lines(sure)]
    plain = {
        "operating_point": point.name,
        "threshold": point.threshold,
        "figures": as_json(found),
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
        "confidence": confidence.as_json(sure),
    }
    return plain, lines


def write_scores(scored: Scored, target: TargetConfig, path: Path) -> None:
    """One row per judged film, column names as in the app's predictions.csv."""
    names: Sequence[str] = scored.predictions[0].findings
    with path.open("w", newline="", encoding="utf-8") as stream:
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
