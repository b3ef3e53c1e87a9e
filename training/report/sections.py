"""The sections of a report, in order; one without anything to say is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from training.audit import TITLES
from training.evaluate import ALL_CLASSES
from training.figures import agreement
from training.report import plots
from training.report.markup import (
    Content,
    Markup,
    element,
    facts,
    image,
    interval,
    joined,
    paragraph,
    section,
    shaded,
    table,
)
from training.report.material import Material, Mistake
from training.runs import command_line, commit, now_utc, versions
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap
from xrayview.evaluation.metrics import Confusion, confusion
from xrayview.evaluation.multiclass import confusion_matrix, one_against_rest
from xrayview.preprocessing.pipeline import Preprocessor

_SHOWN = ("auc", "sensitivity", "specificity", "precision", "f1", "accuracy", "ece", "brier")
_CLASS_FIGURES: dict[str, Callable[[Confusion], float]] = {
    "precision": lambda counts: counts.precision,
    "recall": lambda counts: counts.sensitivity,
    "F1": lambda counts: counts.f1,
}
_SAVED = ("command", "commit", "started_utc", "finished_utc", "machine", "training_seconds")


def model(material: Material) -> Markup:
    """What the card says."""
    card, training = material.card, material.card.training
    calibration = card.calibration
    temperatures = ", ".join(f"{t:.3f}" for t in calibration.temperature)
    return section(
        "Model",
        facts(
            [
                ("description", card.description),
                ("intended use", card.intended_use),
                ("limitations", card.limitations),
                ("findings", ", ".join(finding.name for finding in card.findings)),
                ("task", f"{card.task}, {card.activation}"),
                ("architecture", str(training.get("architecture", ""))),
                ("initial weights", str(training.get("initial_weights", ""))),
                ("recipe", str(training.get("recipe", ""))),
                ("input", _input(material)),
                ("temperature", f"{temperatures}, fitted on {calibration.fitted_on}"),
                ("licence", card.licence),
                ("SHA-256", element("code", material.sha256)),
            ]
        ),
        element("h3", "Operating points"),
        table(
            ("finding", "name", "score", "chosen by"),
            [(p.finding, p.name, f"{p.threshold:.3f}", p.chosen_by)
             for p in card.operating_points],
        ),
    )  # fmt: skip


def _input(material: Material) -> str:
    spec = material.card.preprocessing
    height, width = spec.size
    mirrored = ", mean of the film and its mirror image" if material.card.flip_average else ""
    name = Preprocessor(spec).preprocessing_id
    return f"{height} x {width}, {spec.fit}, equalize {spec.equalize}{mirrored}; spec {name}"


def data(material: Material) -> Markup:
    """Films and patients, by split and label."""
    judged = (
        f"Judged here: {material.films} test films of {material.patients} patients; "
        f"{material.omitted} could not be read."
    )
    counts = material.facts.get("counts") or material.card.training.get("counts")
    if not isinstance(counts, dict):
        return section("Films", paragraph(judged))
    labels = list(dict.fromkeys(label for split in counts.values() for label in split))
    rows = [(split, *(found.get(label, 0) for label in labels)) for split, found in counts.items()]
    omitted = material.facts.get("omitted", material.card.training.get("omitted"))
    leaks = material.facts.get("leaks", material.card.training.get("leaks"))
    sources = material.card.training.get("sources")
    return section(
        "Films",
        table(("split", *labels), rows),
        paragraph(judged),
        facts(
            [
                ("left out of training and testing", None if omitted is None else str(omitted)),
                ("leaks between splits", None if leaks is None else str(leaks)),
                ("sources", "; ".join(map(str, sources)) if isinstance(sources, list) else None),
            ]
        ),
    )


def curves(material: Material) -> Markup | None:
    """The training, epoch by epoch."""
    drawing = plots.training_curves(material.log) if material.log else None
    return section("Training", element("figure", drawing)) if drawing else None


def figures(material: Material) -> Markup:
    """Every finding at its operating point, with intervals."""
    rows: list[tuple[Content, ...]] = [
        (
            judged.finding,
            f"{judged.point.name}, {judged.point.threshold:.3f}",
            int(judged.truth_N.sum()),
            *(interval(judged.figures[name]) for name in _SHOWN),
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

    def estimate(place: int, figure: Callable[[Confusion], float]) -> Estimate:
        def of_films(drawn: Indices) -> float:
            matrix = confusion_matrix(truth_N[drawn], predicted_N[drawn], len(names))
            return figure(one_against_rest(matrix, place))

        return clustered_bootstrap(of_films, material.patients_N, draws=material.draws)

    rows: list[tuple[Content, ...]] = [
        (
            name,
            *(interval(estimate(place, figure)) for figure in _CLASS_FIGURES.values()),
            int(np.sum(truth_N == place)),
        )
        for place, name in enumerate(names)
    ]
    overall = agreement(truth_N, predicted_N, material.patients_N, material.draws)
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


def errors(material: Material) -> Markup:
    """The mistakes that it was surest of."""
    parts: list[Markup] = []
    for judged in material.judged:
        for title, mistakes in (
            (f"{judged.finding}: false alarms", judged.false_alarms),
            (f"{judged.finding}: misses", judged.misses),
        ):
            shown = joined(map(_mistake, mistakes)) if mistakes else paragraph("None.")
            parts += [element("h3", title), element("div", shown, class_="row")]
    return section(
        "Worst errors",
        paragraph(
            "The films whose score is furthest on the wrong side, as the model's preprocessing "
            "sees them. Look for names burned into the pixels before this page goes elsewhere.",
            "quiet",
        ),
        *parts,
    )


def _mistake(mistake: Mistake) -> Markup:
    caption = element("figcaption", f"{mistake.score:.3f} · {mistake.path}")
    picture = image(mistake.picture, f"film {mistake.path}")
    return element("figure", picture, caption, class_="film")


def heat_maps(material: Material) -> Markup | None:
    """Where the evidence lies on average."""
    found = [(judged.finding, judged.heat) for judged in material.judged if judged.heat]
    if not found:
        return None
    films = [
        element(
            "figure",
            image(heat.picture, f"mean heat map of {finding}"),
            element(
                "figcaption",
                f"{finding}: {heat.films} films that carry it, "
                f"{heat.without_evidence} of them without positive evidence",
            ),
            class_="film",
        )
        for finding, heat in found
    ]
    return section(
        "Mean heat maps",
        paragraph(
            "Mean Grad-CAM over the mean film, scaled to its strongest place. Evidence at the "
            "rim, on markers or below the diaphragm is a shortcut.",
            "quiet",
        ),
        element("div", *films, class_="row"),
    )


def audit(material: Material) -> Markup:
    """How much can be told without the lungs."""
    found = material.audit
    if found is None:
        return section(
            "Shortcut audit",
            paragraph("Not made. `python -m training audit` makes it, then report again.", "warn"),
        )
    other = found.get("model_sha256") != material.sha256
    rows = [
        (TITLES.get(row["key"], row["title"]), row["finding"], interval(_estimate(row["auc"])),
         row["auc"]["n"], element("td", row["meaning"]))
        for row in found["rows"]
    ]  # fmt: skip
    return section(
        "Shortcut audit",
        paragraph("Made of another bundle than this report.", "warn") if other else None,
        table(("what is seen", "finding", "AUC", "films", "what it means"), rows),
        *(paragraph(note, "quiet") for note in found["notes"]),
        paragraph(element("code", found["command"])),
    )


def _estimate(stored: dict[str, float | None]) -> Estimate:
    value, low, high = (
        float("nan") if stored[name] is None else float(stored[name] or 0)
        for name in ("value", "low", "high")
    )
    return Estimate(value, low, high, int(stored["n"] or 0))


def origin(material: Material) -> Markup:
    """All that is needed to make it again."""
    saved = material.facts or material.card.training
    return section(
        "Origin",
        element("h3", "This report"),
        _origin({"command": command_line(), "commit": commit(), "time": now_utc()}, versions()),
        element("h3", "The training"),
        _origin({name: saved.get(name) for name in _SAVED}, saved.get("versions")),
    )


def _origin(named: dict[str, object], of_packages: object) -> Markup:
    packages = of_packages if isinstance(of_packages, dict) else {}
    return facts(
        [
            *((name.replace("_", " "), element("code", str(value)))
              for name, value in named.items() if value not in (None, "")),
            ("versions", ", ".join(f"{name} {value}" for name, value in packages.items())),
        ]
    )  # fmt: skip


SECTIONS: tuple[Callable[[Material], Markup | None], ...] = (
    model, data, figures, discrimination, confusions, groups, audit, heat_maps, errors, curves,
    origin,
)  # fmt: skip
"""In the order of the page."""
