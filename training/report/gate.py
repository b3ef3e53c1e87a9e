"""The section on the gate: which films the app doubts or refuses with this bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.bundle.gate_statistics import distances_of
from training.data.manifest import FilmRow
from training.report import plots
from training.report.markup import Content, Markup, element, facts, paragraph, section, table
from xrayview.domain.model import ModelCard
from xrayview.inference.gate_file import read_statistics, require_matching_features
from xrayview.inference.ood_score import TrainingStatistics
from xrayview.inference.runtime import Runtime

_BINS = 30


@dataclass(frozen=True, eq=False)
class Likeness:
    """The statistics of a bundle, and how far the test films lie from its training films."""

    statistics: TrainingStatistics
    test_N: npt.NDArray[np.float64]


def likeness_of(
    bundle: Path, loaded: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path
) -> Likeness | None:
    """The distances of these films; None where the bundle has no statistics.

    Raises:
        ModelError: the statistics are damaged or of another network, or the network failed.
    """
    statistics = read_statistics(bundle)
    if statistics is None:
        return None
    require_matching_features(statistics, loaded, card, bundle)
    return Likeness(statistics, distances_of(loaded, card, statistics, rows, folder))


def gate(card: ModelCard, likeness: Likeness | None) -> Markup:
    """Method, limits, who is doubted or refused, and how the distances lie."""
    if likeness is None:
        return section(
            "Gate",
            paragraph(
                "The bundle has no statistics of its training films: the app does not tell films "
                "unlike them. `python -m training gate` adds them.",
                "warn",
            ),
        )
    found = likeness.statistics
    return section(
        "Gate",
        paragraph(
            "How unlike the training films a film may be. By its pixels alone: a doubt or a "
            "refusal by the header comes on top. A near film is not therefore judged right.",
            "quiet",
        ),
        facts(
            [
                ("method", str(card.gate.get("method", ""))),
                ("doubted beyond", _limit(found.near, card.gate.get("threshold_chosen_by"))),
                ("refused beyond", _limit(found.far, card.gate.get("refusal_threshold_chosen_by"))),
                ("training films", str(found.training_films)),
            ]
        ),
        table(("films", "number", "within the limits", "doubted", "refused"), _shares(likeness)),
        element(
            "figure",
            plots.distances(_validation(found), likeness.test_N, found.near, found.far, _BINS),
            element("figcaption", "Validation from the percentiles that the bundle keeps."),
        ),
    )


def _limit(distance: float, chosen_by: object) -> str:
    return f"{distance:.3f}" + (f" ({chosen_by})" if chosen_by else "")


def _shares(likeness: Likeness) -> list[tuple[Content, ...]]:
    found, test_N = likeness.statistics, likeness.test_N
    near, far = (found.percentile(limit) / 100 for limit in (found.near, found.far))
    rows: list[tuple[Content, ...]] = [_row("validation", found.validation_films, near, far)]
    if test_N.size:
        within = float((test_N <= found.near).mean())
        rows.append(_row("test", test_N.size, within, float((test_N <= found.far).mean())))
    return rows


def _row(split: str, films: int, near: float, far: float) -> tuple[Content, ...]:
    """From the shares of films that lie within each limit."""
    return (split, films, *(f"{share:.1%}" for share in (near, far - near, 1 - far)))


def _validation(found: TrainingStatistics) -> plots.Shares:
    """The share of validation films within a distance."""
    return lambda distances: np.interp(distances, found.distances_Q, found.levels_Q / 100, left=0.0)
