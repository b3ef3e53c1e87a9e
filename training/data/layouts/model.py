"""The one label model of all data sets: a state for each finding, who says so, boxes and masks.

Nothing is decided here: what an uncertain or missing label means, and how several readers are
merged, are policies of the config (`data.blank`, `data.uncertain`, `data.votes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from training.data.manifest import Omission


class State(Enum):
    """What a source says of a finding; the value is that of JSON."""

    PRESENT = 1
    ABSENT = 0
    UNCERTAIN = -1
    NOT_MENTIONED = None


@dataclass(frozen=True)
class Reading:
    """What one reader, labelling program or table says of a film."""

    who: str
    states: Mapping[str, State]
    words: tuple[str, ...] | None = None
    """The labels in the source's own words, on which a target matches; None for the names of the
    findings in `states`."""


@dataclass(frozen=True)
class Box:
    """A rectangle around a finding, in pixels of `grid`."""

    finding: str
    x: float
    y: float
    width: float
    height: float
    who: str = ""
    grid: tuple[int, int] | None = None
    """Rows and columns that the numbers refer to; None for the film's own."""

    def scaled(self, rows: int, columns: int) -> tuple[float, float, float, float]:
        """Return x, y, width and height in pixels of a film of this size."""
        if self.grid is None or self.grid == (rows, columns):
            return self.x, self.y, self.width, self.height
        across, down = columns / self.grid[1], rows / self.grid[0]
        return self.x * across, self.y * down, self.width * across, self.height * down


@dataclass(frozen=True)
class Mask:
    """The area of a finding or an organ: a picture file, or the text of a run-length code."""

    finding: str
    file: str = ""
    """Relative to the data folder."""
    runs: str = ""
    """(offset from the end of the last run, length) pairs, column by column, as in SIIM-ACR."""
    grid: tuple[int, int] | None = None
    who: str = ""


@dataclass(frozen=True)
class LabelledFilm:
    """A film with everything that its source says of it. Empty where it says nothing."""

    path: str
    """Relative to the data folder."""
    patient: str = field(repr=False)
    readings: tuple[Reading, ...] = ()
    split: str = ""
    view: str = ""
    sex: str = ""
    age: str = ""
    boxes: tuple[Box, ...] = ()
    masks: tuple[Mask, ...] = ()
    patient_is_film: bool = False
    """The source has no patient ids: `patient` is the film's own id."""
    vocabulary: tuple[str, ...] = ()
    """Findings that the source could have named, where it has no reading of the film."""
    excluded: str = ""
    """Why the source itself excludes the film."""


@dataclass(frozen=True)
class Found:
    """What a layout's reader found in a folder."""

    films: tuple[LabelledFilm, ...]
    source: str
    """Name of the data set, as in the card."""
    omitted: tuple[Omission, ...] = ()
    notes: tuple[str, ...] = ()
    placeholders: frozenset[str] = frozenset()
    """Values of sex and age that stand for unknown in this data set."""
    patient_prefix: str = ""
    table: Path | None = None
    """The table with the labels, for error messages."""


def states(names: tuple[str, ...], present: frozenset[str] | set[str]) -> dict[str, State]:
    """Return the states of a source that names every finding that it sees."""
    return {name: State.PRESENT if name in present else State.ABSENT for name in names}
