"""The rows of a grid's table, one for each model, as Markdown and CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.evaluation.metrics import estimate_from_json
from training.evaluation.operating_points import fixed_name
from training.grid.plan import Cell, Model
from training.report.pages import interval
from training.runs import RunFolder, write_json
from xrayview.evaluation.intervals import Estimate
from xrayview.evaluation.metrics import Confusion

ROW = "row.json"
"""Written last: a model's folder with this file is finished."""
PUBLISHED = {
    "published, best accuracy": {"accuracy": 0.643},
    "published, best recall": {"recall": 0.850},
}
"""Results of the experiment that this grid repeats, on its own films."""

_SHARES = {"accuracy": "accuracy", "recall": "sensitivity", "precision": "precision"}
"""Column -> the metric's name in metrics.json."""


@dataclass(frozen=True)
class GridRow:
    """A model of the grid, with its results."""

    facts: dict[str, Any]

    @property
    def folder(self) -> str:
        """The model's folder, relative to the grid's."""
        return str(self.facts["folder"])

    def estimate(self, split: str, metric: str) -> Estimate:
        """Return a metric at 0.5, with its interval; NaN where it is undefined."""
        return estimate_from_json(self.facts[split][metric])


def describe_model(cell: Cell, model: Model, run: RunFolder) -> GridRow:
    """Collect the row of a finished model and write it to the model's folder."""
    facts = run.read_facts()
    row: dict[str, Any] = {
        "folder": model.folder,
        "bundle": f"{model.folder}/{run.bundle(model.config).name}",
        "architecture": cell.config.network.architecture,
        "augmented": cell.augmented,
        "kept_by": model.metric,
        "size": list(cell.config.preprocessing.size),
        "epoch": facts["best_epoch"],
        "epochs": facts["epochs"],
        "training_seconds": facts["training_seconds"],
        "initial_weights": facts.get("initial_weights", {}).get("used", ""),
    }
    finding = model.config.target.findings[0].name
    for split in ("validation", "test"):
        results = json.loads((run.path / split / "metrics.json").read_text(encoding="utf-8"))
        of_finding = results["findings"][finding]
        counts = Confusion(**next(iter(of_finding["operating_points"].values())))
        row[split] = {
            "films": results["films"],
            "with_finding": counts.positives,
            "patients": results["patients"],
            "auc": of_finding["figures"]["auc"],
            **{column: of_finding["figures"][name] for column, name in _SHARES.items()},
            "fixed": {
                f"{score:g}": _shares(of_finding["operating_points"][fixed_name(score)])
                for score in model.config.evaluation.fixed_points
            },
        }
    write_json(run.path / ROW, row)
    return GridRow(row)


def _shares(counts: dict[str, int]) -> dict[str, float | None]:
    """Compute the shares at an operating point; None for NaN, which JSON does not have."""
    confusion = Confusion(**counts)
    shares = {column: getattr(confusion, name) for column, name in _SHARES.items()}
    return {column: None if math.isnan(share) else share for column, share in shares.items()}


def read_row(folder: Path) -> GridRow | None:
    """Read a model's row; None if the model is not finished."""
    path = folder / ROW
    return GridRow(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def best(rows: Sequence[GridRow]) -> GridRow:
    """Return the best model on validation, by accuracy and then by AUC."""
    return max(rows, key=lambda row: [row.estimate("validation", f).value
                                      for f in ("accuracy", "auc")])  # fmt: skip


Column = Callable[[GridRow], str]


def columns(rows: Sequence[GridRow]) -> dict[str, Column]:
    """Return the columns: title -> function from a row to the cell's text."""

    def share(metric: str) -> Column:
        return lambda row: interval(row.estimate("test", metric))

    def fixed(score: str, metric: str) -> Column:
        return lambda row: _number(row.facts["test"]["fixed"][score][metric])

    scores = list(rows[0].facts["test"]["fixed"]) if rows else []
    return {
        "backbone": lambda row: str(row.facts["architecture"]),
        "input": lambda row: str(row.facts["size"][0]),
        "augmentation": lambda row: "yes" if row.facts["augmented"] else "no",
        "chosen by": lambda row: f"validation {row.facts['kept_by']}",
        "epoch": lambda row: f"{row.facts['epoch']} of {row.facts['epochs']}",
        **{metric: share(metric) for metric in _SHARES},
        **{f"{metric} at {score}": fixed(score, metric) for score in scores for metric in _SHARES},
        "AUC": share("auc"),
        "validation accuracy": lambda row: interval(row.estimate("validation", "accuracy")),
        "validation recall": lambda row: interval(row.estimate("validation", "recall")),
    }


def table(rows: Sequence[GridRow]) -> tuple[list[str], list[list[str]]]:
    """Return the titles and the cells; the published results come last."""
    shown = columns(rows)
    cells = [[text(row) for text in shown.values()] for row in rows]
    for name, metrics in PUBLISHED.items():
        known = {"backbone": name, **{metric: f"{value:.3f}" for metric, value in metrics.items()}}
        cells.append([known.get(title, "") for title in shown])
    return list(shown), cells


def markdown(rows: Sequence[GridRow], notes: Sequence[str]) -> str:
    """Format the table and its notes as Markdown."""
    titles, cells = table(rows)
    lines = [_line(titles), _line(["---"] * len(titles)), *map(_line, cells)]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes), ""])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def as_csv(rows: Sequence[GridRow]) -> str:
    """Format a row for each model as CSV, with a column for each value and each bound."""
    stream = io.StringIO(newline="")
    records = [_record(row) for row in rows]
    writer = csv.DictWriter(stream, list(records[0]) if records else [])
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def _record(row: GridRow) -> dict[str, object]:
    plain = {k: v for k, v in row.facts.items() if k not in {"validation", "test", "size"}}
    record: dict[str, object] = {**plain, "size": row.facts["size"][0]}
    for split in ("validation", "test"):
        results = row.facts[split]
        record |= {f"{split}_films": results["films"], f"{split}_patients": results["patients"]}
        record[f"{split}_with_finding"] = results["with_finding"]
        for metric in ("auc", *_SHARES):
            for part in ("value", "low", "high"):
                suffix = "" if part == "value" else f"_{part}"
                value = results[metric][part]
                record[f"{split}_{metric}{suffix}"] = "" if value is None else f"{value:.4f}"
        for score, shares in results["fixed"].items():
            record |= {f"{split}_{k}_at_{score}": _number(v) for k, v in shares.items()}
    return record


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
