"""The results of a batch beside labels that were read: two columns, and a line of agreement."""

from __future__ import annotations

from math import isnan

from xrayview.domain.events import FilmResult
from xrayview.domain.model import ModelCard
from xrayview.evaluation.intervals import Estimate
from xrayview.services.labels import Comparison, Labels, agrees
from xrayview.ui.batch.columns import Column

_VERDICTS: dict[bool | None, str] = {True: "yes", False: "no", None: "–"}


def label_columns(labels: Labels, card: ModelCard) -> tuple[Column, ...]:
    """The label of each film, and whether the model says the same."""
    return _label_column(labels), _verdict_column(labels, card)


def disagrees(result: FilmResult, labels: Labels, card: ModelCard) -> bool:
    """True where a film was judged and has a label, and they are not the same."""
    label = labels.of(result.relative_path, result.frame)
    return result.prediction is not None and agrees(result.prediction, label, card) is False


def _label_column(labels: Labels) -> Column:
    def text(result: FilmResult) -> str:
        return labels.of(result.relative_path, result.frame).replace("|", ", ")

    return Column("Label", text, text, 120)


def _verdict_column(labels: Labels, card: ModelCard) -> Column:
    def text(result: FilmResult) -> str:
        label, said = labels.of(result.relative_path, result.frame), result.prediction
        return _VERDICTS[agrees(said, label, card) if said else None]

    return Column("Agrees", text, text, 72)


def comparison_text(said: Comparison) -> str:
    """How far model and labels agree, in one line; nothing is said of what was not compared."""
    words = [f"Labels: {said.compared:,} of {said.judged:,} judged films compared"]
    if said.agreement is not None:
        words.append(f"agree {_with_interval(said.agreement, '.1%')}")
    words += [f"AUC {name} {_with_interval(auc, '.3f')}" for name, auc in said.aucs.items()]
    if said.unknown:
        listed = ", ".join(f"{label} ({n:,})" for label, n in list(said.unknown.items())[:3])
        words.append(f"labels that are no finding of the model: {listed}")
    return "   ".join(words)


def _with_interval(figure: Estimate, form: str) -> str:
    if isnan(figure.low):
        return f"{figure.value:{form}}"
    return f"{figure.value:{form}} [{figure.low:{form}}, {figure.high:{form}}]"
