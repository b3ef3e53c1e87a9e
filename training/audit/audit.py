"""The shortcut audit: how much of a task can be done without looking at the lungs.

Linear models are fitted on training films from what is no lung; the bundle itself is judged on
films with the lungs, or all but the lungs, blanked. Test films are only reported on; who has
something to choose audits validation films.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.audit.appearance_swap import judge_borrowed
from training.audit.explanations import MEANINGS
from training.audit.linear_baseline import FEATURES, SIDE, SMALL, Part, linear_scores, thumbnail
from training.audit.lung_masking import BLANKED, Blanked, judge_blanked
from training.audit.variant_scores import Judged
from training.config import TargetConfig
from training.data.cache import GreyFilms, load_greys
from training.data.films import Say, select_rows
from training.data.lung_masks import LungMasks
from training.data.manifest import FilmRow
from training.data.splits import TEST, TRAIN, VALIDATION
from training.data.targets import targets_NK
from training.evaluation.evaluate import Subject
from xrayview.errors import NothingUsable
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap
from xrayview.evaluation.metrics import auc
from xrayview.inference import loading
from xrayview.preprocessing.pipeline import Preprocessor

Truth = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """What can be told from a part of the film, on films of one split."""

    key: str
    finding: str
    """For the source predictor: the source."""
    auc: Estimate
    meaning: str


@dataclass
class Audit:
    """All rows, and what limits them."""

    rows: list[Row]
    films: int
    patients: int
    split: str = TEST
    with_mask: int = 0
    without_mask: int = 0
    notes: list[str] = field(default_factory=list)


def audit(
    subject: Subject,
    data: Path,
    masks: Path | None,
    cache: Path,
    device: str,
    say: Say,
    split: str = TEST,
) -> Audit:
    """Audit a bundle on the films of its recipe, test films or validation films.

    Raises:
        UsageError: there is no label table, or no folder of masks.
        NothingUsable: no film can be read, or none is of this split.
        ModelError: the network failed.
    """
    lungs = LungMasks(masks) if masks else None
    rows, _ = select_rows(subject.config, data)

    def progress(done: int, total: int) -> None:
        if done % 1000 == 0 or done == total:
            say(f"decoded {done} of {total} films")

    greys = load_greys(rows, data, Preprocessor(SMALL), cache, progress)
    films = [row for row in greys.rows if row.split == split]
    if not films:
        raise NothingUsable(f"There is no film for {split}", hint="Look at data.*_splits.")
    found = Audit([], len(films), len({row.patient for row in films}), split)
    judge = Judge(subject.config.evaluation.bootstrap, split)
    found.rows += _linear_rows(subject, greys, judge)
    found.rows += source_rows(subject.config.target, greys, judge, found.notes)
    loaded = loading.load(subject.bundle, subject.card, device)
    if lungs is None:
        found.notes.append("No masks were given: the model was not judged on blanked films.")
    else:
        found.rows += _outline_rows(subject.config.target, greys, lungs, judge)
        blanked = judge_blanked(loaded, subject.card, films, data, lungs)
        found.with_mask, found.without_mask = len(blanked.rows), blanked.without_mask
        found.rows += _blanked_rows(subject, blanked, judge)
        found.notes += _blanking_notes(blanked)
    targets = targets_NK(films, subject.config.target)
    borrowed = judge_borrowed(loaded, subject.card, films, targets, data, lungs)
    found.rows += _borrowed_rows(subject, films, targets, borrowed, judge)
    return found


@dataclass(frozen=True)
class Judge:
    """AUC with an interval over patients, and the split whose films are judged."""

    draws: int
    split: str = TEST

    def __call__(self, truth_N: Truth, scores_N: Scores, rows: Sequence[FilmRow]) -> Estimate:
        def of_films(places: Indices) -> float:
            return auc(truth_N[places], scores_N[places])

        return clustered_bootstrap(of_films, [row.patient for row in rows], draws=self.draws)


def _linear_rows(subject: Subject, greys: GreyFilms, judge: Judge) -> Iterator[Row]:
    targets = targets_NK(greys.rows, subject.config.target)
    for key, features in FEATURES.items():
        features_NP = features(greys.greys_NHW)
        for place, rule in enumerate(subject.config.target.findings):
            estimate = _linear_estimate(features_NP, targets[:, place], greys.rows, judge)
            yield Row(key, rule.name, estimate, MEANINGS[key](estimate, estimate))


def _linear_estimate(
    features_NP: npt.NDArray[np.float32],
    known_N: npt.NDArray[np.float32],
    rows: Sequence[FilmRow],
    judge: Judge,
) -> Estimate:
    """Fitted on training films and judged on others; films whose label is missing (NaN) are left
    out."""

    def places(split: str) -> Indices:
        return np.array(
            [i for i, row in enumerate(rows) if row.split == split and np.isfinite(known_N[i])],
            dtype=np.int64,
        )

    def part(split: str) -> Part:
        return Part(features_NP[places(split)], known_N[places(split)] > 0.5)

    judged = part(judge.split)
    # No film is judged by a model that it helped to choose.
    chosen_on = None if judge.split == VALIDATION else part(VALIDATION)
    scores_N = linear_scores(part(TRAIN), chosen_on, judged.features_NP)
    if scores_N is None:
        return _untold(judged.truth_N.size)
    return judge(judged.truth_N, scores_N, [rows[i] for i in places(judge.split)])


def _outline_rows(
    target: TargetConfig, greys: GreyFilms, masks: LungMasks, judge: Judge
) -> Iterator[Row]:
    """Films without a mask are left out here too."""
    found = [(place, masks.of_film(row.path, (SIDE, SIDE))) for place, row in enumerate(greys.rows)]
    kept = [(place, mask_HW) for place, mask_HW in found if mask_HW is not None]
    if not kept:
        return
    rows = [greys.rows[place] for place, _ in kept]
    features_NP = thumbnail(np.array([mask_HW for _, mask_HW in kept], np.float32))
    targets = targets_NK(rows, target)
    for place, rule in enumerate(target.findings):
        estimate = _linear_estimate(features_NP, targets[:, place], rows, judge)
        yield Row("outline", rule.name, estimate, MEANINGS["outline"](estimate, estimate))


def source_rows(
    target: TargetConfig, greys: GreyFilms, judge: Judge, notes: list[str]
) -> Iterator[Row]:
    """Can a thumbnail tell the source, and the source the finding; nothing but a note for one."""
    names = sorted({row.source for row in greys.rows})
    if len(names) < 2:
        notes.append(f"All films are of one source ({names[0]}): there is no source to predict.")
        return
    features_NP = thumbnail(greys.greys_NHW)
    # Of two sources, one row says all.
    for name in names if len(names) > 2 else names[:1]:
        of_source = np.array([float(row.source == name) for row in greys.rows], np.float32)
        estimate = _linear_estimate(features_NP, of_source, greys.rows, judge)
        yield Row("source", name, estimate, MEANINGS["source"](estimate, estimate))
    one_hot = np.array([[row.source == name for name in names] for row in greys.rows], np.float32)
    targets = targets_NK(greys.rows, target)
    for place, rule in enumerate(target.findings):
        estimate = _linear_estimate(one_hot, targets[:, place], greys.rows, judge)
        meaning = MEANINGS["source-alone"](estimate, estimate)
        yield Row("source-alone", rule.name, estimate, meaning)


def _blanked_rows(subject: Subject, blanked: Blanked, judge: Judge) -> Iterator[Row]:
    names = [finding.name for finding in subject.card.findings]
    targets = targets_NK(blanked.rows, subject.config.target)
    whole: dict[str, Estimate] = {}
    for way in BLANKED:
        for place, rule in enumerate(subject.config.target.findings):
            known = np.flatnonzero(np.isfinite(targets[:, place]))
            truth_N = targets[known, place] > 0.5
            scores_N = blanked.scores_NF[way][known, names.index(rule.name)]
            estimate = judge(truth_N, scores_N, [blanked.rows[i] for i in known])
            whole.setdefault(rule.name, estimate)
            yield Row(way, rule.name, estimate, MEANINGS[way](estimate, whole[rule.name]))


def _borrowed_rows(
    subject: Subject,
    films: Sequence[FilmRow],
    targets: npt.NDArray[np.float32],
    borrowed: dict[str, Judged],
    judge: Judge,
) -> Iterator[Row]:
    names = [finding.name for finding in subject.card.findings]
    own: dict[str, Estimate] = {}
    for way, found in borrowed.items():
        for place, rule in enumerate(subject.config.target.findings):
            known = np.isfinite(targets[found.places, place])
            places = found.places[known]
            scores_N = found.scores_NF[known, names.index(rule.name)]
            estimate = judge(targets[places, place] > 0.5, scores_N, [films[i] for i in places])
            own.setdefault(rule.name, estimate)
            yield Row(way, rule.name, estimate, MEANINGS[way](estimate, own[rule.name]))


def _blanking_notes(blanked: Blanked) -> list[str]:
    counted = (
        f"Blanked films: {len(blanked.rows)} with a lung mask; {blanked.without_mask} without one "
        f"and {len(blanked.omitted)} that cannot be read are left out."
    )
    if not blanked.rows:
        return [counted]
    caution = (
        "A blanked part has the mean grey of the rest. No such film was in training: a fall may "
        "also come from strangeness. The outline of blanked lungs still shows; their box hides it."
    )
    return [counted, caution]


def _untold(n: int) -> Estimate:
    nan = float("nan")
    return Estimate(nan, nan, nan, n)
