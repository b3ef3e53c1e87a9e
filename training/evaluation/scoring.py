"""Films scored by a bundle with the app's own reader, preprocessing and classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.data.cache import open_film, pixels_sha256
from training.data.manifest import FilmRow, Omission, reasons
from xrayview.domain.finding_names import normalise
from xrayview.domain.model import ModelCard, Prediction
from xrayview.errors import NothingUsable, UnreadableFilm
from xrayview.inference.calibration import calibrated_scores
from xrayview.inference.classifier import classify, predict
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import Preprocessor

Truth = npt.NDArray[np.bool_]

COPY = "COPY"
"""Code of a film that is left out because another has the same pixels and labels."""
_CHUNK_FILMS = 64
"""Films in memory at a time."""


@dataclass(frozen=True, eq=False)
class ScoredFilms:
    """Scored films with their predictions, and the films that could not be read."""

    rows: tuple[FilmRow, ...]
    predictions: tuple[Prediction, ...]
    omitted: tuple[Omission, ...]

    @property
    def copies(self) -> int:
        """Number of films that repeat the pixels and labels of another film."""
        return sum(omission.code == COPY for omission in self.omitted)

    @property
    def unread(self) -> int:
        """Number of films that could not be read."""
        return len(self.omitted) - self.copies

    def count_text(self) -> str:
        """Return the number of films, with and without copies: published tables count both."""
        n = len(self.rows)
        if not self.copies:
            return f"{n} films"
        return f"{n} films, each once ({n + self.copies} with {self.copies} that repeat another)"

    @property
    def logits_NF(self) -> npt.NDArray[np.float64]:
        """Uncalibrated logits, one column for each finding of the card."""
        return np.array([prediction.logits for prediction in self.predictions])

    def logits_N(self, index: int) -> npt.NDArray[np.float64]:
        """Uncalibrated logits of the finding at this index of the card; there may be no films."""
        return np.array([prediction.logits[index] for prediction in self.predictions], np.float64)

    def subset(self, chosen_N: npt.NDArray[np.bool_]) -> ScoredFilms:
        """Return only these films."""
        indices = np.flatnonzero(chosen_N)
        rows = tuple(self.rows[i] for i in indices)
        return ScoredFilms(rows, tuple(self.predictions[i] for i in indices), self.omitted)

    def with_card(self, card: ModelCard, runtime: Runtime) -> ScoredFilms:
        """Return the same logits with another card's calibration and operating points.

        `runtime` is the same network in the bundle with this card.
        """
        predictions = (
            predict(runtime, card, prediction.film_id, np.array(prediction.logits))
            for prediction in self.predictions
        )
        return replace(self, predictions=tuple(predictions))

    def scores_N(self, card: ModelCard, finding: str) -> npt.NDArray[np.float64]:
        """Return a finding's scores with this card's calibration."""
        index = [f.name for f in card.findings].index(finding)
        return self.scores_NF(card)[:, index]

    def scores_NF(self, card: ModelCard) -> npt.NDArray[np.float64]:
        """Return all findings' scores with this card's calibration."""
        if not self.predictions:
            return np.zeros((0, len(card.findings)))
        return np.asarray(calibrated_scores(self.logits_NF, card))


def score_films(
    runtime: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path
) -> ScoredFilms:
    """Score the films; files that cannot be read are listed as omitted.

    The rows get their hashes. Films with the same pixels and labels count once, so that copies
    cannot narrow an interval; further ones are omitted as COPY.

    Raises:
        NothingUsable: no film could be read.
        ModelError: the network failed.
    """
    preprocessor = Preprocessor(card.preprocessing)
    scored: list[FilmRow] = []
    predictions: list[Prediction] = []
    omitted: list[Omission] = []
    seen: dict[tuple[str, frozenset[str], frozenset[str]], str] = {}
    for chunk in _chunks(rows):
        inputs = []
        for row in chunk:
            try:
                radiograph = open_film(folder / row.path, folder)
                hashes = radiograph.sha256, pixels_sha256(radiograph)
                labels, unknown = (
                    frozenset(map(normalise, names)) for names in (row.labels, row.unknown_labels)
                )
                first = seen.setdefault((hashes[1], labels, unknown), row.path)
                if first != row.path:
                    omitted.append(Omission(row.path, COPY, f"the same pixels as {first}"))
                    continue
                inputs.append(preprocessor(radiograph))
                scored.append(replace(row, sha256=hashes[0], pixels_sha256=hashes[1]))
            except UnreadableFilm as error:
                omitted.append(Omission(row.path, str(error.code), str(error)))
        if inputs:
            predictions += classify(runtime, card, inputs)
    if not scored:
        raise NothingUsable("No film could be scored", why=reasons(omitted) or "none")
    return ScoredFilms(tuple(scored), tuple(predictions), tuple(omitted))


def _chunks(rows: Sequence[FilmRow]) -> Iterator[Sequence[FilmRow]]:
    for start in range(0, len(rows), _CHUNK_FILMS):
        yield rows[start : start + _CHUNK_FILMS]
