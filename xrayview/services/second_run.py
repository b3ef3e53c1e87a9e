"""A second table of predictions on the same films, beside the one that is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xrayview.errors import UsageError
from xrayview.evaluation.model_comparison import ModelComparison, compare_models
from xrayview.io.tables.predictions import Predictions
from xrayview.services.labelled_run import LabelledFilm, Row, threshold_of


@dataclass(frozen=True)
class ComparedFilm:
    """A film with both models' scores."""

    film: LabelledFilm
    first: float
    second: float
    calls_differ: bool


@dataclass(frozen=True)
class FindingAgainst:
    """One finding in both runs."""

    model: str
    comparison: ModelComparison
    films: Sequence[ComparedFilm]
    """The largest differences first."""
    absent: int
    """Films without a score in the second table."""


class SecondRun:
    """The second table; films are found by their content, then by their path.

    Args:
        predictions: the table.
        name: of its file.
    """

    def __init__(self, predictions: Predictions, name: str) -> None:
        self.predictions = predictions
        self.name = name
        self._by_content = {(r["sha256"], r["frame"]): r for r in predictions.rows if r["sha256"]}
        self._by_path = {(row["path"], row["frame"]): row for row in predictions.rows}

    @property
    def model(self) -> str:
        """Names and versions of the models in the table."""
        return model_of(self.predictions)

    def compare(
        self,
        finding: str,
        films: Sequence[LabelledFilm],
        truth: Sequence[bool],
        scores: Sequence[float],
        threshold: float,
    ) -> FindingAgainst | None:
        """Compare a finding's scores with those of this table; None without a film in both.

        Raises:
            UsageError: the table does not have the finding.
        """
        if finding not in self.predictions.findings:
            raise UsageError(
                f"{self.name} has no finding {finding!r}",
                hint=f"It has {', '.join(self.predictions.findings)}.",
            )
        own = threshold_of(self.predictions, finding)
        rows: list[ComparedFilm] = []
        present: list[bool] = []
        for film, is_present, score in zip(films, truth, scores, strict=True):
            second = self._score(film.row, finding)
            if second is not None:
                calls_differ = (score >= threshold) != (second >= own)
                rows.append(ComparedFilm(film, score, second, calls_differ))
                present.append(is_present)
        if not rows:
            return None
        comparison = compare_models(
            present,
            [row.first for row in rows],
            [row.second for row in rows],
            (threshold, own),
            [row.film.patient for row in rows],
        )
        ordered = sorted(rows, key=lambda row: -abs(row.first - row.second))
        return FindingAgainst(self.model, comparison, ordered, len(films) - len(rows))

    def _score(self, row: Row, finding: str) -> float | None:
        found = self._by_content.get((row["sha256"], row["frame"])) if row["sha256"] else None
        found = found or self._by_path.get((row["path"], row["frame"]))
        if found is None or (
            found["sha256"] and row["sha256"] and found["sha256"] != row["sha256"]
        ):
            return None
        cell = found[f"score_{finding}"].replace(",", ".")
        return float(cell) if cell and found["status"] in ("ok", "warn") else None


def model_of(predictions: Predictions) -> str:
    """Names and versions of the models that scored a table, joined."""
    names = {f"{row['model_name']} {row['model_version']}".strip() for row in predictions.rows}
    return ", ".join(sorted(names - {""}))
