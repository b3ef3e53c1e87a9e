"""Batches by number: the same (seed, epoch, step) gives the same batch, whatever came before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.config import AugmentConfig
from training.data import augment
from xrayview.errors import UsageError
from xrayview.preprocessing.pipeline import Preprocessor

_ORDER, _CHANCE = 0, 1


@dataclass(frozen=True, eq=False)
class FilmSet:
    """Films of one split in memory-mapped grey, with targets and names."""

    greys_NHW: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]
    """The split's films among `greys_NHW`."""
    targets_NK: npt.NDArray[np.float32]
    """One row per place."""
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, eq=False)
class Batch:
    """Model inputs, targets and the films' names."""

    x_BCHW: Tensor
    y_BK: Tensor
    names: tuple[str, ...]


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
        self.steps = len(films) // (size * world)
        if self.steps == 0:
            raise UsageError(
                f"{len(films)} training films are fewer than a batch of {size * world}",
                hint="Lower optim.batch or add films.",
            )
        self._chances_N = class_chances(films.targets_NK) if sampling == "classes" else None

    def batch(self, epoch: int, step: int) -> Batch:
        """The batch of a step, counted from 0; an epoch's last, incomplete batch is dropped."""
        order = self._order(epoch)
        start = (step * self.world + self.rank) * self.size
        chosen = order[start : start + self.size]
        rng = np.random.default_rng([self.seed, _CHANCE, epoch, step, self.rank])
        # Read in the order of the disk; only the batch's composition is random.
        chosen = np.sort(chosen)
        greys_BHW = torch.from_numpy(self.films.greys_NHW[self.films.places[chosen]])
        size = (greys_BHW.shape[1], greys_BHW.shape[2])
        greys_BHW = augment.apply(greys_BHW, augment.draw(self.config, self.size, size, rng))
        return _finished(self.films, chosen, greys_BHW.numpy(), self.preprocessor)

    def _order(self, epoch: int) -> npt.NDArray[np.int64]:
        rng = np.random.default_rng([self.seed, _ORDER, epoch])
        if self._chances_N is None:
            return rng.permutation(len(self.films))
        return rng.choice(len(self.films), size=len(self.films), p=self._chances_N)


def class_chances(targets_NK: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Each film's chance to be drawn, so that every combination of targets is drawn as often."""
    _, place_N, counts = np.unique(
        np.nan_to_num(targets_NK, nan=-1.0), axis=0, return_inverse=True, return_counts=True
    )
    chances_N: npt.NDArray[np.float64] = 1.0 / (len(counts) * counts[place_N.ravel()])
    return chances_N


def evaluation_batches(films: FilmSet, preprocessor: Preprocessor, size: int) -> Iterator[Batch]:
    """Every film once, in order, as the app would see it."""
    for start in range(0, len(films), size):
        chosen = np.arange(start, min(start + size, len(films)))
        yield _finished(films, chosen, films.greys_NHW[films.places[chosen]], preprocessor)


def _finished(
    films: FilmSet,
    chosen: Sequence[int] | npt.NDArray[np.int64],
    greys_BHW: npt.NDArray[np.float32],
    preprocessor: Preprocessor,
) -> Batch:
    x_BCHW = np.stack([preprocessor.finish(grey_HW) for grey_HW in greys_BHW])
    return Batch(
        torch.from_numpy(x_BCHW),
        torch.from_numpy(films.targets_NK[chosen]),
        tuple(films.names[i] for i in chosen),
    )
