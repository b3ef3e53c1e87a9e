"""The rows of a grid's table: one for each model, as Markdown and CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.evaluation.operating_points import fixed_name
from training.grid.plan import Cell, Model
from training.report.markup import interval
from training.runs import RunFolder, write_json
from xrayview.evaluation.intervals import Estimate
from xrayview.evaluation.metrics import Confusion

ROW = "row.json"
"""Written last: a model's folder that has it is finished."""
PUBLISHED = {
    "published, best accuracy": {"accuracy": 0.643},
    "published, best recall": {"recall": 0.850},
}
"""What the experiment that this grid repeats reached on its own films."""

_SHARES = {"accuracy": "accuracy", "recall": "sensitivity", "precision": "precision"}
"""Column -> the figure's name in metrics.json."""


@dataclass(frozen=True)
class GridRow:
    """One model of the grid, with what it reached."""

    facts: dict[str, Any]

    @property
    def folder(self) -> str:
        """The model's, below the grid's."""
        return str(self.facts["folder"])

    def estimate(self, split: str, figure: str) -> Estimate:
        """At 0.5, with its interval; NaN where it does not exist."""
        stored = self.facts[split][figure]
        value, low, high = (
            float("nan") if stored[name] is None else float(stored[name])
            for name in ("value", "low", "high")
        )
        return Estimate(value, low, high, int(stored["n"]))


def describe_model(cell: Cell, model: Model, run: RunFolder) -> GridRow:
    """Gather a finished model's row and write it beside the model."""
    facts = run.read_facts()
    row: dict[str, Any] = {
        "folder": model.folder,
        "bundle": f"{model.folder}/{run.bundle(model.config).name}",
        "architecture": cell.config.network.architecture,
        "augmented": cell.augmented,
        "kept_by": model.figure,
        "size": list(cell.config.preprocessing.size),
        "epoch": facts["best_epoch"],
        "epochs": facts["epochs"],
        "training_seconds": facts["training_seconds"],
        "initial_weights": facts.get("initial_weights", {}).get("used", ""),
    }
    finding = model.config.target.findings[0].name
    for split in ("validation", "test"):
        found = json.loads((run.path / split / "metrics.json").read_text(encoding="utf-8"))
        judged = found["findings"][finding]
        counts = Confusion(**next(iter(judged["operating_points"].values())))
        row[split] = {
            "films": found["films"],
            "with_finding": counts.positives,
            "patients": found["patients"],
            "auc": judged["figures"]["auc"],
            **{column: judged["figures"][name] for column, name in _SHARES.items()},
            "fixed": {
                f"{score:g}": _at(judged["operating_points"][fixed_name(score)])
                for score in model.config.evaluation.fixed_points
            },
        }
    write_json(run.path / ROW, row)
    return GridRow(row)


def _at(counts: dict[str, int]) -> dict[str, float | None]:
    """Shares at an operating point; JSON has no NaN."""
    found = Confusion(**counts)
    shares = {column: getattr(found, name) for column, name in _SHARES.items()}
    return {column: None if math.isnan(share) else share for column, share in shares.items()}


def read_row(folder: Path) -> GridRow | None:
    """A finished model's row; None where it is not finished."""
    path = folder / ROW
    return GridRow(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def best(rows: Sequence[GridRow]) -> GridRow:
    """The model that validation puts first: by accuracy, then by AUC. Test films do not choose."""
    return max(rows, key=lambda row: [row.estimate("validation", f).value
                                      for f in ("accuracy", "auc")])  # fmt: skip


Column = Callable[[GridRow], str]


def columns(rows: Sequence[GridRow]) -> dict[str, Column]:
    """Title -> a cell's text."""

    def share(figure: str) -> Column:
        return lambda row: interval(row.estimate("test", figure))

    def fixed(score: str, figure: str) -> Column:
        return lambda row: _number(row.facts["test"]["fixed"][score][figure])

    scores = list(rows[0].facts["test"]["fixed"]) if rows else []
    return {
        "backbone": lambda row: str(row.facts["architecture"]),
        "input": lambda row: str(row.facts["size"][0]),
        "augmentation": lambda row: "yes" if row.facts["augmented"] else "no",
        "kept by": lambda row: f"validation {row.facts['kept_by']}",
        "epoch": lambda row: f"{row.facts['epoch']} of {row.facts['epochs']}",
        **{figure: share(figure) for figure in _SHARES},
        **{f"{figure} at {score}": fixed(score, figure) for score in scores for figure in _SHARES},
        "AUC": share("auc"),
        "validation accuracy": lambda row: interval(row.estimate("validation", "accuracy")),
        "validation recall": lambda row: interval(row.estimate("validation", "recall")),
    }


def table(rows: Sequence[GridRow]) -> tuple[list[str], list[list[str]]]:
    """The titles and the cells; the published figures come last."""
    shown = columns(rows)
    cells = [[text(row) for text in shown.values()] for row in rows]
    for name, figures in PUBLISHED.items():
        known = {"backbone": name, **{figure: f"{value:.3f}" for figure, value in figures.items()}}
        cells.append([known.get(title, "") for title in shown])
    return list(shown), cells


def markdown(rows: Sequence[GridRow], notes: Sequence[str]) -> str:
    """The table and its notes."""
    titles, cells = table(rows)
    lines = [_line(titles), _line(["---"] * len(titles)), *map(_line, cells)]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes), ""])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def as_csv(rows: Sequence[GridRow]) -> str:
    """One row for each model, figures as plain numbers, a column for each bound."""
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
        found = row.facts[split]
        record |= {f"{split}_films": found["films"], f"{split}_patients": found["patients"]}
        record[f"{split}_with_finding"] = found["with_finding"]
        for figure in ("auc", *_SHARES):
            for part in ("value", "low", "high"):
                suffix = "" if part == "value" else f"_{part}"
                value = found[figure][part]
                record[f"{split}_{figure}{suffix}"] = "" if value is None else f"{value:.4f}"
        for score, shares in found["fixed"].items():
            record |= {f"{split}_{k}_at_{score}": _number(v) for k, v in shares.items()}
    return record


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
