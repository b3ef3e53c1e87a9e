"""The table of ways to tell a film unlike the training films, as training/README.md has it.

    python -m tests.bench.gate_table --data DATA [--model BUNDLE]

AUC of films of other kinds against the bundle's validation films. The bundle's own statistics are
`chosen`; the others are fitted to some of its training films here.
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
    "turned by 90 degrees": np.rot90,
    "turned by 180 degrees": lambda grey_HW: np.rot90(grey_HW, 2),
    "upside down": np.flipud,
    "middle 70 % only": _middle,
}
"""What is done to validation films; the network's input is square."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What each way sees of N films."""

    logit_N: Values
    pooled_NV: Values
    thumbnail_NV: Values
    chosen_NV: Values


class Eye:
    """The network and its preprocessing."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.model = find_model(model, None)
        self.folder = folder
        self.network = loading.load(model, self.model.card, "auto")
        statistics = read_statistics(model)
        if statistics is None:
            raise SystemExit(f"{model} has no statistics of its training films")
        self.statistics: TrainingStatistics = statistics
        self.preprocessor = Preprocessor(self.model.card.preprocessing)

    def look(self, rows: Sequence[FilmRow], change: Callable[[Grey], Grey] | None = None) -> Seen:
        """Every film, changed before it is normalised."""
        found = []
        for start in range(0, len(rows), _CHUNK):
            films = [self._input(row, change) for row in rows[start : start + _CHUNK]]
            found.append(self._chunk(np.stack(films)))
        return Seen(*(np.concatenate(part) for part in zip(*found, strict=True)))

    def _input(self, row: FilmRow, change: Callable[[Grey], Grey] | None) -> Grey:
        grey_HW = self.preprocessor.grey(open_film(self.folder / row.path, self.folder))
        if change is not None:
            grey_HW = np.ascontiguousarray(change(grey_HW))
        return self.preprocessor.finish(grey_HW)

    def _chunk(self, x_BCHW: Grey) -> tuple[Values, Values, Values, Values]:
        features_BDhw = self.network.features(x_BCHW)
        own = self.statistics
        pooled_BV = features_BDhw.mean(axis=(2, 3)).astype(np.float64)
        both_BV = feature_vectors(x_BCHW, features_BDhw, 1, own.thumbnail)
        return (
            np.abs(self.network.head(features_BDhw)).max(axis=1).astype(np.float64),
            pooled_BV,
            both_BV[:, pooled_BV.shape[1] :],
            feature_vectors(x_BCHW, features_BDhw, own.grid, own.thumbnail),
        )


def ways(eye: Eye, training: Seen) -> dict[str, Callable[[Seen], Values]]:
    """How unlike the training films, by each way: higher is less alike."""
    pooled, small = fit_statistics(training.pooled_NV, 1), fit_statistics(training.thumbnail_NV, 1)
    neighbours = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(_unit(training.pooled_NV))
    return {
        "maximum logit": lambda seen: -seen.logit_N,
        "pooled features": lambda seen: pooled.distances(seen.pooled_NV),
        "nearest neighbours": lambda seen: neighbours.kneighbors(_unit(seen.pooled_NV))[0][:, -1],
        "thumbnail": lambda seen: small.distances(seen.thumbnail_NV),
        "chosen": lambda seen: eye.statistics.distances(seen.chosen_NV),
    }


def _unit(vectors_NV: Values) -> Values:
    return vectors_NV / np.linalg.norm(vectors_NV, axis=1, keepdims=True)


def _some(rows: Sequence[FilmRow], count: int) -> list[FilmRow]:
    """The same ones every time."""
    indices = np.random.default_rng(0).permutation(len(rows))[:count]
    return [rows[place] for place in np.sort(indices)]


def table(eye: Eye) -> list[str]:
    """The lines of the table."""
    own, _ = select_rows(eye.model.config, eye.folder)
    of_split = {
        split: [row for row in own if row.split == split] for split in (TRAIN, VALIDATION, TEST)
    }
    everything = list_films(eye.folder, DataConfig(dataset="nih|tb")).rows
    kinds = {
        "official test films": (_some(of_split[TEST], 300), None),
        "NIH adults": (_some([row for row in everything if row.source == "nih"], 200), None),
        "TB collection, adults": (
            _some([row for row in everything if row.source == "tb"], 150),
            None,
        ),
    }
    changed = _some(of_split[VALIDATION], 150)
    kinds |= {name: (changed, change) for name, change in CHANGES.items()}
    near = eye.look(of_split[VALIDATION])
    by = ways(eye, eye.look(_some(of_split[TRAIN], TRAINING_FILMS)))
    lines = ["| films | " + " | ".join(by) + " | doubted or refused | refused |"]
    lines.append("|---" * (len(by) + 3) + "|")
    for name, (rows, change) in kinds.items():
        lines.append(_line(name, eye, by, near, eye.look(rows, change)))
    return lines


def _line(
    name: str, eye: Eye, by: dict[str, Callable[[Seen], Values]], near: Seen, far: Seen
) -> str:
    count = len(far.logit_N)
    truth = np.repeat([0, 1], [len(near.logit_N), count])
    aucs = [roc_auc_score(truth, np.concatenate([way(near), way(far)])) for way in by.values()]
    distances = by["chosen"](far)
    shares = [
        float((distances > limit).mean()) for limit in (eye.statistics.near, eye.statistics.far)
    ]
    cells = [f"{name} ({count})", *(f"{found:.3f}" for found in aucs)]
    cells += [f"{share:.0%}".replace("%", " %") for share in shares]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL)
    args = parser.parse_args()
    print("\n".join(table(Eye(args.model, args.data))))


if __name__ == "__main__":
    main()
