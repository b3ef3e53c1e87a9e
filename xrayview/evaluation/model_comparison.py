"""Two models on the same films: difference of AUC, agreement of their calls, exact test."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import nan

from xrayview.evaluation.comparison import McNemar, mcnemar
from xrayview.evaluation.intervals import (
    Estimate,
    Indices,
    clustered_bootstrap,
    paired_delong,
)
from xrayview.evaluation.metrics import auc, validated
from xrayview.evaluation.reader_agreement import cohen_kappa


@dataclass(frozen=True)
class ModelComparison:
    """The first model against the second."""

    n: int
    positives: int
    first_auc: float
    second_auc: float
    difference: Estimate
    """Of the AUCs, the first minus the second."""
    p_value: float
    """Of DeLong's paired test; NaN where films share patients, which the test ignores."""
    kappa: Estimate
    """Cohen's kappa of the two models' calls."""
    calls: McNemar
    """Films that only one of the models gets right."""


def compare_models(
    truth_N: Sequence[bool],
    first_N: Sequence[float],
    second_N: Sequence[float],
    thresholds: tuple[float, float],
    patients_N: Sequence[Hashable],
    *,
    draws: int = 2000,
) -> ModelComparison:
    """Compare two models' scores of the same films.

    Args:
        truth_N: whether each film has the finding.
        first_N: the first model's scores.
        second_N: the second's.
        thresholds: their operating points; positive means score >= threshold.
        patients_N: the patient of each film. Where all differ, the interval is DeLong's, else from
            a bootstrap over patients.
        draws: number of bootstrap samples.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, first = validated(truth_N, first_N)
    _, second = validated(truth_N, second_N)
    paired = paired_delong(truth, first, second)
    difference, p_value = paired.difference, paired.p_value
    if len(set(patients_N)) < len(patients_N):

        def gap(i: Indices) -> float:
            return auc(truth[i], first[i]) - auc(truth[i], second[i])

        difference, p_value = clustered_bootstrap(gap, patients_N, draws=draws), nan
    calls = first >= thresholds[0], second >= thresholds[1]
    return ModelComparison(
        truth.size,
        int(truth.sum()),
        paired.first,
        paired.second,
        difference,
        p_value,
        cohen_kappa(*calls, categories=(0, 1), clusters_N=patients_N),
        mcnemar(truth, *calls),
    )
