"""The one finding that stands for a film in lists, and the order of the others."""

from __future__ import annotations

from xrayview.domain.model import ModelCard, Prediction


def leading_index(prediction: Prediction, card: ModelCard | None) -> int:
    """The index of the finding with the highest score among the positive abnormal ones.

    Without a positive one it is the highest abnormal finding, and without an abnormal one the
    highest of all: nobody asks first where a film looks normal.
    """
    abnormal = {finding.name for finding in card.findings if finding.abnormal} if card else set()
    indices = [i for i, name in enumerate(prediction.findings) if name in abnormal]
    indices = indices or list(range(len(prediction.findings)))
    positive = [i for i in indices if prediction.flags[i]]
    return max(positive or indices, key=prediction.scores.__getitem__)


def predicted_names(prediction: Prediction, card: ModelCard | None) -> tuple[str, ...]:
    """The predicted findings by descending score, the leading one first."""
    names = [name for name in prediction.predicted.split("|") if name]
    scores = dict(zip(prediction.findings, prediction.scores, strict=True))
    leader = prediction.findings[leading_index(prediction, card)]
    return tuple(sorted(names, key=lambda name: (name != leader, -scores.get(name, 0.0))))
