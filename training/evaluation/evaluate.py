"""`evaluate`: metrics of a bundle on a split, with intervals, as tables and files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from training.bundle.card import TEST_FILMS
from training.config import TargetConfig, TrainingConfig
from training.data.cache import file_sha256
from training.data.films import Say, list_rows, refuse_conflicts
from training.data.manifest import FilmRow, read_rows, write_omissions
from training.data.merging import pixel_conflicts
from training.data.splits import ALL, TEST, TRAIN
from training.data.targets import targets_NK
from training.evaluation import confidence
from training.evaluation.metrics import (
    ClassIndices,
    as_json,
    chance_note,
    class_accuracy,
    class_report,
    class_table,
    confusion_table,
    estimate_metrics,
    table,
)
from training.evaluation.scoring import COPY, ScoredFilms, Truth, score_films
from training.evaluation.subgroups import group_table, groups_as_json, metrics_by_group
from training.recipes import RECIPES, recipe
from training.runs import RunFolder, command_line, now_utc, write_json
from xrayview.domain.model import ModelCard
from xrayview.errors import ModelError, NothingUsable, UsageError
from xrayview.evaluation.metrics import confusion
from xrayview.inference import loading
from xrayview.inference.runtime import Runtime
from xrayview.io.model.bundle import read_card

_SHOWN = 5
ALL_CLASSES = "all classes"
"""Used in place of a finding's name for the metrics of a multiclass model as a whole."""


@dataclass(frozen=True)
class EvaluatedModel:
    """A bundle, its card, and the config that selects its films and labels."""

    bundle: Path
    card: ModelCard
    config: TrainingConfig


def find_model(path: Path, recipe_name: str | None) -> EvaluatedModel:
    """Return a run folder's bundle with the run's config, or a bundle with its recipe's config.

    Raises:
        ModelError: the bundle is missing, or its findings are not the recipe's.
        UsageError: its recipe is not known.
    """
    if path.is_dir():
        config = RunFolder(path).read_config()
        bundle = RunFolder(path).bundle(config)
        card = read_card(bundle)
    else:
        bundle, card = path, read_card(path)
        config = recipe(recipe_name or _recipe_of(card))
    names = {finding.name for finding in card.findings}
    missing = [rule.name for rule in config.target.findings if rule.name not in names]
    if missing:
        raise ModelError(
            f"The model does not score {', '.join(missing)}",
            path=bundle,
            why=f"it scores {', '.join(sorted(names))}",
            hint="Name the model's recipe with --recipe.",
        )
    return EvaluatedModel(bundle, card, config)


def _recipe_of(card: ModelCard) -> str:
    name = str(card.training.get("recipe", ""))
    if name not in RECIPES:
        raise UsageError(
            f"The card's recipe is not known ({name or 'none'})",
            hint="Name one with --recipe: it selects the films and labels.",
        )
    return name


def trained_films(model: EvaluatedModel) -> tuple[FilmRow, ...] | None:
    """Return the films of the manifest beside the bundle; None if there is none.

    A bundle has no hashes of its films: whoever has a film could tell from them whether its patient
    was among the training films.
    """
    manifest = RunFolder(model.bundle.parent).manifest
    return read_rows(manifest) if manifest.is_file() else None


def choose_split(model: EvaluatedModel, data: Path, say: Say) -> str:
    """Return `test` for the model's own data or for official splits, otherwise `all`.

    Data are the model's own if a film of them is in the manifest of its run.
    """
    rows = list_rows(model.config, data, every_film=True).rows
    known = trained_films(model)
    if known is not None:
        hashes = {row.sha256 for row in known}
        is_own = any(file_sha256(data / row.path) in hashes for row in rows)
        split = TEST if is_own else ALL
    else:
        split = TEST if any(row.official_split for row in rows) else ALL
        say("films of the training: not known, so none can be recognised (no manifest.csv)")
    say(
        f"evaluating the {split} films (--split)"
        if split != ALL
        else f"evaluating all {len(rows)} films"
    )
    return split


def evaluate(
    model: EvaluatedModel, data: Path, split: str, out: Path, device: str, say: Say
) -> dict[str, Any]:
    """Evaluate a split, or all films; write metrics.json, metrics.txt and scores.csv to `out`.

    Films of the model's own data have the split of its run.

    Raises:
        NothingUsable: the split has no readable film.
        UsageError: the model was trained on a film (and the split is not `train`), or films
            contradict each other.
    """
    listing = list_rows(model.config, data, every_film=split == ALL)
    refuse_conflicts(listing.conflicts, model.config.data)
    known = trained_films(model) or ()
    rows = listing.rows if split == ALL else _with_splits_of(known, listing.rows, data)
    rows = tuple(row for row in rows if row.split == split)
    if not rows:
        raise NothingUsable(f"There are no {split} films", hint="Check --data and --split.")
    if split != TRAIN:
        _refuse_trained([replace(row, sha256=file_sha256(data / row.path)) for row in rows], known)
    loaded = loading.load(model.bundle, model.card, device)
    scored = score_films(loaded, model.card, rows, data)
    if split != TRAIN:
        _refuse_trained(scored.rows, known)
    refuse_conflicts(pixel_conflicts(scored.rows, model.config.target), model.config.data)
    return write_metrics(model, loaded, scored, out, say)


def _with_splits_of(
    known: Sequence[FilmRow], rows: Sequence[FilmRow], data: Path
) -> tuple[FilmRow, ...]:
    """Return the films with the splits of the run, where a film of the same path is the same."""
    by_path = {row.path: row for row in known}
    return tuple(
        replace(row, split=of_run.split)
        if (of_run := by_path.get(row.path)) and of_run.sha256 == file_sha256(data / row.path)
        else row
        for row in rows
    )


def _refuse_trained(rows: Sequence[FilmRow], known: Sequence[FilmRow]) -> None:
    trained = [row for row in known if row.split == TRAIN]
    hashes = {digest for row in trained for digest in (row.sha256, row.pixels_sha256)} - {""}
    found = [row.path for row in rows if {row.sha256, row.pixels_sha256} & hashes]
    if found:
        shown = ", ".join(found[:_SHOWN]) + (" ..." if len(found) > _SHOWN else "")
        raise UsageError(
            f"The model was trained on {len(found)} of these {len(rows)} films",
            why=shown,
            hint="Leave them out, or measure the training films as such: --split train.",
        )


def write_metrics(
    model: EvaluatedModel, loaded: Runtime, scored: ScoredFilms, out: Path, say: Say
) -> dict[str, Any]:
    """Write the metrics of films of a split that `loaded`, the model's bundle, has scored."""
    split = scored.rows[0].split
    results: dict[str, Any] = {}
    text = [f"{model.card.name} {model.card.version}, {split}: {len(scored.rows)} films"]
    text += [f"initial weights: {weights}" for weights in _initial_weights(model.card)]
    text += _test_films_note(model.card)
    target = model.config.target
    for rule in target.findings:
        results[rule.name], lines = _evaluate_finding(model, scored, rule.name)
        text += ["", *lines]
    if target.task == "multiclass":
        results[ALL_CLASSES], lines = _evaluate_classes(model, scored)
        text += ["", *lines]
    copies = sum(omission.code == COPY for omission in scored.omitted)
    if copies:
        text += ["", f"{copies} films repeat another film and are left out: see omitted.csv"]
    if len(scored.omitted) > copies:
        unread = len(scored.omitted) - copies
        text += ["", f"{unread} films could not be read: see omitted.csv"]
    report = {
        "model": model.card.name,
        "version": model.card.version,
        "model_sha256": loaded.sha256,
        "initial_weights": list(_initial_weights(model.card)),
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
    }
    return results, lines


def write_scores(scored: ScoredFilms, target: TargetConfig, path: Path) -> None:
    """Write a row per scored film, with column names as in the app's predictions.csv."""
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
