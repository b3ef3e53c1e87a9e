"""The columns of the results table: text, sort key and width."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from xrayview.domain.events import FilmResult
from xrayview.domain.sentences import without_options
from xrayview.domain.verdict import LIST_TITLES, list_title
from xrayview.errors import Status


@dataclass(frozen=True)
class Column:
    """One column: its title, the text and the sort key of a result, and its initial width."""

    title: str
    text: Callable[[FilmResult], str]
    sort: Callable[[FilmResult], object]
    width: int = 110
    is_numeric: bool = False


def columns_of(findings: tuple[str, ...], labelled: tuple[Column, ...] = ()) -> tuple[Column, ...]:
    """The columns for a model's findings; `labelled` come after the predicted finding."""
    return (
        Column("Verdict", list_title, lambda r: LIST_TITLES.index(list_title(r)), 128),
        Column("File", lambda r: r.name, _path_and_frame, 146),
        Column("Predicted", _predicted, _predicted, 96),
        *labelled,
        *(_score_column(i, name) for i, name in enumerate(findings)),
        Column("Distance percentile", _percentile, _distance, 80, is_numeric=True),
        Column("Reason", reason_of, reason_of, 120),
    )


def _score_column(index: int, name: str) -> Column:
    def score(result: FilmResult) -> float:
        return result.prediction.scores[index] if result.prediction is not None else math.nan

    def text(result: FilmResult) -> str:
        return f"{score(result):.3f}" if result.prediction is not None else "–"

    return Column(name, text, score, 88, is_numeric=True)


def _path_and_frame(result: FilmResult) -> str:
    return f"{result.relative_path} {result.frame or 0:06}"


def _predicted(result: FilmResult) -> str:
    return result.prediction.predicted.replace("|", ", ") if result.prediction else ""


def _percentile(result: FilmResult) -> str:
    """The share of validation films that are closer to the training films."""
    gate = result.gate
    if gate is None or gate.ood_percentile is None:
        return "–"
    return f"{gate.ood_percentile:.1f} %"


def _distance(result: FilmResult) -> float:
    gate = result.gate
    return gate.ood_score if gate is not None and gate.ood_score is not None else math.nan


def reason_of(result: FilmResult) -> str:
    """Why the film is not in scope, or what was not checked; empty where there is nothing."""
    message = without_options(result.message)
    if message and result.status is not Status.ERROR:
        return message
    if result.status is Status.OK:
        return ""
    return f"{result.code}: {message}" if message else str(result.code)
