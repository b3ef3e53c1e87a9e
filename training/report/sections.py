"""The sections of a report, in order; one without anything to say is left out."""

from __future__ import annotations

from collections.abc import Callable

from training.audit.explanations import TITLES
from training.data.splits import TEST, TRAIN, VALIDATION
from training.report import gate as likeness
from training.report import judgement, plots
from training.report.markup import (
    Markup,
    element,
    facts,
    image,
    interval,
    joined,
    paragraph,
    section,
    table,
)
from training.report.material import Material, Mistake
from training.report.pictures import METHOD
from training.runs import command_line, commit, now_utc, versions
from xrayview.domain.heat_map_methods import method_title
from xrayview.evaluation.intervals import Estimate
from xrayview.preprocessing.pipeline import Preprocessor

_ORDER = {TRAIN: 0, VALIDATION: 1, TEST: 2}
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
    splits = sorted(counts, key=lambda split: _ORDER.get(split, len(_ORDER)))
    rows = [(split, *(counts[split].get(label, 0) for label in labels)) for split in splits]
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
            class_="map",
        )
        for finding, heat in found
    ]
    return section(
        "Mean heat maps",
        paragraph(
            f"Mean {method_title(METHOD)} over the mean film, scaled to its peak. Evidence at the "
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


def gate(material: Material) -> Markup:
    """Which films the app would doubt or refuse."""
    return likeness.gate(material.card, material.likeness)


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
    model, data, judgement.figures, judgement.discrimination, judgement.confusions,
    judgement.sureness, judgement.groups, gate, audit, heat_maps, errors, curves,
    origin,
)  # fmt: skip
"""In the order of the page."""
