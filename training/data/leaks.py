"""The leak check: no patient and no picture may stand on both sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from training.config import DataConfig
from training.data.manifest import FilmRow
from xrayview.errors import UsageError

_SHOWN = 10


@dataclass(frozen=True)
class Leak:
    """Films in different splits that share a patient or their pixels."""

    kind: str
    films: tuple[FilmRow, ...]

    def __str__(self) -> str:
        places = ", ".join(f"{film.path} [{film.split}]" for film in self.films[:4])
        more = f" and {len(self.films) - 4} more" if len(self.films) > 4 else ""
        return f"{self.kind}: {places}{more}"


_KEYS: dict[str, Callable[[FilmRow], str]] = {
    "same patient": lambda row: row.patient,
    "same pixels": lambda row: row.pixels_sha256,
}


def find_leaks(rows: Sequence[FilmRow]) -> Iterator[Leak]:
    """Every group of films that crosses splits; unused films do not count."""
    for kind, key in _KEYS.items():
        groups: dict[str, list[FilmRow]] = defaultdict(list)
        for row in rows:
            if row.split and key(row):
                groups[key(row)].append(row)
        for films in groups.values():
            if len({film.split for film in films}) > 1:
                yield Leak(kind, tuple(films))


def check(rows: Sequence[FilmRow], policy: DataConfig) -> tuple[Leak, ...]:
    """The leaks, when the config allows them.

    Raises:
        UsageError: there are leaks and the config does not allow them; they are listed.
    """
    leaks = tuple(find_leaks(rows))
    if leaks and policy.leaks == "refuse":
        listed = "\n  ".join(map(str, leaks[:_SHOWN]))
        raise UsageError(
            f"{len(leaks)} leaks between splits:\n  {listed}\n",
            hint="Mend the table, or say --set data.leaks=allow; the card will count them.",
        )
    return leaks
