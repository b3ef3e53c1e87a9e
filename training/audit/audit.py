"""The shortcut audit: how much of a task can be solved without looking at the lungs.

Linear models are trained on parts of the film that show no lung; the bundle itself is scored on
films with the lungs, or everything but the lungs, masked, and on films with the appearance of
another label. Test films are for reporting only: to choose between models, audit validation films.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.audit.appearance_swap import score_swapped
from training.audit.explanations import MEANINGS
from training.audit.linear_baseline import (
    FEATURES,
    SIDE,
    SMALL,
    LabelledFeatures,
    linear_scores,
    thumbnail,
)
from training.audit.lung_masking import LUNG_MASKINGS, MaskedScores, score_masked
from training.audit.variant_scores import VariantScores
from training.config import TargetConfig
from training.data.cache import GreyFilms, load_greys
from training.data.films import Say
from training.data.lung_masks import LungMasks
from training.data.manifest import FilmRow
from training.data.splits import TEST, TRAIN, VALIDATION
from training.data.targets import targets_NK
from training.evaluation.model_films import ModelFilms
from training.evaluation.models import EvaluatedModel
from xrayview.errors import NothingUsable
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap
from xrayview.evaluation.metrics import auc
from xrayview.inference import loading
from xrayview.preprocessing.pipeline import Preprocessor

Truth = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """AUC from one part or variant of the film, on the films of a split."""

    key: str
    finding: str
    """The finding; for the source predictor the source."""
    auc: Estimate
    meaning: str


@dataclass
class Audit:
    """The rows of an audit, the films behind them, and remarks on its limits."""

    rows: list[Row]
    films: int
    patients: int
    split: str = TEST
    with_mask: int = 0
    without_mask: int = 0
    notes: list[str] = field(default_factory=list)


def audit(
    model: EvaluatedModel,
    data: Path,
    masks: Path | None,
    cache: Path,
    device: str,
    say: Say,
    split: str = TEST,
) -> Audit:
    """Audit a bundle on the test or validation films of its run, or of other data.

    Raises:
        UsageError: there is no label table or no folder of masks, or the model was trained on one
            of the films.
        NothingUsable: no film can be read, or none is in this split.
        ModelError: the network failed.
    """
    lungs = LungMasks(masks) if masks else None
    films_of_model = ModelFilms(model, data)
    films_of_model.say_if_unknown(say)
    films_of_model.part(split)  # refused before films are decoded
    rows = films_of_model.rows

    def progress(done: int, total: int) -> None:
        if done % 1000 == 0 or done == total:
            say(f"decoded {done} of {total} films")

    greys = load_greys(rows, data, Preprocessor(SMALL), cache, progress)
    films = [row for row in greys.rows if row.split == split]
    if not films:
        raise NothingUsable(f"No {split} film can be read", hint="Check --data.")
    films_of_model.refuse_trained(films)
    result = Audit([], len(films), len({row.patient for row in films}), split)
    evaluation = AucEvaluation(model.config.evaluation.bootstrap, split)
    result.rows += _linear_rows(model, greys, evaluation)
    result.rows += source_rows(model.config.target, greys, evaluation, result.notes)
    loaded = loading.load(model.bundle, model.card, device)
    if lungs is None:
        result.notes.append("No masks were given: the model was not scored on masked films.")
    else:
        result.rows += _outline_rows(model.config.target, greys, lungs, evaluation)
        masked = score_masked(loaded, model.card, films, data, lungs)
        result.with_mask, result.without_mask = len(masked.rows), masked.without_mask
        result.rows += _masked_rows(model, masked, evaluation)
        result.notes += _masking_notes(masked)
    targets = targets_NK(films, model.config.target)
    swapped = score_swapped(loaded, model.card, films, targets, data, lungs)
    result.rows += _swapped_rows(model, films, targets, swapped, evaluation)
    return result


@dataclass(frozen=True)
class AucEvaluation:
    """How AUCs are estimated: bootstrap draws over patients, and the evaluated split."""

    draws: int
    split: str = TEST

    def estimate(self, truth_N: Truth, scores_N: Scores, rows: Sequence[FilmRow]) -> Estimate:
        """Estimate the AUC with an interval over patients."""

        def of_films(indices: Indices) -> float:
            return auc(truth_N[indices], scores_N[indices])

        return clustered_bootstrap(of_films, [row.patient for row in rows], draws=self.draws)


def _linear_rows(
    model: EvaluatedModel, greys: GreyFilms, evaluation: AucEvaluation
) -> Iterator[Row]:
    targets = targets_NK(greys.rows, model.config.target)
    for key, features in FEATURES.items():
        features_NP = features(greys.greys_NHW)
        for k, rule in enumerate(model.config.target.findings):
            estimate = _linear_estimate(features_NP, targets[:, k], greys.rows, evaluation)
            yield Row(key, rule.name, estimate, MEANINGS[key](estimate, estimate))


def _linear_estimate(
    features_NP: npt.NDArray[np.float32],
    target_N: npt.NDArray[np.float32],
    rows: Sequence[FilmRow],
    evaluation: AucEvaluation,
) -> Estimate:
    """Train a linear model and estimate its AUC on the evaluated split.

    Films with an unknown target (NaN) are left out.
    """

    def indices(split: str) -> Indices:
        return np.array(
            [i for i, row in enumerate(rows) if row.split == split and np.isfinite(target_N[i])],
            dtype=np.int64,
        )

    def part(split: str) -> LabelledFeatures:
        return LabelledFeatures(features_NP[indices(split)], target_N[indices(split)] > 0.5)

    evaluated = part(evaluation.split)
    # Validation films must not choose the model that is evaluated on them.
    chosen_on = None if evaluation.split == VALIDATION else part(VALIDATION)
    scores_N = linear_scores(part(TRAIN), chosen_on, evaluated.features_NP)
    if scores_N is None:
        return _undefined(evaluated.truth_N.size)
    evaluated_rows = [rows[i] for i in indices(evaluation.split)]
    return evaluation.estimate(evaluated.truth_N, scores_N, evaluated_rows)


def _outline_rows(
    target: TargetConfig, greys: GreyFilms, masks: LungMasks, evaluation: AucEvaluation
) -> Iterator[Row]:
    """Yield the rows of the lungs' outline, on films that have a mask."""
    loaded = [(row, masks.load_mask(row.path, (SIDE, SIDE))) for row in greys.rows]
    with_mask = [(row, mask_HW) for row, mask_HW in loaded if mask_HW is not None]
    if not with_mask:
        return
    rows = [row for row, _ in with_mask]
    features_NP = thumbnail(np.array([mask_HW for _, mask_HW in with_mask], np.float32))
    targets = targets_NK(rows, target)
    for k, rule in enumerate(target.findings):
        estimate = _linear_estimate(features_NP, targets[:, k], rows, evaluation)
        yield Row("outline", rule.name, estimate, MEANINGS["outline"](estimate, estimate))


def source_rows(
    target: TargetConfig, greys: GreyFilms, evaluation: AucEvaluation, notes: list[str]
) -> Iterator[Row]:
    """Test whether a thumbnail predicts the source, and the source the finding.

    With a single source there is only a note.
    """
    names = sorted({row.source for row in greys.rows})
    if len(names) < 2:
        notes.append(f"All films are from one source ({names[0]}): nothing to predict.")
        return
    features_NP = thumbnail(greys.greys_NHW)
    # With two sources the second row would repeat the first.
    for name in names if len(names) > 2 else names[:1]:
        of_source = np.array([float(row.source == name) for row in greys.rows], np.float32)
        estimate = _linear_estimate(features_NP, of_source, greys.rows, evaluation)
        yield Row("source", name, estimate, MEANINGS["source"](estimate, estimate))
    one_hot = np.array([[row.source == name for name in names] for row in greys.rows], np.float32)
    targets = targets_NK(greys.rows, target)
    for k, rule in enumerate(target.findings):
        estimate = _linear_estimate(one_hot, targets[:, k], greys.rows, evaluation)
        meaning = MEANINGS["source-alone"](estimate, estimate)
        yield Row("source-alone", rule.name, estimate, meaning)


def _masked_rows(
    model: EvaluatedModel, masked: MaskedScores, evaluation: AucEvaluation
) -> Iterator[Row]:
    names = [finding.name for finding in model.card.findings]
    targets = targets_NK(masked.rows, model.config.target)
    whole: dict[str, Estimate] = {}
    for masking in LUNG_MASKINGS:
        for k, rule in enumerate(model.config.target.findings):
            known = np.flatnonzero(np.isfinite(targets[:, k]))
            truth_N = targets[known, k] > 0.5
            scores_N = masked.scores_NF[masking][known, names.index(rule.name)]
            estimate = evaluation.estimate(truth_N, scores_N, [masked.rows[i] for i in known])
            whole.setdefault(rule.name, estimate)
            yield Row(masking, rule.name, estimate, MEANINGS[masking](estimate, whole[rule.name]))


def _swapped_rows(
    model: EvaluatedModel,
    films: Sequence[FilmRow],
    targets: npt.NDArray[np.float32],
    swapped: dict[str, VariantScores],
    evaluation: AucEvaluation,
) -> Iterator[Row]:
    names = [finding.name for finding in model.card.findings]
    own: dict[str, Estimate] = {}
    for swap, scores in swapped.items():
        for k, rule in enumerate(model.config.target.findings):
            known = np.isfinite(targets[scores.indices, k])
            indices = scores.indices[known]
            scores_N = scores.scores_NF[known, names.index(rule.name)]
            truth_N = targets[indices, k] > 0.5
            estimate = evaluation.estimate(truth_N, scores_N, [films[i] for i in indices])
            own.setdefault(rule.name, estimate)
            yield Row(swap, rule.name, estimate, MEANINGS[swap](estimate, own[rule.name]))


def _masking_notes(masked: MaskedScores) -> list[str]:
    counts = (
        f"Masked films: {len(masked.rows)} with a lung mask; {masked.without_mask} without one "
        f"and {len(masked.omitted)} that cannot be read are left out."
    )
    if not masked.rows:
        return [counts]
    caution = (
        "A masked part has the mean grey of the rest. Training had no such films, so a drop may "
        "also come from their unfamiliar look. Masked lungs still show their outline; the masked "
        "box hides it."
    )
    return [counts, caution]


def _undefined(n: int) -> Estimate:
    nan = float("nan")
    return Estimate(nan, nan, nan, n)
