"""The data of a report: a model's results on its test films, collected before rendering."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.audit import files
from training.config import TrainingConfig
from training.data.films import Say, refuse_conflicts
from training.data.manifest import FilmRow, Omission, read_omissions
from training.data.merging import pixel_conflicts
from training.evaluation import confidence
from training.evaluation.evaluate import true_and_predicted, truth_by_finding
from training.evaluation.metrics import estimate_metrics
from training.evaluation.model_films import ModelFilms
from training.evaluation.models import EvaluatedModel
from training.evaluation.reporting import estimate_calibration, estimate_predictive_values
from training.evaluation.scoring import ScoredFilms, score_films
from training.evaluation.subgroups import auc_differences, metrics_by_group
from training.report.gate import Gate, measure_gate
from training.report.pictures import METHOD, MeanHeat, mean_heat, thumbnail
from training.runs import RunFolder
from xrayview.domain.model import ModelCard, OperatingPoint
from xrayview.evaluation.confidence import Confidence
from xrayview.evaluation.intervals import Estimate
from xrayview.evaluation.metrics import Confusion, confusion
from xrayview.evaluation.subgroups import Subgroup
from xrayview.inference import loading
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

_SHOWN_MISTAKES = 6
"""Films of each kind, those furthest from the threshold."""


@dataclass(frozen=True)
class Mistake:
    """A film on the wrong side of the threshold."""

    path: str
    """Relative to the data folder."""
    score: float
    picture: str


@dataclass(frozen=True, eq=False)
class FindingResult:
    """A finding on the test films for which it is known."""

    finding: str
    point: OperatingPoint
    rows: tuple[FilmRow, ...]
    truth_N: npt.NDArray[np.bool_]
    scores_N: npt.NDArray[np.float64]
    metrics: dict[str, Estimate]
    calibration: dict[str, Estimate]
    predictive: dict[tuple[str, float], Estimate]
    """PPV and NPV at each prevalence that the config states."""
    groups: tuple[Subgroup, ...]
    differences: dict[tuple[str, str], Estimate]
    """AUC of each group minus that of the other films, by attribute and group."""
    confidence: Confidence
    false_positives: tuple[Mistake, ...]
    false_negatives: tuple[Mistake, ...]
    heat: MeanHeat | None

    def confusion(self, threshold: float) -> Confusion:
        """Count the four outcomes at a threshold."""
        return confusion(self.truth_N, self.scores_N, threshold)


@dataclass(frozen=True, eq=False)
class ReportData:
    """A model's results on its test films."""

    card: ModelCard
    config: TrainingConfig
    rows: tuple[FilmRow, ...]
    """The evaluated films."""
    rows_of_run: tuple[FilmRow, ...]
    """The films of the run with their splits; none if its manifest is not known."""
    omitted_of_run: tuple[Omission, ...]
    sha256: str
    results: tuple[FindingResult, ...]
    split: str
    """The films that were evaluated: `test`, or `all` of other data."""
    films: int
    patients: int
    copies: int
    """Films that repeat another and count once."""
    unread: int
    classes: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None
    """For a multiclass model the true and the predicted class of each film."""
    patients_N: tuple[str, ...]
    draws: int
    """Draws of the bootstrap."""
    facts: dict[str, Any]
    """run.json of a run, else empty."""
    log: Path | None
    audit: dict[str, Any] | None
    gate: Gate | None
    confidence: Confidence | None
    """Of a multiclass model as a whole."""


def collect(
    model: EvaluatedModel,
    data: Path,
    run: RunFolder | None,
    results: Path,
    heat_films: int,
    device: str,
    say: Say,
    scored: ScoredFilms | None = None,
) -> ReportData:
    """Score the test films, unless `scored` has them already, and collect what the report shows.

    Of other data than the model's own all films are scored, as by `evaluate`.

    Raises:
        NothingUsable: there is no test film, or none can be read.
        UsageError: the model was trained on one of the films.
        ModelError: the network failed.
    """
    loaded = loading.load(model.bundle, model.card, device)
    scored = scored or _score_films(model, loaded, data, say)
    target = model.config.target
    findings = []
    for finding, (films, truth_N) in truth_by_finding(scored, target).items():
        if truth_N.size:
            say(f"evaluating {finding}")
            findings.append(_result(model, loaded, data, finding, films, truth_N, heat_films))
    is_multiclass = target.task == "multiclass"
    classes = true_and_predicted(scored, target) if is_multiclass else None
    return ReportData(
        card=model.card,
        config=model.config,
        rows=scored.rows,
        rows_of_run=ModelFilms(model, data).of_run or (),
        omitted_of_run=_omissions_beside(model.bundle),
        sha256=loaded.sha256,
        results=tuple(findings),
        split=scored.rows[0].split,
        films=len(scored.rows),
        patients=len({row.patient for row in scored.rows}),
        copies=scored.copies,
        unread=scored.unread,
        classes=classes,
        patients_N=tuple(row.patient for row in scored.rows),
        draws=model.config.evaluation.bootstrap,
        facts=run.read_facts() if run and run.facts.is_file() else {},
        log=run.log if run and run.log.is_file() else None,
        audit=files.read(results),
        gate=measure_gate(model.bundle, loaded, model.card, scored.rows, data),
        confidence=confidence.class_confidence(*classes, scored.scores_NF(model.card))
        if classes
        else None,
    )


def _score_films(model: EvaluatedModel, loaded: Runtime, data: Path, say: Say) -> ScoredFilms:
    films = ModelFilms(model, data)
    scored = score_films(loaded, model.card, films.part(films.usual_split(say)), data)
    films.refuse_trained(scored.rows)
    refuse_conflicts(pixel_conflicts(scored.rows, model.config.target), model.config.data)
    return scored


def _omissions_beside(bundle: Path) -> tuple[Omission, ...]:
    path = RunFolder(bundle.parent).omitted
    return read_omissions(path) if path.is_file() else ()


def _result(
    model: EvaluatedModel,
    loaded: Runtime,
    data: Path,
    finding: str,
    films: ScoredFilms,
    truth_N: npt.NDArray[np.bool_],
    heat_films: int,
) -> FindingResult:
    card, draws = model.card, model.config.evaluation.bootstrap
    scores_N, point = films.scores_N(card, finding), card.operating_point(finding)
    patients = [row.patient for row in films.rows]
    preprocessor = Preprocessor(card.preprocessing)

    def mistakes(wrong_N: npt.NDArray[np.bool_]) -> tuple[Mistake, ...]:
        indices = np.flatnonzero(wrong_N)
        distances = np.abs(scores_N[indices] - point.threshold)
        worst = indices[np.argsort(-distances, kind="stable")][:_SHOWN_MISTAKES]
        return tuple(
            Mistake(row.path, float(scores_N[i]), thumbnail(row, data, preprocessor))
            for i in worst
            for row in (films.rows[i],)
        )

    called_N = scores_N >= point.threshold
    groups = metrics_by_group(films.rows, truth_N, scores_N, point.threshold, draws)
    return FindingResult(
        finding=finding,
        point=point,
        rows=films.rows,
        truth_N=truth_N,
        scores_N=scores_N,
        metrics=estimate_metrics(truth_N, scores_N, patients, point.threshold, draws),
        calibration=estimate_calibration(truth_N, scores_N, patients, draws),
        predictive=estimate_predictive_values(
            truth_N,
            scores_N,
            patients,
            point.threshold,
            model.config.evaluation.prevalences,
            draws,
        ),
        groups=groups,
        differences=auc_differences(films.rows, truth_N, scores_N, groups, draws),
        confidence=confidence.finding_confidence(truth_N, scores_N),
        false_positives=mistakes(called_N & ~truth_N),
        false_negatives=mistakes(~called_N & truth_N),
        heat=_mean_heat(loaded, card, finding, films, truth_N, data, heat_films),
    )


def _mean_heat(
    loaded: Runtime,
    card: ModelCard,
    finding: str,
    films: ScoredFilms,
    truth_N: npt.NDArray[np.bool_],
    data: Path,
    max_films: int,
) -> MeanHeat | None:
    if METHOD not in loaded.explain_methods:
        return None
    indices = np.flatnonzero(truth_N)
    if indices.size > max_films:
        # Spread over the list, which is sorted by name and therefore by source.
        indices = indices[np.linspace(0, indices.size - 1, max_films).astype(np.int64)]
    return mean_heat(loaded, card, finding, [films.rows[i] for i in indices], data)
