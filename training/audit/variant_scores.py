"""Scores of films that were changed in several ways, computed in chunks to limit memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import ModelCard, ModelInput
from xrayview.inference.calibration import calibrated_scores
from xrayview.inference.classifier import classify
from xrayview.inference.runtime import Runtime

_CHUNK_FILMS = 16


@dataclass(frozen=True, eq=False)
class VariantScores:
    """Calibrated scores of films in one variant, with their indices in the rows."""

    indices: npt.NDArray[np.int64]
    scores_NF: npt.NDArray[np.float64]


class VariantScorer:
    """Collects model inputs of several variants and scores each variant in chunks."""

    def __init__(self, runtime: Runtime, card: ModelCard, variants: Iterable[str]) -> None:
        self._runtime, self._card = runtime, card
        self._pending: dict[str, list[ModelInput]] = {variant: [] for variant in variants}
        self._indices: dict[str, list[int]] = {variant: [] for variant in self._pending}
        self._logits: dict[str, list[tuple[float, ...]]] = {v: [] for v in self._pending}

    def add(self, variant: str, index: int, model_input: ModelInput) -> None:
        """Add a variant of the film at `index` of the rows.

        Raises:
            ModelError: the network failed.
        """
        self._indices[variant].append(index)
        self._pending[variant].append(model_input)
        if len(self._pending[variant]) == _CHUNK_FILMS:
            self._score_pending(variant)

    def scores(self) -> dict[str, VariantScores]:
        """Return the scores of all variants, in the order of `add`; possibly of no film.

        Raises:
            ModelError: the network failed.
        """
        for variant in self._pending:
            self._score_pending(variant)
        return {variant: self._scores(variant) for variant in self._pending}

    def _score_pending(self, variant: str) -> None:
        predictions = classify(self._runtime, self._card, self._pending[variant])
        self._logits[variant] += [prediction.logits for prediction in predictions]
        self._pending[variant].clear()

    def _scores(self, variant: str) -> VariantScores:
        logits_NF = np.reshape(self._logits[variant], (-1, len(self._card.findings)))
        indices = np.array(self._indices[variant], np.int64)
        return VariantScores(indices, calibrated_scores(logits_NF, self._card))
