"""Films judged by a bundle through the app's own reader, preprocessing and classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data.cache import open_film
from training.data.manifest import FilmRow, Omission
from xrayview.domain.model import ModelCard, Prediction
from xrayview.errors import NothingUsable, UnreadableFilm
from xrayview.inference.calibration import calibrated_scores
from xrayview.inference.classifier import classify, predict
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

Truth = npt.NDArray[np.bool_]

_CHUNK_FILMS = 64
"""Held in memory at a time."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Films that were judged, their predictions in order, and the films that were not."""

    rows: tuple[FilmRow, ...]
    predictions: tuple[Prediction, ...]
    omitted: tuple[Omission, ...]

    @property
    def logits_NF(self) -> npt.NDArray[np.float64]:
        """Uncalibrated, one column for each finding of the card."""
        return np.array([prediction.logits for prediction in self.predictions])

    def only(self, chosen_N: npt.NDArray[np.bool_]) -> Scored:
        """These films alone."""
        places = np.flatnonzero(chosen_N)
        rows = tuple(self.rows[i] for i in places)
        return Scored(rows, tuple(self.predictions[i] for i in places), self.omitted)

    def under(self, card: ModelCard, runtime: Runtime) -> Scored:
        """The same logits with another card's calibration and operating points.

        `runtime` is the same network in the bundle that carries this card.
        """
        found = (
            predict(runtime, card, prediction.film_id, np.array(prediction.logits))
            for prediction in self.predictions
        )
        return replace(self, predictions=tuple(found))

    def scores_N(self, card: ModelCard, finding: str) -> npt.NDArray[np.float64]:
        """A finding's scores under this card's calibration."""
        place = [f.name for f in card.findings].index(finding)
        return self.scores_NF(card)[:, place]

    def scores_NF(self, card: ModelCard) -> npt.NDArray[np.float64]:
        """All findings' scores under this card's calibration."""
        return np.asarray(calibrated_scores(self.logits_NF, card))


def score_films(runtime: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path) -> Scored:
    """Judge the films; a file that cannot be read is listed, never scored.

    Raises:
        NothingUsable: no film could be read.
        ModelError: the network failed.
    """
    preprocessor = Preprocessor(card.preprocessing)
    kept: list[FilmRow] = []
    found: list[Prediction] = []
    omitted: list[Omission] = []
    for chunk in _chunks(rows):
        inputs = []
        for row in chunk:
            try:
                inputs.append(preprocessor(open_film(folder / row.path, folder)))
                kept.append(row)
            except UnreadableFilm as error:
                omitted.append(Omission(row.path, str(error.code), str(error)))
        found += classify(runtime, card, inputs)
    if not kept:
        raise NothingUsable("No film could be judged", why=omitted[0].why if omitted else "none")
    return Scored(tuple(kept), tuple(found), tuple(omitted))


def _chunks(rows: Sequence[FilmRow]) -> Iterator[Sequence[FilmRow]]:
    for start in range(0, len(rows), _CHUNK_FILMS):
        yield rows[start : start + _CHUNK_FILMS]
