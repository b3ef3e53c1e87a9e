"""Batches by number: the same (seed, epoch, step) gives the same batch, whatever came before."""

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
from xrayview.errors import UsageError
from xrayview.preprocessing.pipeline import Preprocessor

Spread = Callable[..., Iterable[Any]]
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


@dataclass(frozen=True, eq=False)
class _Draws:
    """All chance of a batch."""

    moves: augment.Draws
    look: appearance.Appearance | None
    around: surroundings.Surroundings | None

    def of(self, part: slice) -> _Draws:
        """That of some of its films."""
        return _Draws(_some(self.moves, part), _some(self.look, part), _some(self.around, part))


def _some(draws: Any, part: slice) -> Any:
    if draws is None:
        return None
    per_film = {field.name: getattr(draws, field.name) for field in dataclasses.fields(draws)}
    return type(draws)(
        **{name: None if value is None else value[part] for name, value in per_film.items()}
    )


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

    def batch(self, epoch: int, step: int, spread: Spread = map, parts: int = 1) -> Batch:
        """The batch of a step, counted from 0; an epoch's last, incomplete batch is dropped.

        `spread` is `map` or that of a pool, over so many `parts` of the batch.
        """
        order = self._order(epoch)
        start = (step * self.world + self.rank) * self.size
        # Read in the order of the disk; only the batch's composition is random.
        chosen = np.sort(order[start : start + self.size])
        if self.films.pooled_ND is not None or self.config.moves_nothing:
            return _as_they_are(self.films, chosen, self.preprocessor)
        draws = self._draw(chosen, (epoch, step))
        bounds = np.linspace(0, len(chosen), parts + 1).astype(int).tolist()
        slices = [slice(*ends) for ends in pairwise(bounds)]
        made = spread(lambda part: self._made(chosen[part], draws.of(part)), slices)
        return _batch(self.films, chosen, np.stack([x_CHW for part in made for x_CHW in part]))

    def _draw(self, chosen: npt.NDArray[np.int64], at: tuple[int, int]) -> _Draws:
        """All chance of the batch; each kind has a generator of its own."""
        films, config, count = self.films, self.config, len(chosen)

        def chance(kind: int) -> np.random.Generator:
            return np.random.default_rng([self.seed, kind, *at, self.rank])

        height, width = films.greys_NHW.shape[1:]
        moves = augment.draw(config, count, (height, width), chance(_CHANCE))
        if self._boxes_N4 is not None:
            lent = placement.draw(config.placement, count, len(films), chance(_PLACEMENT))
            own_B4, donor_B4 = (self._boxes_N4[films.places[n]] for n in (chosen, lent.donors_B))
            affine_B23 = placement.place(moves.affine_B23, own_B4, donor_B4, lent)
            moves = dataclasses.replace(moves, affine_B23=affine_B23)
        look = around = None
        if config.tone or config.sharpness:
            look = appearance.draw(
                config.tone, config.sharpness, count, len(films), chance(_APPEARANCE)
            )
        if config.surroundings and films.lungs_NHW is not None:
            around = surroundings.draw(
                config.surroundings, count, len(films), chance(_SURROUNDINGS)
            )
        return _Draws(moves, look, around)

    def _made(self, chosen: npt.NDArray[np.int64], draws: _Draws) -> list[npt.NDArray[np.float32]]:
        """Model inputs of these films, with what other films lend them."""
        # Film by film: a batch at each stage would be in new pages of memory every time.
        places = self.films.places[chosen]
        return [self._film(place, draws.of(slice(n, n + 1))) for n, place in enumerate(places)]

    def _film(self, place: np.int64, draws: _Draws) -> npt.NDArray[np.float32]:
        films = self.films
        greys_1HW = np.array(films.greys_NHW[place])[None]
        if draws.look is not None:
            self._lenders.lend(greys_1HW, draws.look)
        if draws.around is not None and films.lungs_NHW is not None:
            donors_1HW = films.greys_NHW[films.places[draws.around.donors_B]]
            lungs_1HW = films.lungs_NHW[place][None]
            greys_1HW = surroundings.lay(greys_1HW, lungs_1HW, donors_1HW, draws.around)
        (moved_HW,) = augment.apply(greys_1HW, draws.moves)
        return self.preprocessor.finish(moved_HW)

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
