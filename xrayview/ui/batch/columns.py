"""The columns of the table of a batch: what each shows of a film, and what it sorts by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xrayview.domain.events import FilmResult
from xrayview.errors import Status


@dataclass(frozen=True)
class Column:
    """One column: its title, what it shows, what it sorts by, how wide it starts."""

    title: str
    text: Callable[[FilmResult], str]
    sort: Callable[[FilmResult], object]
    width: int = 110
    figure: bool = False


def columns_of(findings: tuple[str, ...], labelled: tuple[Column, ...] = ()) -> tuple[Column, ...]:
    """The table of columns for a model's findings; `labelled` stand beside what is predicted."""
    return (
        Column("Status", lambda r: str(r.status), lambda r: list(Status).index(r.status), 98),
        Column("File", lambda r: r.name, _place, 146),
        Column("Predicted", _predicted, _predicted, 96),
        *labelled,
        *(_score_column(place, name) for place, name in enumerate(findings)),
        Column("Unlike", _unlike, _distance, 80, figure=True),
        Column("Reason", reason_of, reason_of, 120),
    )


def _score_column(place: int, name: str) -> Column:
    def score(result: FilmResult) -> float:
        said = result.prediction
        return said.scores[place] if said is not None else -1.0

    def text(result: FilmResult) -> str:
        return f"{score(result):.3f}" if result.prediction is not None else "–"

    return Column(name, text, score, 88, figure=True)


def _place(result: FilmResult) -> str:
    return f"{result.relative_path} {result.frame or 0:06}"


def _predicted(result: FilmResult) -> str:
    return result.prediction.predicted.replace("|", ", ") if result.prediction else ""


def _unlike(result: FilmResult) -> str:
    """The share of validation films that are more like the training films."""
    gate = result.gate
    if gate is None or gate.ood_percentile is None:
        return "–"
    return f"{gate.ood_percentile:.1f} %"


def _distance(result: FilmResult) -> float:
    gate = result.gate
    return gate.ood_score if gate is not None and gate.ood_score is not None else -1.0


def reason_of(result: FilmResult) -> str:
    """Why a film is not plainly ok; empty where it is."""
    if result.status is Status.OK:
        return ""
    return f"{result.code}: {result.message}" if result.message else str(result.code)
