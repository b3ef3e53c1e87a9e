"""The description of a film: format, stored values, and the steps to displayed grey."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from xrayview.domain.radiograph import Spacing

Origin = Literal["file", "default", "computed", "user"]
"""What a step comes from: an attribute of the file, the standard, the pixels, or the user."""


@dataclass(frozen=True)
class Attribute:
    """One DICOM attribute as it is in the file."""

    keyword: str
    tag: str
    """`(gggg,eeee)`, hexadecimal; inside sequences a path: `(gggg,eeee)[item] > (gggg,eeee)`."""
    value: str
    """As text, several values joined by a backslash; the items of a sequence are only counted."""


@dataclass(frozen=True)
class Step:
    """One step from stored values to displayed grey, as applied to one film."""

    name: str
    value: str
    origin: Origin
    attributes: tuple[Attribute, ...] = ()
    """What the step was read from; empty where the file states nothing."""


@dataclass(frozen=True)
class StoredValues:
    """The stored values of all frames of a file, before any transformation.

    `shape` is (rows, columns) or (rows, columns, samples), with the number of frames in front where
    there are several. `sha256` is over the values in C order, little endian, in `dtype`.
    """

    shape: tuple[int, ...]
    dtype: str
    minimum: float
    maximum: float
    sha256: str


@dataclass(frozen=True)
class FilmInspection:
    """What a file is and how it is displayed; nothing that identifies the patient."""

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
    """Attributes of the file that concern distances."""
    frame: int = 0
    """The frame (counted from 0) that steps, spacing and orientation belong to."""


def states_spacing(attributes: Iterable[Attribute]) -> bool:
    """True where a file has an attribute of spacing, usable or not."""
    return any(attribute.keyword.endswith("PixelSpacing") for attribute in attributes)
