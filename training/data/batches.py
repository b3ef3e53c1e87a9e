"""Batches that depend only on (seed, epoch, step), not on what was loaded before."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.config import AugmentConfig
from training.data import appearance, augment, placement, surroundings
from xrayview.domain.sentences import counted
from xrayview.errors import UsageError
from xrayview.preprocessing.pipeline import Preprocessor

ParallelMap = Callable[..., Iterable[Any]]
_ORDER, _AUGMENT, _SURROUNDINGS, _APPEARANCE, _PLACEMENT = range(5)
"""Numbers of the random generators, one for each kind of draw."""


@dataclass(frozen=True, eq=False)
class FilmSet:
    """Films of one split in memory-mapped grey, with targets and names."""

    greys_NHW: npt.NDArray[np.float32]
    indices: npt.NDArray[np.int64]
    """Indices of the split's films in `greys_NHW`."""
    targets_NK: npt.NDArray[np.float32]
    """One row per film of the split."""
    names: tuple[str, ...]
    features_ND: npt.NDArray[np.float32] | None = None
    """Averaged features of a frozen backbone, one row per film of the split; batches contain these
    instead of films."""
    lungs_NHW: npt.NDArray[np.uint8] | None = None
    """1 in the lungs, in the order of `greys_NHW`; all 0 for a film without a mask."""

    def __len__(self) -> int:
        return len(self.indices)

    def subset(self, chosen: npt.NDArray[np.int64]) -> FilmSet:
        """Return only these films, given by their index in the set."""
        features_ND = None if self.features_ND is None else self.features_ND[chosen]
        names = tuple(self.names[i] for i in chosen)
        return dataclasses.replace(
            self,
            indices=self.indices[chosen],
            targets_NK=self.targets_NK[chosen],
            names=names,
            features_ND=features_ND,
        )


@dataclass(frozen=True, eq=False)
class Batch:
    """Model inputs, targets and the films' names."""

    x_BCHW: Tensor
    y_BK: Tensor
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Draws:
    """The random draws of a batch."""

    augment: augment.Draws
    appearance: appearance.AppearanceDraws | None
    surroundings: surroundings.SurroundingsDraws | None

    def part(self, films: slice) -> _Draws:
        """Return the draws of some of the films."""
        return _Draws(
            _part(self.augment, films),
            _part(self.appearance, films),
            _part(self.surroundings, films),
        )


def _part(draws: Any, films: slice) -> Any:
    if draws is None:
        return None
    per_film = {field.name: getattr(draws, field.name) for field in dataclasses.fields(draws)}
    return type(draws)(
        **{name: None if value is None else value[films] for name, value in per_film.items()}
    )


def steps_per_epoch(films: int, size: int) -> int:
    """Return the number of whole batches; `size` is that of all processes together.

    Raises:
        UsageError: there are fewer films than one batch.
    """
    if films < size:
        raise UsageError(
            f"{counted(films, 'training film')} for a batch of {size}",
            why="there must be enough for one batch",
            hint=f"Add films, or use smaller batches: --set optim.batch={max(2, films)}.",
        )
    return films // size


class TrainingBatches:
    """Shuffled, augmented batches for one of `world` processes.

    Raises:
        UsageError: there are fewer films than one batch of all processes.
    """

    def __init__(
        self,
        films: FilmSet,
        preprocessor: Preprocessor,
        config: AugmentConfig,
        size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        sampling: Literal["films", "classes"] = "films",
    ) -> None:
        self.films, self.preprocessor, self.config = films, preprocessor, config
        self.size, self.seed, self.rank, self.world = size, seed, rank, world
        self.steps = steps_per_epoch(len(films), size * world)
        self._probabilities_N = None
        if sampling == "classes":
            self._probabilities_N = class_probabilities(films.targets_NK)
        self._donors = appearance.AppearanceDonors(films.greys_NHW, films.indices)
        self._boxes_N4 = None
        if config.placement and films.lungs_NHW is not None:
            self._boxes_N4 = placement.lung_boxes(films.lungs_NHW)

    def batch(
        self, epoch: int, step: int, parallel_map: ParallelMap = map, parts: int = 1
    ) -> Batch:
        """Prepare the batch of a step, counted from 0; an epoch's incomplete batch is dropped.

        `parallel_map` is `map` or that of a pool; it is called with `parts` parts of the batch.
        """
        order = self._order(epoch)
        start = (step * self.world + self.rank) * self.size
        # Read in disk order; only the composition of the batch is random.
        chosen = np.sort(order[start : start + self.size])
        if self.films.features_ND is not None or self.config.is_identity:
            return _unaugmented(self.films, chosen, self.preprocessor)
        draws = self._draw(chosen, (epoch, step))
        bounds = np.linspace(0, len(chosen), parts + 1).astype(int).tolist()
        slices = [slice(*ends) for ends in pairwise(bounds)]
        inputs = parallel_map(lambda part: self._inputs(chosen[part], draws.part(part)), slices)
        return _batch(self.films, chosen, np.stack([x_CHW for part in inputs for x_CHW in part]))

    def _draw(self, chosen: npt.NDArray[np.int64], at: tuple[int, int]) -> _Draws:
        """Draw for the batch; each kind of draw has its own generator."""
        films, config, count = self.films, self.config, len(chosen)

        def generator(kind: int) -> np.random.Generator:
            return np.random.default_rng([self.seed, kind, *at, self.rank])

        height, width = films.greys_NHW.shape[1:]
        moves = augment.draw(config, count, (height, width), generator(_AUGMENT))
        if self._boxes_N4 is not None:
            placed = placement.draw(config.placement, count, len(films), generator(_PLACEMENT))
            own_B4, donor_B4 = (self._boxes_N4[films.indices[n]] for n in (chosen, placed.donors_B))
            affine_B23 = placement.move_lungs(moves.affine_B23, own_B4, donor_B4, placed)
            moves = dataclasses.replace(moves, affine_B23=affine_B23)
        transferred = replaced = None
        if config.tone or config.sharpness:
            transferred = appearance.draw(
                config.tone, config.sharpness, count, len(films), generator(_APPEARANCE)
            )
        if config.surroundings and films.lungs_NHW is not None:
            replaced = surroundings.draw(
                config.surroundings, count, len(films), generator(_SURROUNDINGS)
            )
        return _Draws(moves, transferred, replaced)

    def _inputs(
        self, chosen: npt.NDArray[np.int64], draws: _Draws
    ) -> list[npt.NDArray[np.float32]]:
        """Return the augmented model inputs of these films."""
        # Film by film: a batch at each stage would touch new pages of memory every time.
        indices = self.films.indices[chosen]
        return [self._input(index, draws.part(slice(n, n + 1))) for n, index in enumerate(indices)]

    def _input(self, index: np.int64, draws: _Draws) -> npt.NDArray[np.float32]:
        films = self.films
        greys_1HW = np.array(films.greys_NHW[index])[None]
        if draws.appearance is not None:
            self._donors.transfer(greys_1HW, draws.appearance)
        if draws.surroundings is not None and films.lungs_NHW is not None:
            donors_1HW = films.greys_NHW[films.indices[draws.surroundings.donors_B]]
            lungs_1HW = films.lungs_NHW[index][None]
            greys_1HW = surroundings.replace_surroundings(
                greys_1HW, lungs_1HW, donors_1HW, draws.surroundings
            )
        (moved_HW,) = augment.apply(greys_1HW, draws.augment)
        return self.preprocessor.finish(moved_HW)

    def _order(self, epoch: int) -> npt.NDArray[np.int64]:
        rng = np.random.default_rng([self.seed, _ORDER, epoch])
        if self._probabilities_N is None:
            return rng.permutation(len(self.films))
        return rng.choice(len(self.films), size=len(self.films), p=self._probabilities_N)


def class_probabilities(targets_NK: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return each film's probability such that every combination of targets is equally likely."""
    _, class_N, counts = np.unique(
        np.nan_to_num(targets_NK, nan=-1.0), axis=0, return_inverse=True, return_counts=True
    )
    probabilities_N: npt.NDArray[np.float64] = 1.0 / (len(counts) * counts[class_N.ravel()])
    return probabilities_N


def evaluation_batches(films: FilmSet, preprocessor: Preprocessor, size: int) -> Iterator[Batch]:
    """Yield every film once, in order, as the app would see it."""
    for start in range(0, len(films), size):
        chosen = np.arange(start, min(start + size, len(films)))
        yield _unaugmented(films, chosen, preprocessor)


def _unaugmented(
    films: FilmSet, chosen: npt.NDArray[np.int64], preprocessor: Preprocessor
) -> Batch:
    if films.features_ND is None:
        greys_BHW = films.greys_NHW[films.indices[chosen]]
        return _batch(films, chosen, np.stack([preprocessor.finish(g_HW) for g_HW in greys_BHW]))
    # `forward_head` takes a map of one cell.
    return _batch(films, chosen, films.features_ND[chosen][:, :, None, None])


def _batch(films: FilmSet, chosen: npt.NDArray[np.int64], x_BCHW: npt.NDArray[np.float32]) -> Batch:
    return Batch(
        torch.from_numpy(x_BCHW),
        torch.from_numpy(films.targets_NK[chosen]),
        tuple(films.names[i] for i in chosen),
    )
