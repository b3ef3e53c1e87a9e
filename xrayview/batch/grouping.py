"""How many films go to the model at once, and which of them it has scored already."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import replace

from xrayview.domain.model import ModelInput, Prediction

LEAST_FILMS, MOST_FILMS = 8, 64
GROUP_S = 0.25
"""Time that a group should take: much longer than the milliseconds between two groups, and short
enough for progress and for pausing."""
REMEMBERED = 10_000
"""Films whose prediction is remembered; a copy usually lies near its original."""


class GroupSize:
    """The number of films of the next group, by the measured rate of the model."""

    def __init__(self) -> None:
        self.films = LEAST_FILMS
        self._free_s = time.monotonic()

    def measure(self, films: int, submitted_s: float) -> None:
        """Learn from a group that has just ended.

        Args:
            films: how many films the model took through the network.
            submitted_s: when the group was handed over, by `time.monotonic`.
        """
        now_s = time.monotonic()
        seconds = now_s - max(submitted_s, self._free_s)
        self._free_s = now_s
        if films:
            rate = films / max(seconds, 1e-3)
            self.films = min(max(round(rate * GROUP_S), LEAST_FILMS), MOST_FILMS)


class ScoredInputs:
    """The predictions of the last films by the hash of what the network saw."""

    def __init__(self) -> None:
        self._predictions: OrderedDict[str, Prediction] = OrderedDict()

    def add(self, digest: str, prediction: Prediction) -> None:
        """Remember a prediction."""
        self._predictions[digest] = prediction
        self._predictions.move_to_end(digest)
        if len(self._predictions) > REMEMBERED:
            self._predictions.popitem(last=False)

    def find(self, digest: str, model_input: ModelInput) -> Prediction | None:
        """The prediction of this input, if an equal one was scored."""
        found = self._predictions.get(digest)
        return found and replace(found, film_id=model_input.film_id)
