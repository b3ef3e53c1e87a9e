"""`grid.html`: the table of a grid, and heat maps of the model that validation puts first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from training.data.films import Say, select_rows
from training.data.splits import TEST, position
from training.evaluation.evaluate import truth_by_finding
from training.evaluation.scoring import score_films
from training.grid.plan import Cell, Model
from training.grid.rows import GridRow, best, table
from training.report.build import write_whole
from training.report.markup import Content, Markup, element, image, page, paragraph, section
from training.report.markup import table as markup_table
from training.report.pictures import METHOD, heat_of_film
from training.runs import RunFolder
from xrayview.domain.heat_map_methods import method_title
from xrayview.inference import loading
from xrayview.io.model.bundle import read_card

PAGE = "grid.html"
_OF_EACH = 4
_OUTCOMES = {
    (True, True): "Rightly called",
    (True, False): "Missed",
    (False, True): "False alarms",
    (False, False): "Rightly not called",
}
"""Has the finding, is called so -> title."""


def write_page(
    cells: Sequence[Cell], rows: Sequence[GridRow], notes: Sequence[str], data: Path, out: Path,
    say: Say,
) -> Path:  # fmt: skip
    """Write the page; the films of its heat maps are drawn by hash, not by how well they look."""
    first = best(rows)
    models = {model.folder: model for cell in cells for model in cell.models}
    titles, lines = table(rows)
    text = page(
        "Backbone grid",
        element("h1", "Backbone grid"),
        paragraph("Research use only. Not for diagnosis.", "warn"),
        section(
            "Models",
            markup_table(titles, [[_narrow(cell) for cell in line] for line in lines]),
            *(paragraph(n, "quiet") for n in notes),
        ),
        _heat_maps(models[first.folder], data, out, say),
    )
    say(f"written to {write_whole(text, out / PAGE)}")
    return out / PAGE


def _narrow(text: str) -> Content:
    """A figure with its interval below it: the table has many columns."""
    value, found, bounds = text.partition(" (")
    if not found:
        return text
    below = element("div", bounds.rstrip(")"), class_="quiet")
    return element("td", value, below, class_="number")


def _heat_maps(model: Model, data: Path, out: Path, say: Say) -> Markup:
    """A contact sheet: of each outcome a few test films with their map."""
    bundle = RunFolder(out / model.folder).bundle(model.config)
    card = read_card(bundle)
    loaded = loading.load(bundle, card, "cpu")
    salt = model.config.data.split_salt
    films = [row for row in select_rows(model.config, data)[0] if row.split == TEST]
    say(f"heat maps of {model.folder}")
    films = sorted(films, key=lambda row: position(row.path, salt))[: _OF_EACH * 16]
    scored = score_films(loaded, card, films, data)
    finding = model.config.target.findings[0].name
    judged, truth_N = truth_by_finding(scored, model.config.target)[finding]
    scores_N = judged.scores_N(card, finding)
    called_N = scores_N >= card.operating_point(finding).threshold

    def figures(has: bool, called: bool) -> Iterator[Markup]:
        for index in np.flatnonzero((truth_N == has) & (called_N == called))[:_OF_EACH]:
            row = judged.rows[index]
            picture, evidence = heat_of_film(loaded, card, finding, row, data)
            words = f"{scores_N[index]:.3f} · {row.path}"
            words += "" if evidence else " · no positive evidence"
            yield element(
                "figure",
                image(picture, f"heat map of {row.path}"),
                element("figcaption", words),
                class_="film",
            )

    sheets = []
    for (has, called), title in _OUTCOMES.items():
        shown = list(figures(has, called))
        sheets += [
            element("h3", title),
            element("div", *shown, class_="row")
            if shown
            else paragraph("None of those looked at."),
        ]
    return section(
        f"Heat maps of {model.folder}",
        paragraph(
            f"The model that validation puts first (accuracy, then AUC): {method_title(METHOD)} of "
            f"{finding}, each map scaled to its own strongest place, over the film as the model "
            "sees it. Captions: score and film. The films come in the order of a hash.",
            "quiet",
        ),
        *sheets,
    )
