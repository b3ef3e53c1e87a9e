"""Requests to the workers and their replies: frozen, picklable, small.

A request carries all that its answer depends on, and its answer carries the id of the film and
of the model it belongs to. Any of them may instead end in an `XrayViewError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from xrayview.domain.devices import AUTO
from xrayview.domain.figure import Bits, FigureStyle, HeatLayer
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.heat_map_methods import DEFAULT_METHOD
from xrayview.domain.inspection import FilmInspection
from xrayview.domain.model import (
    GateVerdict,
    HeatMap,
    ModelCard,
    ModelInput,
    Prediction,
    PreprocessSpec,
    Scope,
)
from xrayview.domain.radiograph import Radiograph, Window
from xrayview.domain.tags import TagNode

PictureFormat = Literal["png", "tiff", "svg"]


@dataclass(frozen=True)
class Limits:
    """What one film may cost before it is reported as failed."""

    decode_timeout_s: float = 30.0
    header_timeout_s: float = 20.0
    """For one chunk of headers."""
    model_timeout_s: float = 120.0
    memory_mib: int = 4096
    """Address space of a decode worker, where the platform can enforce it."""
    max_megapixels: float = 200.0


@dataclass(frozen=True)
class ReadHeaders:
    """Decode pool. Reply: `tuple[FilmRef | RejectedFile, ...]`, one per path, in order."""

    paths: tuple[Path, ...]
    root: Path


@dataclass(frozen=True)
class ReadIndex:
    """Decode pool. Reply: `tuple[Path | RejectedFile, ...]`, what a DICOMDIR refers to, in order.

    A file that is not there, or that lies outside the folder of the DICOMDIR, is rejected.
    """

    path: Path


@dataclass(frozen=True)
class DecodeFilm:
    """Decode pool. Reply: `Radiograph` (its pixels cross in shared memory).

    Without `limits`, here and below, the engine's own hold.
    """

    film: FilmRef
    limits: Limits | None = None


@dataclass(frozen=True)
class ThumbnailStore:
    """Where thumbnails are kept on disk, and how much they may take."""

    folder: Path
    budget_mib: int


@dataclass(frozen=True)
class MakeThumbnail:
    """Decode pool. Reply: `Thumbnail`, from the store where it is kept there already."""

    film: FilmRef
    size_px: int = 160
    limits: Limits | None = None
    store: ThumbnailStore | None = None


@dataclass(frozen=True)
class PruneThumbnails:
    """Decode pool. Reply: `int`, the bytes that are left within the store's budget."""

    store: ThumbnailStore


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """Displayed grey of a film, uint8, longest side `size_px` at most."""

    film_id: str
    grey_HW: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class InspectFilm:
    """Decode pool. Reply: `FilmInspection`."""

    film: FilmRef
    limits: Limits | None = None


@dataclass(frozen=True)
class RenderFilm:
    """Decode pool. Reply: `RenderedFilm`.

    The grey-scale is `window`, or window `window_index` of the file (from 1), or the automatic
    one where `auto`, else the film's default.
    """

    film: FilmRef
    window: Window | None = None
    window_index: int | None = None
    auto: bool = False
    invert: bool = False
    overlays: bool = True
    """Draw the overlay planes of the file."""
    square: bool = False
    """Enlarge the coarser axis of oblong pixels, as every figure does."""
    format: PictureFormat = "png"
    bits: Bits = 8
    style: FigureStyle | None = None
    """What stands on the picture besides the film, on top of "research use only"; None is the
    film alone. `bits` takes the place of its own."""
    heat: HeatLayer | None = None
    """The film's heat map, where the style has it."""
    said: str = ""
    """What a model says of the film, for the caption where no heat map says it."""
    limits: Limits | None = None


@dataclass(frozen=True, eq=False)
class RenderedFilm:
    """Displayed grey at native resolution as the bytes of a picture file."""

    film: FilmRef
    picture: bytes
    burned_in: str
    """BurnedInAnnotation: `YES`, `NO`, or empty where the file does not say."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeidentifyFilm:
    """Decode pool. Reply: `DeidentifiedFilm`.

    The same `key` gives the same new UIDs and aliases for the same old ones.
    """

    film: FilmRef
    key: bytes = field(repr=False)
    keep_characteristics: bool = False
    """Leave age, sex, size, weight (PS3.15 E.3.4)."""
    limits: Limits | None = None


@dataclass(frozen=True, eq=False)
class DeidentifiedFilm:
    """A DICOM file by the Basic Profile of PS3.15, as bytes."""

    film: FilmRef
    file: bytes = field(repr=False)
    patient: str
    """The alias that stands for the patient in all films of one key."""
    burned_in: str
    """BurnedInAnnotation: `YES`, `NO`, or empty where the file does not say."""
    replaced: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    """Keyword, old value, new value of PatientID and of the film's own UIDs."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadTags:
    """Decode pool. Reply: `tuple[TagNode, ...]`, the attributes of a DICOM file."""

    path: Path


@dataclass(frozen=True)
class ReadAttributes:
    """Decode pool. Reply: `tuple[str, ...]`, the values of `columns` of one file, as text.

    A column is a keyword or a path through sequences, as `io.tags` reads it.
    """

    path: Path
    columns: tuple[str, ...]


@dataclass(frozen=True)
class PrepareInput:
    """Decode pool. Reply: `PreparedFilm`."""

    film: FilmRef
    spec: PreprocessSpec
    limits: Limits | None = None
    scope: Scope = field(default_factory=Scope)
    """What the model's card says of the films it is for."""


@dataclass(frozen=True, eq=False)
class PreparedFilm:
    """A film preprocessed in the worker, so that little crosses the pipe.

    `film` is the reference with what decoding added (rows, columns); `sha256` of the file.
    """

    film: FilmRef
    model_input: ModelInput
    sha256: str
    gate: GateVerdict
    """What the header and the pixels say; the model adds its own doubts."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelRef:
    """A trusted model file: the worker refuses a file whose hash is another."""

    path: Path
    sha256: str
    device: str = AUTO
    """The id of a device, or `auto`."""


@dataclass(frozen=True)
class LoadModel:
    """Model worker. Reply: `ModelReady` once the contract's probe has passed."""

    model: ModelRef
    card: ModelCard | None = None
    """To try on the file instead of its own; the model in memory stays what it was."""


@dataclass(frozen=True)
class ModelReady:
    """The model is loaded and keeps its contract."""

    model: ModelRef
    card: ModelCard
    device: str
    """The real one: `cpu`, `cuda:0`."""
    device_name: str
    precision: str
    explain_methods: tuple[str, ...]
    features_note: str = ""
    """Where a file that brings no halves was cut for Grad-CAM, or why it cannot be."""
    has_training_statistics: bool = False
    """The bundle has statistics of its training films, so predictions carry an `ood_score`."""


@dataclass(frozen=True, eq=False)
class Classify:
    """Model worker. Reply: `tuple[Prediction, ...]`, one per input, in order."""

    model: ModelRef
    inputs: tuple[ModelInput, ...]


@dataclass(frozen=True, eq=False)
class Explain:
    """Model worker. Reply: `HeatMap`."""

    model: ModelRef
    model_input: ModelInput
    finding: str
    method: str = DEFAULT_METHOD


FilmRequest = DecodeFilm | MakeThumbnail | InspectFilm | RenderFilm | DeidentifyFilm | PrepareInput
"""What has a film and decodes it, within `limits`."""

Request = (
    ReadHeaders
    | DecodeFilm
    | MakeThumbnail
    | PruneThumbnails
    | ReadIndex
    | InspectFilm
    | RenderFilm
    | DeidentifyFilm
    | ReadTags
    | ReadAttributes
    | PrepareInput
    | LoadModel
    | Classify
    | Explain
)
Reply = (
    tuple[FilmRef | RejectedFile, ...]
    | tuple[Path | RejectedFile, ...]
    | int
    | Radiograph
    | Thumbnail
    | FilmInspection
    | RenderedFilm
    | DeidentifiedFilm
    | tuple[TagNode, ...]
    | tuple[str, ...]
    | PreparedFilm
    | ModelReady
    | tuple[Prediction, ...]
    | HeatMap
)
