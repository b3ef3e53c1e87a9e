"""From a data folder to the films of a run: read, split, checked for leaks, decoded once."""

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
    """A run's films: the manifest and, row by row, grey and targets."""

    manifest: Manifest
    greys_NHW: npt.NDArray[np.float32]
    targets_NK: npt.NDArray[np.float32]
    leaks: tuple[leaks.Leak, ...]
    lungs_NHW: npt.NDArray[np.uint8] | None = None
    """1 in the lungs; None where the config asks for no masks."""
    cache: Path | None = None
    """Where more that is computed of them may be kept."""

    def part(self, split: str) -> FilmSet:
        """The films of one split.

        Raises:
            NothingUsable: the split is empty.
        """
        places = np.array(self.manifest.indices(split), dtype=np.int64)
        if not places.size:
            raise NothingUsable(
                f"There is no film for {split}", hint="Look at data.*_splits of the config."
            )
        names = tuple(self.manifest.rows[i].path for i in places)
        return FilmSet(
            self.greys_NHW, places, self.targets_NK[places], names, lungs_NHW=self.lungs_NHW
        )


def select_rows(
    config: TrainingConfig, folder: Path
) -> tuple[tuple[FilmRow, ...], tuple[Omission, ...]]:
    """The films that a run uses, with their split; the others with their reason. Opens none."""
    listing = list_rows(config, folder)
    return listing.rows, listing.omitted


def list_rows(config: TrainingConfig, folder: Path) -> Listing:
    """`select_rows`, with what the card has to say of the data."""
    found = readers.list_films(folder, config.data)
    rows, unknown = targets.select(found.rows, config.target)
    rows = splits.assign(rows, config.data)
    unused = tuple(
        Omission(row.path, "UNUSED_SPLIT", f"official split {row.official_split}")
        for row in rows
        if not row.split
    )
    rows, spare = balance([row for row in rows if row.split], config.data, config.target)
    return Listing(rows, found.omitted + unknown + unused + spare, found.notes)


def load_films(
    config: TrainingConfig, folder: Path, cache_folder: Path, say: Say = lambda _line: None
) -> Films:
    """Everything that training reads of the data.

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
    """`load_films`, whatever leaks.

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
    found = list(leaks.find_leaks(greys.rows))
    if config.data.near_duplicate_bits >= 0:
        bits = config.data.near_duplicate_bits
        found += leaks.find_look_alikes(greys.rows, greys.greys_NHW, bits)
    return Films(
        manifest=Manifest(greys.rows, listing.omitted + greys.omitted, listing.notes),
        greys_NHW=greys.greys_NHW,
        targets_NK=targets.targets_NK(greys.rows, config.target),
        leaks=tuple(found),
        lungs_NHW=_lungs(config, greys.rows, folder, cache_folder, say),
        cache=cache_folder,
    )


def _lungs(
    config: TrainingConfig, rows: Sequence[FilmRow], folder: Path, cache_folder: Path, say: Say
) -> npt.NDArray[np.uint8] | None:
    if not config.augment.needs_lungs:
        return None
    masks = LungMasks(folder / config.data.lung_masks)
    preprocessor = Preprocessor(config.preprocessing)
    lungs_NHW = surroundings.load_lungs(rows, masks, preprocessor, cache_folder)
    say(f"{int(lungs_NHW.any(axis=(1, 2)).sum())} of {len(rows)} films have a lung mask")
    return lungs_NHW
