"""Tables of the gate: which films are not in a bundle's scope, by their pixels only.

    python -m tests.bench.gate_table --data DATA [--model BUNDLE ...]
    python -m tests.bench.gate_table --data DATA --choose
    python -m tests.bench.gate_table --data DATA --methods

The first prints the shares of films in caution and out of scope at the bundle's limits. `--choose`
prints the shares at several percentiles of the validation films, for the films by which the caution
limit is chosen. `--methods` compares methods that recognise films unlike the training films: their
AUC against the validation films. `chosen` are the bundle's own statistics; the other methods are
fitted to some of its training films.

Half A of a collection chooses and half B reports; a patient is in one half only. The films that are
not of a chest are pydicom's test files. docs/training-history.md has the tables.
"""

from __future__ import annotations

import argparse
import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.data import get_testdata_files
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from training.bundle.gate_statistics import CAUTION_PERCENTILE, fit_statistics
from training.config import DataConfig
from training.data.cache import open_film
from training.data.films import select_rows
from training.data.manifest import FilmRow
from training.data.readers import list_films
from training.data.splits import TEST, TRAIN, VALIDATION
from training.evaluation.models import find_model
from xrayview.errors import UnreadableFilm
from xrayview.evaluation.intervals import Estimate, wilson
from xrayview.inference import loading
from xrayview.inference.gate_file import read_statistics
from xrayview.inference.ood_score import TrainingStatistics, feature_vectors
from xrayview.preprocessing.pipeline import Preprocessor

ROOT = Path(__file__).parents[2]
MODELS = tuple(
    ROOT / "resources" / "models" / f"{name}.pt"
    for name in ("paediatric-pneumonia", "paediatric-pneumonia-small")
)
PERCENTILES = (95.0, 95.5, 96.0, 96.5, 97.0, 97.5)
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
"""Changes of films; the network's input is square."""
WRONG = ("inverted", "rotated by 90 degrees", "rotated by 180 degrees", "upside down")
COLLECTIONS = {"nih": "NIH adults", "tb": "TB collection, adults"}
AIMS = {
    "NIH adults": 0.75,
    "TB collection, adults": 0.85,
    **dict.fromkeys(WRONG[:2], 1.0),
    **dict.fromkeys(WRONG[2:], 0.95),
}
"""Least share of films that are not in scope."""
MOST_CAUTIONS = 0.05
"""Of films like the training films; the percentile alone decides the share of validation films."""
MARGIN = 0.01
"""By which the films that choose do better than each aim, since others do worse."""
SMALLEST_PX = 32


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

    def distances(
        self, rows: Sequence[FilmRow], change: Callable[[Grey], Grey] | None = None
    ) -> Values:
        """The films' distances from the training films."""
        return self.statistics.distances(self.encode(rows, change).chosen_NV)

    def distances_of_files(self, paths: Sequence[Path]) -> Values:
        """The distances of files outside the data folder; unreadable ones are ignored."""
        distances = []
        for path in paths:
            try:
                x_CHW = self.preprocessor(open_film(path, path.parent)).x_CHW
            except UnreadableFilm:
                continue
            distances.append(self.statistics.distances(self._chunk(x_CHW[None])[3]))
        return np.concatenate(distances)

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


def not_chests() -> list[Path]:
    """pydicom's test files except for its chest film and pictures too small to show anything."""
    paths = (Path(str(name)) for name in sorted(get_testdata_files()))
    return [p for p in paths if p.is_file() and not p.name.startswith("RG1") and _is_picture(p)]


def _is_picture(path: Path) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = dcmread(path, stop_before_pixels=True, force=True)
    return min(header.get("Rows") or 0, header.get("Columns") or 0) >= SMALLEST_PX


@dataclass(frozen=True)
class Kind:
    """Films of one kind, their role, and their distances from the training films."""

    name: str
    role: str
    distances: Values

    def beyond(self, limit: float) -> Estimate:
        """The share of films beyond a limit, with its interval."""
        return wilson(int((self.distances > limit).sum()), self.distances.size)


def kinds_of(encoder: Encoder, *, reports: bool) -> Iterator[Kind]:
    """Films by kind: those that choose the caution limit, and with `reports` those that do not."""
    own, _ = select_rows(encoder.model.config, encoder.folder)
    validation = [row for row in own if row.split == VALIDATION]
    test = [row for row in own if row.split == TEST]
    everything = list_films(encoder.folder, DataConfig(dataset="nih|tb")).rows
    yield Kind("validation films", "chooses", encoder.distances(validation))
    if reports:
        yield Kind("official test films", "reports", encoder.distances(test))
    for source, name in COLLECTIONS.items():
        for half in "AB" if reports else "A":
            rows = [row for row in everything if row.source == source and half_of(row) == half]
            role = "chooses" if half == "A" else "reports"
            yield Kind(f"{name}, half {half}", role, encoder.distances(rows))
    for name in WRONG:
        yield Kind(f"{name}, validation", "chooses", encoder.distances(validation, CHANGES[name]))
        if reports:
            yield Kind(f"{name}, test", "reports", encoder.distances(test, CHANGES[name]))
    if reports:
        yield Kind("not a chest", "reports", encoder.distances_of_files(not_chests()))


def half_of(row: FilmRow) -> str:
    """`A` or `B` by a hash of the patient, or of the path where the data has no patients."""
    digest = hashlib.sha256((row.patient or row.path).encode()).digest()
    return "AB"[digest[-1] % 2]


def limits_table(encoder: Encoder) -> Iterator[str]:
    """The shares of films at the bundle's limits."""
    card, near, far = encoder.model.card, encoder.statistics.near, encoder.statistics.far
    yield f"{card.name} {card.version}: caution beyond {near:.4f}, out of scope beyond {far:.4f}"
    yield "| films | number | caution or out of scope (95 % interval) | out of scope |"
    yield "|---|---|---|---|"
    for kind in kinds_of(encoder, reports=True):
        share, refused = kind.beyond(near), kind.beyond(far)
        cells = (
            f"{kind.name} ({kind.role})",
            str(share.n),
            f"{_percent(share.value)} ({_percent(share.low)}-{_percent(share.high)})",
            _percent(refused.value),
        )
        yield f"| {' | '.join(cells)} |"


def choice_table(encoder: Encoder) -> Iterator[str]:
    """The shares on the films that choose, by percentile; marked where one misses its aim.

    A share meets its aim if it is better by the margin; where all films are needed, it is 100 %.
    """
    validation, *kinds = kinds_of(encoder, reports=False)
    yield f"{encoder.model.card.name}; {CAUTION_PERCENTILE:g} is in force"
    yield f"| percentile | limit | {' | '.join(kind.name for kind in kinds)} |"
    yield "|---" * (len(kinds) + 2) + "|"
    for percentile in PERCENTILES:
        limit = float(np.percentile(validation.distances, percentile))
        cautious = 100 - percentile > 100 * (MOST_CAUTIONS - MARGIN)
        cells = [f"{percentile:g}" + " missed" * cautious, f"{limit:.3f}"]
        for kind in kinds:
            share, aim = kind.beyond(limit).value, AIMS[kind.name.rpartition(", ")[0]]
            missed = share < min(1.0, aim + MARGIN)
            cells.append(_percent(share) + " missed" * missed)
        yield f"| {' | '.join(cells)} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def methods_table(encoder: Encoder) -> Iterator[str]:
    """The AUC of each method."""
    own_rows, _ = select_rows(encoder.model.config, encoder.folder)
    of_split = {
        split: [row for row in own_rows if row.split == split]
        for split in (TRAIN, VALIDATION, TEST)
    }
    everything = list_films(encoder.folder, DataConfig(dataset="nih|tb")).rows
    kinds: dict[str, tuple[list[FilmRow], Callable[[Grey], Grey] | None]] = {
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
    yield f"| films | {' | '.join(by_name)} |"
    yield "|---" * (len(by_name) + 1) + "|"
    for name, (rows, change) in kinds.items():
        yield _row(name, by_name, validation, encoder.encode(rows, change))


def _row(
    name: str,
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
    return f"| {name} ({count}) | {' | '.join(f'{value:.3f}' for value in aucs)} |"


def main() -> None:
    """Print a table for each bundle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, nargs="+", default=MODELS)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--choose", action="store_true")
    which.add_argument("--methods", action="store_true")
    args = parser.parse_args()
    table = choice_table if args.choose else methods_table if args.methods else limits_table
    for model in args.model:
        for line in table(Encoder(model, args.data)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
