"""Batches by number: the same (seed, epoch, step) gives the same batch, whatever came before."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.config import AugmentConfig
from training.data import appearance, augment, placement, surroundings
from xrayview.errors import UsageError
from xrayview.preprocessing.pipeline import Preprocessor

_ORDER, _CHANCE, _SURROUNDINGS, _APPEARANCE, _PLACEMENT = range(5)


@dataclass(frozen=True, eq=False)
class FilmSet:
    """Films of one split in memory-mapped grey, with targets and names."""

    greys_NHW: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]
    """The split's films among `greys_NHW`."""
    targets_NK: npt.NDArray[np.float32]
    """One row per place."""
    names: tuple[str, ...]
    pooled_ND: npt.NDArray[np.float32] | None = None
    """A frozen backbone's pooled features, one row per place: batches are of these, not films."""
    lungs_NHW: npt.NDArray[np.uint8] | None = None
    """1 in the lungs, film by film as `greys_NHW`; all 0 where no mask is known."""

    def __len__(self) -> int:
        return len(self.places)

    def only(self, chosen: npt.NDArray[np.int64]) -> FilmSet:
        """These films alone, by their place in the set."""
        pooled_ND = None if self.pooled_ND is None else self.pooled_ND[chosen]
        names = tuple(self.names[i] for i in chosen)
        return dataclasses.replace(
            self,
            places=self.places[chosen],
            targets_NK=self.targets_NK[chosen],
            names=names,
            pooled_ND=pooled_ND,
        )


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
        self._lenders = appearance.Lenders(films.greys_NHW, films.places)
        self._boxes_N4 = None
        if config.placement and films.lungs_NHW is not None:
            self._boxes_N4 = placement.boxes(films.lungs_NHW)

    def batch(self, epoch: int, step: int) -> Batch:
        """The batch of a step, counted from 0; an epoch's last, incomplete batch is dropped."""
        order = self._order(epoch)
        start = (step * self.world + self.rank) * self.size
        chosen = order[start : start + self.size]
        rng = np.random.default_rng([self.seed, _CHANCE, epoch, step, self.rank])
        # Read in the order of the disk; only the batch's composition is random.
        chosen = np.sort(chosen)
        if self.films.pooled_ND is not None or self.config.moves_nothing:
            return _as_they_are(self.films, chosen, self.preprocessor)
        greys_BHW = self._greys(chosen, (epoch, step))
        size = (greys_BHW.shape[1], greys_BHW.shape[2])
        draws = augment.draw(self.config, self.size, size, rng)
        greys_BHW = augment.apply(greys_BHW, self._placed(draws, chosen, (epoch, step)))
        return _finished(self.films, chosen, greys_BHW, self.preprocessor)

    def _greys(self, chosen: npt.NDArray[np.int64], at: tuple[int, int]) -> npt.NDArray[np.float32]:
        """The films with what other films lend them; each draw has a generator of its own."""
        films, config = self.films, self.config
        places = films.places[chosen]
        greys_BHW = films.greys_NHW[places]
        if config.tone or config.sharpness:
            rng = np.random.default_rng([self.seed, _APPEARANCE, *at, self.rank])
            look = appearance.draw(config.tone, config.sharpness, len(chosen), len(films), rng)
            self._lenders.lend(greys_BHW, look)
        if config.surroundings and films.lungs_NHW is not None:
            rng = np.random.default_rng([self.seed, _SURROUNDINGS, *at, self.rank])
            draws = surroundings.draw(config.surroundings, len(chosen), len(films), rng)
            donors_BHW = films.greys_NHW[films.places[draws.donors_B]]
            greys_BHW = surroundings.lay(greys_BHW, films.lungs_NHW[places], donors_BHW, draws)
        return greys_BHW

    def _placed(
        self, draws: augment.Draws, chosen: npt.NDArray[np.int64], at: tuple[int, int]
    ) -> augment.Draws:
        if self._boxes_N4 is None:
            return draws
        rng = np.random.default_rng([self.seed, _PLACEMENT, *at, self.rank])
        lent = placement.draw(self.config.placement, len(chosen), len(self.films), rng)
        own_B4, donor_B4 = (
            self._boxes_N4[self.films.places[films]] for films in (chosen, lent.donors_B)
        )
        affine_B23 = placement.place(draws.affine_B23, own_B4, donor_B4, lent)
        return dataclasses.replace(draws, affine_B23=affine_B23)

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
        yield _as_they_are(films, chosen, preprocessor)


def _as_they_are(
    films: FilmSet, chosen: npt.NDArray[np.int64], preprocessor: Preprocessor
) -> Batch:
    if films.pooled_ND is None:
        return _finished(films, chosen, films.greys_NHW[films.places[chosen]], preprocessor)
    # A map of one cell, as `forward_head` takes it.
    return _batch(films, chosen, films.pooled_ND[chosen][:, :, None, None])


def _finished(
    films: FilmSet,
    chosen: npt.NDArray[np.int64],
    greys_BHW: npt.NDArray[np.float32],
    preprocessor: Preprocessor,
) -> Batch:
    return _batch(films, chosen, np.stack([preprocessor.finish(grey_HW) for grey_HW in greys_BHW]))


def _batch(films: FilmSet, chosen: npt.NDArray[np.int64], x_BCHW: npt.NDArray[np.float32]) -> Batch:
    return Batch(
        torch.from_numpy(x_BCHW),
        torch.from_numpy(films.targets_NK[chosen]),
        tuple(films.names[i] for i in chosen),
    )
