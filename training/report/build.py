"""`report`: the material of a model, section by section, on one page."""

from __future__ import annotations

from pathlib import Path

from training.data.films import Say
from training.evaluation.evaluate import EvaluatedModel
from training.evaluation.scoring import ScoredFilms
from training.report.markup import element, page, paragraph
from training.report.material import Material, gather
from training.report.sections import SECTIONS
from training.runs import RunFolder


def report(
    subject: EvaluatedModel,
    data: Path,
    run: RunFolder | None,
    out: Path,
    heat_films: int,
    device: str,
    say: Say,
    judged_before: ScoredFilms | None = None,
) -> Path:
    """Write the report of a bundle on its test films, whole or not at all.

    Args:
        subject: the bundle.
        data: the folder of its films.
        run: the run that made it, if there is one: its log and its facts.
        out: the page; an `audit.json` beside it becomes a part of it.
        heat_films: at most so many films for each finding's mean heat map.
        device: what to run on.
        say: hears of the progress.
        judged_before: the test films under this bundle's card, where that is done already.

    Raises:
        NothingUsable: there is no test film, or none can be read.
        ModelError: the network failed.
    """
    material = gather(subject, data, run, out.parent, heat_films, device, say, judged_before)
    text = rendered(material)
    say(f"written to {write_whole(text, out)}")
    return out


def write_whole(text: str, out: Path) -> Path:
    """Write a page whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(out)
    return out


def rendered(material: Material) -> str:
    """The page."""
    title = f"{material.card.name} {material.card.version}"
    return page(
        title,
        element("h1", title),
        paragraph("Research use only. Not for diagnosis.", "warn"),
        *(show(material) for show in SECTIONS),
    )
