"""The leak check: no patient and no picture may be in two splits.

Pictures are compared by their pixels and by a perceptual hash.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.config import DataConfig
from training.data.duplicates import near_pairs, picture_hashes
from training.data.manifest import FilmRow
from xrayview.errors import UsageError

_SHOWN = 10


@dataclass(frozen=True)
class Leak:
    """Films in different splits that share a patient or a picture."""

    kind: str
    films: tuple[FilmRow, ...]

    def __str__(self) -> str:
        listed = ", ".join(f"{film.path} [{film.split}]" for film in self.films[:4])
        more = f" and {len(self.films) - 4} more" if len(self.films) > 4 else ""
        return f"{self.kind}: {listed}{more}"


_KEYS: dict[str, Callable[[FilmRow], str]] = {
    "same patient": lambda row: row.patient,
    "same pixels": lambda row: row.pixels_sha256,
}


def find_leaks(rows: Sequence[FilmRow]) -> Iterator[Leak]:
    """Yield every group of films that crosses splits; unused films are ignored."""
    for kind, key in _KEYS.items():
        groups: dict[str, list[FilmRow]] = defaultdict(list)
        for row in rows:
            if row.split and key(row):
                groups[key(row)].append(row)
        for films in groups.values():
            if len({film.split for film in films}) > 1:
                yield Leak(kind, tuple(films))


def find_near_duplicates(
    rows: Sequence[FilmRow], greys_NHW: npt.NDArray[np.float32], bits: int
) -> Iterator[Leak]:
    """Yield every pair of films in different splits whose hashes differ in at most `bits` of 256.

    Pairs with the same pixels are left to `find_leaks`.
    """
    splits = [row.split for row in rows]
    for one, other, distance in near_pairs(picture_hashes(greys_NHW), splits, bits):
        pair = (rows[one], rows[other])
        if not pair[0].pixels_sha256 or pair[0].pixels_sha256 != pair[1].pixels_sha256:
            yield Leak(f"near-duplicate ({distance} of 256 bits differ)", pair)


def check(rows: Sequence[FilmRow], policy: DataConfig) -> tuple[Leak, ...]:
    """Return the leaks that the rows show on their own, if the config allows leaks.

    Raises:
        UsageError: there are leaks and the config does not allow them; they are listed.
    """
    return refuse(tuple(find_leaks(rows)), policy)


def refuse(leaks: tuple[Leak, ...], policy: DataConfig) -> tuple[Leak, ...]:
    """Return the leaks unchanged if the config allows them.

    Raises:
        UsageError: there are leaks and the config does not allow them; they are listed.
    """
    if leaks and policy.leaks == "refuse":
        listed = "\n  ".join(map(str, leaks[:_SHOWN]))
        more = f"\n  and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
        raise UsageError(
            f"{len(leaks)} leaks between splits:\n  {listed}{more}\n",
            hint="Correct the table, or use --set data.leaks=allow; the card will count them.",
        )
    return leaks
