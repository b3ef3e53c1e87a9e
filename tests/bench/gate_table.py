"""Compare methods that recognise films unlike the training films (docs/training-history.md).

    python -m tests.bench.gate_table --data DATA [--model BUNDLE]

Prints the AUC of films of other kinds against the bundle's validation films. `chosen` are the
bundle's own statistics; the other methods are fitted to some of its training films.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from training.bundle.gate_statistics import fit_statistics
from training.config import DataConfig
from training.data.cache import open_film
from training.data.films import select_rows
from training.data.manifest import FilmRow
from training.data.readers import list_films
from training.data.splits import TEST, TRAIN, VALIDATION
from training.evaluation.evaluate import find_model
from xrayview.inference import loading
from xrayview.inference.gate_file import read_statistics
from xrayview.inference.ood_score import TrainingStatistics, feature_vectors
from xrayview.preprocessing.pipeline import Preprocessor

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "resources" / "models" / "paediatric-pneumonia.pt"
TRAINING_FILMS = 1600
NEIGHBOURS = 5
_CHUNK = 32

Grey = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]


def _middle(grey_HW: Grey) -> Grey:
    rows, columns = grey_HW.shape
    top, left = round(0.15 * rows), round(0.15 * columns)
    middle_HW = grey_HW[top : rows - top, left : columns - left]
    return np.asarray(cv2.resize(middle_HW, (columns, rows)), np.float32)


CHANGES: dict[str, Callable[[Grey], Grey]] = {
    "inverted": lambda grey_HW: 1 - grey_HW,
    "rotated by 90 degrees": np.rot90,
    "rotated by 180 degrees": lambda grey_HW: np.rot90(grey_HW, 2),
    "upside down": np.flipud,
    "middle 70 % only": _middle,
}
"""Changes of validation films; the network's input is square."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """The values that each method uses, for N films."""

    logit_N: Values
    averaged_NV: Values
    thumbnail_NV: Values
    chosen_NV: Values


class Encoder:
    """A bundle's network with its preprocessing."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.model = find_model(model, None)
        self.folder = folder
        self.network = loading.load(model, self.model.card, "auto")
        statistics = read_statistics(model)
        if statistics is None:
            raise SystemExit(f"{model} has no statistics of its training films")
        self.statistics: TrainingStatistics = statistics
        self.preprocessor = Preprocessor(self.model.card.preprocessing)

    def encode(
        self, rows: Sequence[FilmRow], change: Callable[[Grey], Grey] | None = None
    ) -> Encoded:
        """Encode every film, changed before it is normalised."""
        chunks = []
        for start in range(0, len(rows), _CHUNK):
            films = [self._input(row, change) for row in rows[start : start + _CHUNK]]
            chunks.append(self._chunk(np.stack(films)))
        return Encoded(*(np.concatenate(part) for part in zip(*chunks, strict=True)))

    def _input(self, row: FilmRow, change: Callable[[Grey], Grey] | None) -> Grey:
        grey_HW = self.preprocessor.grey(open_film(self.folder / row.path, self.folder))
        if change is not None:
            grey_HW = np.ascontiguousarray(change(grey_HW))
        return self.preprocessor.finish(grey_HW)

    def _chunk(self, x_BCHW: Grey) -> tuple[Values, Values, Values, Values]:
        features_BDhw = self.network.features(x_BCHW)
        statistics = self.statistics
        averaged_BV = features_BDhw.mean(axis=(2, 3)).astype(np.float64)
        both_BV = feature_vectors(x_BCHW, features_BDhw, 1, statistics.thumbnail)
        return (
            np.abs(self.network.head(features_BDhw)).max(axis=1).astype(np.float64),
            averaged_BV,
            both_BV[:, averaged_BV.shape[1] :],
            feature_vectors(x_BCHW, features_BDhw, statistics.grid, statistics.thumbnail),
        )


def methods(encoder: Encoder, training: Encoded) -> dict[str, Callable[[Encoded], Values]]:
    """Return the methods: name -> function to distances from the training films."""
    averaged = fit_statistics(training.averaged_NV, 1)
    thumbnail = fit_statistics(training.thumbnail_NV, 1)
    neighbours = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(_unit(training.averaged_NV))
    return {
        "maximum logit": lambda encoded: -encoded.logit_N,
        "averaged features": lambda encoded: averaged.distances(encoded.averaged_NV),
        "nearest neighbours": lambda encoded: neighbours.kneighbors(_unit(encoded.averaged_NV))[0][
            :, -1
        ],
        "thumbnail": lambda encoded: thumbnail.distances(encoded.thumbnail_NV),
        "chosen": lambda encoded: encoder.statistics.distances(encoded.chosen_NV),
    }


def _unit(vectors_NV: Values) -> Values:
    return vectors_NV / np.linalg.norm(vectors_NV, axis=1, keepdims=True)


def _sample(rows: Sequence[FilmRow], count: int) -> list[FilmRow]:
    """Draw a sample, the same one every time."""
    indices = np.random.default_rng(0).permutation(len(rows))[:count]
    return [rows[i] for i in np.sort(indices)]


def table(encoder: Encoder) -> list[str]:
    """Return the lines of the table."""
    own_rows, _ = select_rows(encoder.model.config, encoder.folder)
    of_split = {
        split: [row for row in own_rows if row.split == split]
        for split in (TRAIN, VALIDATION, TEST)
    }
    everything = list_films(encoder.folder, DataConfig(dataset="nih|tb")).rows
    kinds = {
        "official test films": (_sample(of_split[TEST], 300), None),
        "NIH adults": (_sample([row for row in everything if row.source == "nih"], 200), None),
        "TB collection, adults": (
            _sample([row for row in everything if row.source == "tb"], 150),
            None,
        ),
    }
    changed = _sample(of_split[VALIDATION], 150)
    kinds |= {name: (changed, change) for name, change in CHANGES.items()}
    validation = encoder.encode(of_split[VALIDATION])
    by_name = methods(encoder, encoder.encode(_sample(of_split[TRAIN], TRAINING_FILMS)))
    lines = ["| films | " + " | ".join(by_name) + " | caution or out of scope | out of scope |"]
    lines.append("|---" * (len(by_name) + 3) + "|")
    for name, (rows, change) in kinds.items():
        lines.append(_row(name, encoder, by_name, validation, encoder.encode(rows, change)))
    return lines


def _row(
    name: str,
    encoder: Encoder,
    by_name: dict[str, Callable[[Encoded], Values]],
    validation: Encoded,
    others: Encoded,
) -> str:
    count = len(others.logit_N)
    truth = np.repeat([0, 1], [len(validation.logit_N), count])
    aucs = [
        roc_auc_score(truth, np.concatenate([method(validation), method(others)]))
        for method in by_name.values()
    ]
    distances = by_name["chosen"](others)
    limits = (encoder.statistics.near, encoder.statistics.far)
    shares = [float((distances > limit).mean()) for limit in limits]
    cells = [f"{name} ({count})", *(f"{value:.3f}" for value in aucs)]
    cells += [f"{share:.0%}".replace("%", " %") for share in shares]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL)
    args = parser.parse_args()
    print("\n".join(table(Encoder(args.model, args.data))))


if __name__ == "__main__":
    main()
