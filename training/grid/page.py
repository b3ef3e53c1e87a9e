"""`grid.html`: the table of a grid, and heat maps of the best model on validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.films import Say
from training.data.splits import TEST, position
from training.evaluation.evaluate import truth_by_finding
from training.evaluation.model_films import ModelFilms
from training.evaluation.models import EvaluatedModel
from training.evaluation.scoring import score_films
from training.grid.plan import Cell, Model
from training.grid.rows import GridRow, best, table
from training.report.pages import render, write_page
from training.report.pictures import METHOD, heat_of_film
from training.runs import RunFolder
from xrayview.domain.heat_map_methods import method_title
from xrayview.inference import loading
from xrayview.io.model.bundle import read_card

PAGE = "grid.html"
_FILMS_PER_OUTCOME = 4
_OUTCOMES = {
    (True, True): "True positives",
    (True, False): "False negatives",
    (False, True): "False positives",
    (False, False): "True negatives",
}
"""Has the finding, is called so -> title."""


@dataclass(frozen=True)
class _Picture:
    path: str
    picture: str
    caption: str


def write_grid_page(
    cells: Sequence[Cell], rows: Sequence[GridRow], notes: Sequence[str], data: Path, out: Path,
    say: Say,
) -> Path:  # fmt: skip
    """Write the page; the films of its heat maps are chosen by a hash, not by their looks."""
    models = {model.folder: model for cell in cells for model in cell.models}
    shown = models[best(rows).folder]
    titles, lines = table(rows)
    text = render(
        "grid.html",
        title="Backbone grid",
        titles=titles,
        lines=lines,
        notes=notes,
        folder=shown.folder,
        finding=shown.config.target.findings[0].name,
        heat_map_method=method_title(METHOD),
        outcomes=list(_pictures_by_outcome(shown, data, out, say)),
    )
    say(f"written to {write_page(text, out / PAGE)}")
    return out / PAGE


def _pictures_by_outcome(
    model: Model, data: Path, out: Path, say: Say
) -> Iterator[tuple[str, list[_Picture]]]:
    """Yield for each outcome its title and a few test films with their heat maps."""
    bundle = RunFolder(out / model.folder).bundle(model.config)
    card = read_card(bundle)
    loaded = loading.load(bundle, card, "cpu")
    salt = model.config.data.split_salt
    rows = ModelFilms(EvaluatedModel(bundle, card, model.config), data).part(TEST)
    say(f"heat maps of {model.folder}")
    chosen = sorted(rows, key=lambda row: position(row.path, salt))[: _FILMS_PER_OUTCOME * 16]
    finding = model.config.target.findings[0].name
    scored = score_films(loaded, card, chosen, data)
    films, truth_N = truth_by_finding(scored, model.config.target)[finding]
    scores_N = films.scores_N(card, finding)
    called_N = scores_N >= card.operating_point(finding).threshold
    for (present, called), title in _OUTCOMES.items():
        pictures = []
        for i in np.flatnonzero((truth_N == present) & (called_N == called))[:_FILMS_PER_OUTCOME]:
            path = films.rows[i].path
            picture, has_evidence = heat_of_film(loaded, card, finding, films.rows[i], data)
            caption = f"{scores_N[i]:.3f} · {path}"
            caption += "" if has_evidence else " · no positive evidence"
            pictures.append(_Picture(path, picture, caption))
        yield title, pictures
