"""A model's confidence when right and when wrong, as text and as plain data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from training.evaluation.metrics import ClassIndices, Scores, Truth
from xrayview.evaluation.confidence import Confidence, confidence


def finding_confidence(truth_N: Truth, scores_N: Scores) -> Confidence:
    """Return the confidence in the likelier of presence and absence.

    The decision is taken at 0.5, wherever the operating point is.
    """
    called_N = scores_N >= 0.5
    return confidence(called_N == truth_N, np.maximum(scores_N, 1 - scores_N))


def class_confidence(
    true_N: ClassIndices, predicted_N: ClassIndices, scores_NF: Scores
) -> Confidence:
    """Return the confidence in the class with the highest score."""
    return confidence(true_N == predicted_N, scores_NF.max(axis=1))


def as_lines(found: Confidence) -> list[str]:
    """Format the means, then the accuracy of each share of films."""
    right, wrong = (_format(mean) for mean in (found.when_right, found.when_wrong))
    return [f"mean confidence {right} when right, {wrong} when wrong"] + [
        f"most confident {part.share:4.0%} of films   accuracy {part.accuracy:.3f}   "
        f"confidence >= {part.least_confidence:.3f}  {part.n:5d}"
        for part in found.shares
    ]


def _format(mean: float) -> str:
    return "none" if math.isnan(mean) else f"{mean:.3f}"


def as_json(found: Confidence) -> dict[str, Any]:
    """Convert to plain data; JSON has no NaN, so a mean over no film is null."""
    means = {"when_right": found.when_right, "when_wrong": found.when_wrong}
    return {
        **{name: None if math.isnan(mean) else mean for name, mean in means.items()},
        "surest": [
            {"share": s.share, "films": s.n, "accuracy": s.accuracy,
             "least_confidence": s.least_confidence}
            for s in found.shares
        ],
    }  # fmt: skip
