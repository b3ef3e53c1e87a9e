"""A bundle judges films that were changed in several ways, some at a time: no split of films lies
in memory."""

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
class Judged:
    """Films judged in one way, by their places in the rows, and their calibrated scores."""

    places: npt.NDArray[np.int64]
    scores_NF: npt.NDArray[np.float64]


class VariantScorer:
    """Takes inputs one by one and judges a chunk of each way together."""

    def __init__(self, runtime: Runtime, card: ModelCard, ways: Iterable[str]) -> None:
        self._runtime, self._card = runtime, card
        self._waiting: dict[str, list[ModelInput]] = {way: [] for way in ways}
        self._places: dict[str, list[int]] = {way: [] for way in self._waiting}
        self._logits: dict[str, list[tuple[float, ...]]] = {way: [] for way in self._waiting}

    def add(self, way: str, place: int, model_input: ModelInput) -> None:
        """One film of the rows in one way.

        Raises:
            ModelError: the network failed.
        """
        self._places[way].append(place)
        self._waiting[way].append(model_input)
        if len(self._waiting[way]) == _CHUNK_FILMS:
            self._judge(way)

    def judged(self) -> dict[str, Judged]:
        """All films, each way in the order of `add`; a way without films has none.

        Raises:
            ModelError: the network failed.
        """
        for way in self._waiting:
            self._judge(way)
        return {way: self._judged(way) for way in self._waiting}

    def _judge(self, way: str) -> None:
        films = classify(self._runtime, self._card, self._waiting[way])
        self._logits[way] += [film.logits for film in films]
        self._waiting[way].clear()

    def _judged(self, way: str) -> Judged:
        logits_NF = np.reshape(self._logits[way], (-1, len(self._card.findings)))
        return Judged(
            np.array(self._places[way], np.int64), calibrated_scores(logits_NF, self._card)
        )
