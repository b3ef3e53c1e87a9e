"""How sure a model was, when right and when wrong, as lines and as plain data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from training.evaluation.metrics import Places, Scores, Truth
from xrayview.evaluation.confidence import Confidence, confidence


def of_finding(truth_N: Truth, scores_N: Scores) -> Confidence:
    """A film is called by the likelier of presence and absence: at 0.5, wherever the operating
    point lies.
    """
    called_N = scores_N >= 0.5
    return confidence(called_N == truth_N, np.maximum(scores_N, 1 - scores_N))


def of_classes(true_N: Places, predicted_N: Places, scores_NF: Scores) -> Confidence:
    """A film is called by its highest score."""
    return confidence(true_N == predicted_N, scores_NF.max(axis=1))


def lines(found: Confidence) -> list[str]:
    """The means, then the accuracy of each share."""
    head = f"mean confidence {_words(found.when_right)} when right, {_words(found.when_wrong)}"
    return [f"{head} when wrong"] + [
        f"surest {surest.share:4.0%} of films   accuracy {surest.accuracy:.3f}   "
        f"confidence >= {surest.least_confidence:.3f}  {surest.n:5d}"
        for surest in found.surest
    ]


def _words(mean: float) -> str:
    return "none" if math.isnan(mean) else f"{mean:.3f}"


def as_json(found: Confidence) -> dict[str, Any]:
    """JSON has no NaN: a mean over no film is null."""
    means = {"when_right": found.when_right, "when_wrong": found.when_wrong}
    return {
        **{name: None if math.isnan(mean) else mean for name, mean in means.items()},
        "surest": [
            {"share": s.share, "films": s.n, "accuracy": s.accuracy,
             "least_confidence": s.least_confidence}
            for s in found.surest
        ],
    }  # fmt: skip
