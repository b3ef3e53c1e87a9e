"""The sections on how well the model judges: figures, curves, confusion, subgroups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from training.evaluation.evaluate import ALL_CLASSES
from training.evaluation.metrics import class_accuracy
from training.report import plots
from training.report.markup import (
    Content,
    Markup,
    element,
    interval,
    joined,
    paragraph,
    section,
    shaded,
    stacked,
    table,
)
from training.report.material import Material
from xrayview.evaluation.confidence import SHARES
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap
from xrayview.evaluation.metrics import Confusion, confusion
from xrayview.evaluation.multiclass import confusion_matrix, one_against_rest

_SHOWN = ("auc", "sensitivity", "specificity", "precision", "f1", "accuracy", "ece", "brier")
_CLASS_FIGURES: dict[str, Callable[[Confusion], float]] = {
    "precision": lambda counts: counts.precision,
    "recall": lambda counts: counts.sensitivity,
    "F1": lambda counts: counts.f1,
}


def figures(material: Material) -> Markup:
    """Every finding at its operating point, with intervals."""
    rows: list[tuple[Content, ...]] = [
        (
            judged.finding,
            f"{judged.point.name}, {judged.point.threshold:.3f}",
            int(judged.truth_N.sum()),
            *(stacked(judged.figures[name]) for name in _SHOWN),
        )
        for judged in material.judged
    ]
    return section(
        "Figures on test films",
        paragraph(
            f"95 % intervals from {material.draws} draws of patients. ECE and Brier score judge "
            "calibration: lower is better.",
            "quiet",
        ),
        table(("finding", "operating point", "films with it", *_SHOWN), rows),
        _per_class(material),
        _other_points(material),
    )


def _per_class(material: Material) -> Content:
    if material.classes is None:
        return None
    truth_N, predicted_N = material.classes
    names = [judged.finding for judged in material.judged]

    def estimate(index: int, figure: Callable[[Confusion], float]) -> Estimate:
        def of_films(drawn: Indices) -> float:
            matrix = confusion_matrix(truth_N[drawn], predicted_N[drawn], len(names))
            return figure(one_against_rest(matrix, index))

        return clustered_bootstrap(of_films, material.patients_N, draws=material.draws)

    rows: list[tuple[Content, ...]] = [
        (
            name,
            *(interval(estimate(index, figure)) for figure in _CLASS_FIGURES.values()),
            int(np.sum(truth_N == index)),
        )
        for index, name in enumerate(names)
    ]
    overall = class_accuracy(truth_N, predicted_N, material.patients_N, material.draws)
    return joined(
        [
            element("h3", "Where the finding with the highest score is named"),
            table(("finding", *_CLASS_FIGURES, "films with it"), rows),
            paragraph(f"Accuracy of {ALL_CLASSES}: {interval(overall)}"),
        ]
    )


def _other_points(material: Material) -> Markup:
    rows = [
        (point.finding, point.name, f"{point.threshold:.3f}", counts.true_positive,
         counts.false_negative, counts.false_positive, counts.true_negative,
         f"{counts.sensitivity:.3f}", f"{counts.specificity:.3f}")
        for judged in material.judged
        for point in material.card.operating_points
        if point.finding == judged.finding
        for counts in (confusion(judged.truth_N, judged.scores_N, point.threshold),)
    ]  # fmt: skip
    header = ("finding", "operating point", "score", "hits", "misses", "false alarms",
              "rightly none", "sensitivity", "specificity")  # fmt: skip
    return joined([element("h3", "At every operating point"), table(header, rows)])


def discrimination(material: Material) -> Markup:
    """ROC, precision and recall, reliability."""
    both = {j.finding: (j.truth_N, j.scores_N) for j in material.judged
            if j.truth_N.any() and not j.truth_N.all()}  # fmt: skip
    if not both:
        return section("Curves", paragraph("Films of one kind only: there is no curve."))
    return section(
        "Curves",
        element("figure", plots.roc_and_precision(both)),
        element(
            "figure",
            plots.reliability_diagram(both),
            element("figcaption", "Ten bins of equal width; bars are Wilson's 95 % intervals."),
        ),
    )


def confusions(material: Material) -> Markup:
    """Who is taken for what."""
    if material.classes is not None:
        names = [judged.finding for judged in material.judged]
        return section(
            "Confusion",
            _matrix(confusion_matrix(*material.classes, len(names)).tolist(), names, names),
        )
    parts = []
    for judged in material.judged:
        c = confusion(judged.truth_N, judged.scores_N, judged.point.threshold)
        counts = [
            [c.true_positive, c.false_negative],
            [c.false_positive, c.true_negative],
        ]
        rows = (judged.finding, f"no {judged.finding}")
        parts.append(_matrix(counts, rows, ("called so", "not called so")))
    return section("Confusion", *parts)


def _matrix(counts: list[list[int]], rows: Sequence[str], columns: Sequence[str]) -> Markup:
    """Counts, shaded by their share of the row."""
    return table(
        ("truth", *columns),
        [
            (name, *(shaded(n, n / max(1, sum(line))) for n in line))
            for name, line in zip(rows, counts, strict=True)
        ],
    )


def sureness(material: Material) -> Markup:
    """Is it surer where it is right?"""
    named = [(judged.finding, judged.confidence) for judged in material.judged]
    if material.confidence:
        named.append((ALL_CLASSES, material.confidence))
    shares = [f"surest {share:.0%}" for share in SHARES]
    rows: list[tuple[Content, ...]] = [
        (
            name,
            *("-" if np.isnan(mean) else f"{mean:.3f}" for mean in (c.when_right, c.when_wrong)),
            *(f"{surest.accuracy:.3f}" for surest in c.surest),
        )
        for name, c in named
    ]
    return section(
        "Confidence",
        paragraph(
            "Mean score of what a film was called (the likelier of presence and absence, or the "
            "class with the highest score), and the accuracy among the surest films.",
            "quiet",
        ),
        table(("finding", "mean when right", "mean when wrong", *shares), rows),
    )


def groups(material: Material) -> Markup:
    """Does it judge all alike?"""
    return section(
        "Subgroups",
        paragraph(
            "At the first operating point. Groups of fewer than 20 films, or fewer than 5 with or "
            "without the finding, are named without numbers.",
            "quiet",
        ),
        table(
            ("finding", "by", "group", "films", "with it", "AUC", "sensitivity", "specificity"),
            _group_rows(material),
        ),
    )


def _group_rows(material: Material) -> Iterator[tuple[Content, ...]]:
    for judged in material.judged:
        for group in judged.groups:
            name = (judged.finding, group.attribute, element("td", group.group))
            if group.suppressed:
                yield (*name, element("td", group.suppressed, colspan="5", class_="quiet"))
            else:
                shares = (group.auc, group.sensitivity, group.specificity)
                yield (*name, group.n, group.positives, *map(interval, shares))
