"""A linear model without the lungs: the baseline that a network must exceed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from xrayview.domain.model import PreprocessSpec
from xrayview.evaluation.metrics import auc

Greys = npt.NDArray[np.float32]
Truth = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]

SIDE = 32
FRAME = 2
"""Width of the outer frame, of 32 pixels: on children's films 1.4 % of it is lung."""
THUMBNAIL = 8
SMALL = PreprocessSpec(size=(SIDE, SIDE), fit="stretch")
"""The same grid for every model, so that models of one data set share these AUCs."""

_INVERSE_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_DEFAULT_INVERSE_PENALTY = 1e-2


def outer_frame(greys_NHW: Greys) -> Greys:
    """Return the pixels of the outer frame, films x pixels."""
    inside = slice(FRAME, SIDE - FRAME)
    ring_HW = np.ones((SIDE, SIDE), dtype=np.bool_)
    ring_HW[inside, inside] = False
    return np.asarray(greys_NHW[:, ring_HW])


def thumbnail(greys_NHW: Greys) -> Greys:
    """Return 8 x 8 mean greys of each film, films x pixels."""
    step = SIDE // THUMBNAIL
    blocks = greys_NHW.reshape(-1, THUMBNAIL, step, THUMBNAIL, step)
    return np.asarray(blocks.mean(axis=(2, 4)).reshape(-1, THUMBNAIL * THUMBNAIL))


FEATURES: dict[str, Callable[[Greys], Greys]] = {"frame": outer_frame, "thumbnail": thumbnail}


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Features of films, and which of the films are positive."""

    features_NP: Greys
    truth_N: Truth

    @property
    def has_both(self) -> bool:
        """Whether there are positives and negatives."""
        return bool(self.truth_N.any() and not self.truth_N.all())


def linear_scores(
    train: LabelledFeatures, validation: LabelledFeatures | None, features_NP: Greys
) -> Scores | None:
    """Score films by logistic regression; None if the training films are of one class only.

    The strength of the penalty is chosen by AUC on validation, otherwise it has its default.
    """
    if not train.has_both:
        return None
    if validation is None or not validation.has_both:
        best = _fit(train, _DEFAULT_INVERSE_PENALTY)
    else:
        models = [_fit(train, inverse_penalty) for inverse_penalty in _INVERSE_PENALTIES]
        areas = [auc(validation.truth_N, m.decision_function(validation.features_NP))
                 for m in models]  # fmt: skip
        best = models[int(np.argmax(areas))]
    return np.asarray(best.decision_function(features_NP), dtype=np.float64)


def _fit(train: LabelledFeatures, inverse_penalty: float) -> LogisticRegression:
    model = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=inverse_penalty, class_weight="balanced", max_iter=2000),
    )
    return model.fit(train.features_NP, train.truth_N)
