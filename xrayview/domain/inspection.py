"""What is said of a film without showing it: what it is, its stored values, its way to grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xrayview.domain.radiograph import Spacing

Origin = Literal["file", "default", "computed", "user"]
"""Who asked for a step: an attribute of the file, the standard, the pixels, or the user."""


@dataclass(frozen=True)
class Attribute:
    """One DICOM attribute as the file has it."""

    keyword: str
    tag: str
    """`(gggg,eeee)`, hexadecimal; inside sequences a path: `(gggg,eeee)[item] > (gggg,eeee)`."""
    value: str
    """As text, several values joined by a backslash; what is in a sequence is only counted."""


@dataclass(frozen=True)
class Step:
    """One step on the way from stored values to displayed grey, as it is applied to one film."""

    name: str
    value: str
    origin: Origin
    attributes: tuple[Attribute, ...] = ()
    """What the step was read from; empty where the file asks for nothing."""


@dataclass(frozen=True)
class StoredValues:
    """The stored values of all frames of a file, before any transformation.

    `shape` is (rows, columns), (rows, columns, samples), or either with the frames in front.
    `sha256` is over the values in C order, little endian, in `dtype`.
    """

    shape: tuple[int, ...]
    dtype: str
    minimum: float
    maximum: float
    sha256: str


@dataclass(frozen=True)
class FilmInspection:
    """What a file is and what is done with it; nothing of whom it shows."""

    format: str
    sop_class_uid: str
    sop_class: str
    modality: str
    transfer_syntax_uid: str
    transfer_syntax: str
    rows: int
    columns: int
    frames: int
    stored: StoredValues
    steps: tuple[Step, ...]
    spacing: Spacing
    orientation: tuple[str, str]
    lossy: str
    for_processing: bool
    burned_in: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    file_sha256: str
    spacing_attributes: tuple[Attribute, ...] = ()
    """What the file says of distances."""
    frame: int = 0
    """Counted from 0: the one whose steps, spacing and letters these are."""
