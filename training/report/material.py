"""All that a report is made of, gathered once; the sections only put it on the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.audit import files
from training.data.films import Say, select_rows
from training.data.manifest import FilmRow
from training.data.splits import TEST
from training.evaluation import confidence
from training.evaluation.evaluate import EvaluatedModel, true_and_predicted, truth_by_finding
from training.evaluation.metrics import estimate_metrics
from training.evaluation.scoring import ScoredFilms, score_films
from training.evaluation.subgroups import metrics_by_group
from training.report.gate import Likeness, likeness_of
from training.report.pictures import METHOD, MeanHeat, mean_heat, thumbnail
from training.runs import RunFolder
from xrayview.domain.model import ModelCard, OperatingPoint
from xrayview.errors import NothingUsable
from xrayview.evaluation.confidence import Confidence
from xrayview.evaluation.intervals import Estimate
from xrayview.evaluation.subgroups import Subgroup
from xrayview.inference import loading
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

SHOWN_ERRORS = 6
"""Of each kind, the furthest from the threshold."""


@dataclass(frozen=True)
class Mistake:
    """A film that is called wrong."""

    path: str
    """Below the data folder."""
    score: float
    picture: str


@dataclass(frozen=True, eq=False)
class Judged:
    """One finding on the test films of which the data knows."""

    finding: str
    point: OperatingPoint
    rows: tuple[FilmRow, ...]
    truth_N: npt.NDArray[np.bool_]
    scores_N: npt.NDArray[np.float64]
    figures: dict[str, Estimate]
    groups: tuple[Subgroup, ...]
    confidence: Confidence
    false_alarms: tuple[Mistake, ...]
    misses: tuple[Mistake, ...]
    heat: MeanHeat | None


@dataclass(frozen=True, eq=False)
class Material:
    """A model on its test films."""

    card: ModelCard
    sha256: str
    task: str
    judged: tuple[Judged, ...]
    films: int
    patients: int
    omitted: int
    classes: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None
    """The true and the predicted class of each film, of a multiclass model."""
    patients_N: tuple[str, ...]
    draws: int
    facts: dict[str, Any]
    """run.json of a run, else empty."""
    log: Path | None
    audit: dict[str, Any] | None
    likeness: Likeness | None
    confidence: Confidence | None
    """Of a multiclass model; a finding of its own has one in `judged`."""


def gather(
    subject: EvaluatedModel,
    data: Path,
    run: RunFolder | None,
    results: Path,
    heat_films: int,
    device: str,
    say: Say,
    judged_before: ScoredFilms | None = None,
) -> Material:
    """Judge the test films, unless that is done, and keep what the report shows of them.

    Raises:
        NothingUsable: there is no test film, or none can be read.
        ModelError: the network failed.
    """
    loaded = loading.load(subject.bundle, subject.card, device)
    scored = judged_before or _test_films(subject, loaded, data, say)
    target = subject.config.target
    judged = []
    for finding, (films, truth_N) in truth_by_finding(scored, target).items():
        if truth_N.size:
            say(f"looking at {finding}")
            judged.append(_judge(subject, loaded, data, finding, films, truth_N, heat_films))
    return Material(
        card=subject.card,
        sha256=loaded.sha256,
        task=target.task,
        judged=tuple(judged),
        films=len(scored.rows),
        patients=len({row.patient for row in scored.rows}),
        omitted=len(scored.omitted),
        classes=true_and_predicted(scored, target) if target.task == "multiclass" else None,
        patients_N=tuple(row.patient for row in scored.rows),
        draws=subject.config.evaluation.bootstrap,
        facts=run.read_facts() if run and run.facts.is_file() else {},
        log=run.log if run and run.log.is_file() else None,
        audit=files.read(results),
        likeness=likeness_of(subject.bundle, loaded, subject.card, scored.rows, data),
        confidence=_class_confidence(subject, scored),
    )


def _class_confidence(subject: EvaluatedModel, scored: ScoredFilms) -> Confidence | None:
    if subject.config.target.task != "multiclass":
        return None
    indices = true_and_predicted(scored, subject.config.target)
    return confidence.class_confidence(*indices, scored.scores_NF(subject.card))


def _test_films(subject: EvaluatedModel, loaded: Runtime, data: Path, say: Say) -> ScoredFilms:
    rows = [row for row in select_rows(subject.config, data)[0] if row.split == TEST]
    if not rows:
        raise NothingUsable("There is no film for test", hint="Look at data.test_splits.")
    say(f"judging {len(rows)} test films")
    return score_films(loaded, subject.card, rows, data)


def _judge(
    subject: EvaluatedModel,
    loaded: Runtime,
    data: Path,
    finding: str,
    films: ScoredFilms,
    truth_N: npt.NDArray[np.bool_],
    heat_films: int,
) -> Judged:
    card, draws = subject.card, subject.config.evaluation.bootstrap
    scores_N, point = films.scores_N(card, finding), card.operating_point(finding)
    patients = [row.patient for row in films.rows]
    preprocessor = Preprocessor(card.preprocessing)

    def mistakes(wrong_N: npt.NDArray[np.bool_]) -> tuple[Mistake, ...]:
        indices = np.flatnonzero(wrong_N)
        worst = indices[np.argsort(-np.abs(scores_N[indices] - point.threshold), kind="stable")]
        return tuple(
            Mistake(row.path, float(scores_N[index]), thumbnail(row, data, preprocessor))
            for index in worst[:SHOWN_ERRORS]
            for row in (films.rows[index],)
        )

    called_N = scores_N >= point.threshold
    return Judged(
        finding=finding,
        point=point,
        rows=films.rows,
        truth_N=truth_N,
        scores_N=scores_N,
        figures=estimate_metrics(truth_N, scores_N, patients, point.threshold, draws),
        groups=metrics_by_group(films.rows, truth_N, scores_N, point.threshold, draws),
        confidence=confidence.finding_confidence(truth_N, scores_N),
        false_alarms=mistakes(called_N & ~truth_N),
        misses=mistakes(~called_N & truth_N),
        heat=_mean_heat(loaded, card, finding, films, truth_N, data, heat_films),
    )


def _mean_heat(
    loaded: Runtime,
    card: ModelCard,
    finding: str,
    films: ScoredFilms,
    truth_N: npt.NDArray[np.bool_],
    data: Path,
    most: int,
) -> MeanHeat | None:
    if METHOD not in loaded.explain_methods:
        return None
    indices = np.flatnonzero(truth_N)
    if indices.size > most:
        # Evenly over the list, which is sorted by name and so by source.
        indices = indices[np.linspace(0, indices.size - 1, most).astype(np.int64)]
    return mean_heat(loaded, card, finding, [films.rows[index] for index in indices], data)
