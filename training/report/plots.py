"""Plots as SVG for the page: text stays text, and lines take the page's colours."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from cycler import cycler
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.report.gate import Gate
from xrayview.evaluation.curves import average_precision, curve, reliability
from xrayview.evaluation.intervals import wilson
from xrayview.evaluation.metrics import auc
from xrayview.evaluation.net_benefit import decision_curve

Truth = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]
Results = Mapping[str, tuple[Truth, Scores]]
"""Finding -> truth and scores of its films."""

_INK = "#123456"
"""Stands for the page's text colour, which replaces it in the SVG."""
_BINS = 30
"""Bins of the histogram of distances."""
_COLOURS = ("#4c8fd6", "#e08b2c", "#3fa66a", "#c65d8a", "#8f7cc8", "#b09a30", "#3aa6a6")
_DASHED: dict[str, Any] = {"color": _INK, "linewidth": 0.8, "linestyle": (0, (4, 3)), "alpha": 0.6}
_LOOK: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a finding's name is not a formula
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=_COLOURS),
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK
    ),
}
_PANELS = {
    "loss": re.compile("loss"),
    "AUC, accuracy, recall": re.compile("auc|accuracy|recall"),
    "rate": re.compile("^rate$"),
}
"""Title of a panel of the training curves -> the columns of log.csv that it shows."""


def roc_and_precision(results: Results) -> Markup:
    """Draw ROC curves and precision-recall curves side by side."""

    def draw(axes: Sequence[Axes]) -> None:
        roc, precision = axes
        roc.plot([0, 1], [0, 1], **_DASHED)
        for name, (truth, scores) in results.items():
            points = curve(truth, scores)
            false_positive_rate = np.concatenate([[0], 1 - points.specificity_T])
            recall = np.concatenate([[0], points.sensitivity_T])
            roc.plot(false_positive_rate, recall, label=f"{name}, AUC {auc(truth, scores):.3f}")
            (line,) = precision.step(
                points.sensitivity_T,
                points.precision_T,
                where="pre",
                label=f"{name}, AP {average_precision(truth, scores):.3f}",
            )
            precision.axhline(truth.mean(), **{**_DASHED, "color": line.get_color()})
        _label(roc, "1 - specificity", "sensitivity", "ROC")
        _label(precision, "sensitivity (recall)", "precision", "Precision and recall")

    return _svg("roc", 2, draw)


def reliability_diagram(results: Results) -> Markup:
    """Draw the observed share against the score, with Wilson's interval of each bin."""

    def draw(axes: Sequence[Axes]) -> None:
        (ax,) = axes
        ax.plot([0, 1], [0, 1], **_DASHED)
        for name, (truth, scores) in results.items():
            bins = [b for b in reliability(truth, scores) if b.n]
            shares = [wilson(b.positives, b.n) for b in bins]
            errors = [
                [s.value - s.low for s in shares],
                [s.high - s.value for s in shares],
            ]
            ax.errorbar(
                [b.mean_score for b in bins], [s.value for s in shares],
                yerr=np.clip(errors, 0, 1), marker="o", markersize=4,
                elinewidth=0.8, linewidth=1, label=name,
            )  # fmt: skip
        _label(ax, "mean score of the bin", "share of films with the finding", "Reliability")

    return _svg("reliability", 1, draw)


def decision_curves(results: Results) -> Markup:
    """Draw the net benefit of the model, of calling all films and of calling none."""
    thresholds = np.linspace(0.01, 0.99, 99)

    def draw(axes: Sequence[Axes]) -> None:
        (ax,) = axes
        ax.axhline(0, **_DASHED, label="none")
        highest = 0.0
        for name, (truth, scores) in results.items():
            found = decision_curve(truth, scores, thresholds)
            (line,) = ax.plot(thresholds, found.model_T, label=name)
            ax.plot(
                thresholds, found.all_T, color=line.get_color(), linewidth=0.8, linestyle=":",
                label=f"all films called {name}",
            )  # fmt: skip
            highest = max(highest, float(truth.mean()))
        ax.set(
            xlabel="threshold probability", ylabel="net benefit", xlim=(0, 1),
            ylim=(-0.25 * highest, 1.1 * highest),
        )  # fmt: skip
        ax.set_title("Decision curve", fontsize=10)
        ax.legend(loc="best")

    return _svg("decision", 1, draw)


def gate_distances(gate: Gate) -> Markup:
    """Draw the films' distances from the training films, as shares of their split, with limits."""
    near, far = gate.statistics.near, gate.statistics.far
    edges = np.linspace(0, 1.05 * max(far, *gate.evaluated_N), _BINS + 1)

    def draw(axes: Sequence[Axes]) -> None:
        (ax,) = axes
        shares = np.diff(gate.validation_share_within(edges))
        ax.stairs(shares, edges, label="validation", fill=True, alpha=0.45)
        if gate.evaluated_N.size:
            evaluated_shares = np.histogram(gate.evaluated_N, edges)[0] / gate.evaluated_N.size
            ax.stairs(evaluated_shares, edges, label=gate.split)
        for limit, name in ((near, "caution beyond"), (far, "out of scope beyond")):
            ax.axvline(limit, **_DASHED)
            ax.annotate(
                name, (limit, 1), xycoords=("data", "axes fraction"), xytext=(-3, -2),
                textcoords="offset points", rotation=90, ha="right", va="top", fontsize=8,
                color=_INK,
            )  # fmt: skip
        ax.set(xlabel="distance (1 is typical)", ylabel="share of films", xlim=(0, edges[-1]))
        ax.set_title("Distance from the training films", fontsize=10)
        ax.legend(loc="upper left")

    return _svg("gate", 1, draw)


def training_curves(log: Path) -> Markup | None:
    """Draw the columns of log.csv by epoch; None if there is nothing to draw."""
    with log.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    columns = {name: _numbers([row[name] for row in rows]) for name in (rows[0] if rows else ())}
    epochs = columns.pop("epoch", None)
    panels = {
        title: {name: values for name, values in columns.items() if pattern.search(name)}
        for title, pattern in _PANELS.items()
    }
    shown = {title: lines for title, lines in panels.items() if lines}
    if epochs is None or not shown:
        return None

    def draw(axes: Sequence[Axes]) -> None:
        for ax, (title, lines) in zip(axes, shown.items(), strict=True):
            for name, values in lines.items():
                ax.plot(epochs, values, label=name.replace("_", " "), linewidth=1.2)
            ax.set_xlabel("epoch")
            ax.set_title(title, fontsize=10)
            ax.legend()

    return _svg("training", len(shown), draw)


def _numbers(cells: Sequence[str]) -> npt.NDArray[np.float64]:
    """Convert cells to numbers; empty cells and text are NaN, which leaves a gap in the line."""

    def number(cell: str) -> float:
        try:
            return float(cell)
        except ValueError:
            return float("nan")

    return np.array([number(cell) for cell in cells])


def _label(ax: Axes, x: str, y: str, title: str) -> None:
    ax.set(xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    ax.set_title(title, fontsize=10)
    ax.legend(loc="best")


def _svg(name: str, panels: int, draw: Callable[[Sequence[Axes]], None]) -> Markup:
    """Return the plot as an SVG element; `name` keeps the ids of a page's plots distinct."""
    with mpl.rc_context({**_LOOK, "svg.hashsalt": name}):
        figure = Figure(figsize=(4.2 * panels, 3.9), layout="constrained")
        draw([figure.add_subplot(1, panels, i + 1) for i in range(panels)])
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None}, transparent=True)
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    # matplotlib escapes all text that it draws.
    return Markup(text.replace(_INK, "currentColor"))  # noqa: S704
