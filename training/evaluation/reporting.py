"""Metrics that guidelines ask for: calibration line, PPV and NPV at a prevalence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from training.evaluation.metrics import Scores, Truth
from xrayview.evaluation.calibration_line import CALIBRATION
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap
from xrayview.evaluation.model_study import predictive_value

_MAX_DRAWS = 500
"""Limit of bootstrap draws: each fits a line or counts at each prevalence."""


def estimate_calibration(
    truth_N: Truth, scores_N: Scores, patients_N: Sequence[str], draws: int
) -> dict[str, Estimate]:
    """Estimate calibration intercept and slope, with intervals over patients."""
    return {
        name: _estimate(metric, truth_N, scores_N, patients_N, draws)
        for name, metric in CALIBRATION.items()
    }


def estimate_predictive_values(
    truth_N: Truth,
    scores_N: Scores,
    patients_N: Sequence[str],
    threshold: float,
    prevalences: Sequence[float],
    draws: int,
) -> dict[tuple[str, float], Estimate]:
    """Estimate PPV and NPV at each prevalence, from sensitivity and specificity on these films.

    The keys are `PPV` or `NPV`, and the prevalence, 0..1.
    """
    return {
        (name, prevalence): _estimate(
            predictive_value(threshold, prevalence, positive=name == "PPV"),
            truth_N, scores_N, patients_N, draws,
        )
        for prevalence in prevalences
        for name in ("PPV", "NPV")
    }  # fmt: skip


def _estimate(
    metric: Callable[[Truth, Scores], float],
    truth_N: Truth,
    scores_N: Scores,
    patients_N: Sequence[str],
    draws: int,
) -> Estimate:
    def of_films(indices: Indices) -> float:
        return metric(truth_N[indices], scores_N[indices])

    return clustered_bootstrap(of_films, patients_N, draws=min(draws, _MAX_DRAWS))
