"""The films of a run: listed from a data folder, split, checked for leaks and decoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.config import TrainingConfig
from training.data import cache, leaks, readers, splits, surroundings, targets
from training.data.balance import balance
from training.data.batches import FilmSet
from training.data.lung_masks import LungMasks
from training.data.manifest import FilmRow, Listing, Manifest, Omission
from xrayview.errors import NothingUsable
from xrayview.preprocessing.pipeline import Preprocessor

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Films:
    """A run's films: the manifest and, for each of its rows, grey and targets."""

    manifest: Manifest
    greys_NHW: npt.NDArray[np.float32]
    targets_NK: npt.NDArray[np.float32]
    leaks: tuple[leaks.Leak, ...]
    lungs_NHW: npt.NDArray[np.uint8] | None = None
    """1 in the lungs; None if the config needs no lung masks."""
    cache: Path | None = None
    """Folder in which further data about the films can be cached."""

    def part(self, split: str) -> FilmSet:
        """Return the films of one split.

        Raises:
            NothingUsable: the split is empty.
        """
        indices = np.array(self.manifest.indices(split), dtype=np.int64)
        if not indices.size:
            raise NothingUsable(
                f"There are no {split} films", hint="Check data.*_splits of the config."
            )
        names = tuple(self.manifest.rows[i].path for i in indices)
        return FilmSet(
            self.greys_NHW, indices, self.targets_NK[indices], names, lungs_NHW=self.lungs_NHW
        )


def select_rows(
    config: TrainingConfig, folder: Path
) -> tuple[tuple[FilmRow, ...], tuple[Omission, ...]]:
    """Return the films that a run uses, with their split, and the omitted ones. Opens no film."""
    listing = list_rows(config, folder)
    return listing.rows, listing.omitted


def list_rows(config: TrainingConfig, folder: Path) -> Listing:
    """Same as `select_rows`, together with the reader's notes for the card."""
    listing = readers.list_films(folder, config.data)
    rows, unknown = targets.select(listing.rows, config.target)
    rows = splits.assign(rows, config.data)
    unused = tuple(
        Omission(row.path, "UNUSED_SPLIT", f"official split {row.official_split}")
        for row in rows
        if not row.split
    )
    rows, spare = balance([row for row in rows if row.split], config.data, config.target)
    return Listing(rows, listing.omitted + unknown + unused + spare, listing.notes)


def load_films(
    config: TrainingConfig, folder: Path, cache_folder: Path, say: Say = lambda _line: None
) -> Films:
    """Load everything that training needs of the data.

    Raises:
        UsageError: the label table is wrong, or films leak between splits.
        NothingUsable: no film is left.
    """
    films = gather_films(config, folder, cache_folder, say)
    leaks.refuse(films.leaks, config.data)
    return films


def gather_films(
    config: TrainingConfig, folder: Path, cache_folder: Path, say: Say = lambda _line: None
) -> Films:
    """Same as `load_films`, but report leaks instead of refusing them.

    Raises:
        UsageError: the label table is wrong.
        NothingUsable: no film is left.
    """
    listing = list_rows(config, folder)
    preprocessor = Preprocessor(config.preprocessing)

    def progress(done: int, total: int) -> None:
        if done % 1000 == 0 or done == total:
            say(f"decoded {done} of {total} films")

    greys = cache.load_greys(listing.rows, folder, preprocessor, cache_folder, progress)
    crossing = list(leaks.find_leaks(greys.rows))
    if config.data.near_duplicate_bits >= 0:
        bits = config.data.near_duplicate_bits
        crossing += leaks.find_near_duplicates(greys.rows, greys.greys_NHW, bits)
    return Films(
        manifest=Manifest(greys.rows, listing.omitted + greys.omitted, listing.notes),
        greys_NHW=greys.greys_NHW,
        targets_NK=targets.targets_NK(greys.rows, config.target),
        leaks=tuple(crossing),
        lungs_NHW=_lungs(config, greys.rows, folder, cache_folder, say),
        cache=cache_folder,
    )


def _lungs(
    config: TrainingConfig, rows: Sequence[FilmRow], folder: Path, cache_folder: Path, say: Say
) -> npt.NDArray[np.uint8] | None:
    if not config.augment.needs_lung_masks:
        return None
    masks = LungMasks(folder / config.data.lung_masks)
    preprocessor = Preprocessor(config.preprocessing)
    lungs_NHW = surroundings.load_lungs(rows, masks, preprocessor, cache_folder)
    say(f"{int(lungs_NHW.any(axis=(1, 2)).sum())} of {len(rows)} films have a lung mask")
    return lungs_NHW
