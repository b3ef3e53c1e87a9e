"""Requests to the workers and their replies: frozen, picklable, small.

A request contains everything that its reply depends on; the reply contains the ids of its film and
its model. Any request may end in an `XrayViewError` instead.
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
from xrayview.domain.runtimes import EXACT, TORCH
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.domain.tags import TagNode

PictureFormat = Literal["png", "tiff", "svg"]


@dataclass(frozen=True)
class Limits:
    """Limits beyond which a film is reported as failed."""

    decode_timeout_s: float = 15.0
    header_timeout_s: float = 20.0
    """Time limit for one chunk of headers."""
    model_timeout_s: float = 120.0
    memory_mib: int = 4096
    """Address space of a decode worker, where the platform can limit it; less where all workers
    together would have more than three quarters of the machine."""
    max_megapixels: float = 200.0


@dataclass(frozen=True)
class ReadHeaders:
    """Decode pool. Reply: `tuple[FilmRef | RejectedFile, ...]`, one per path, in order."""

    paths: tuple[Path, ...]
    root: Path


@dataclass(frozen=True)
class ReadIndex:
    """Decode pool. Reply: `tuple[Path | RejectedFile, ...]`, the files of a DICOMDIR, in order.

    A file that is missing, or outside of the folder of the DICOMDIR, is rejected.
    """

    path: Path


@dataclass(frozen=True)
class DecodeFilm:
    """Decode pool. Reply: `Radiograph` (its pixels are passed in shared memory).

    Where `limits` is None, here and below, the engine's limits apply.
    """

    film: FilmRef
    limits: Limits | None = None


@dataclass(frozen=True)
class ThumbnailStore:
    """The folder of thumbnails on disk, and its size limit."""

    folder: Path
    budget_mib: int


@dataclass(frozen=True)
class MakeThumbnail:
    """Decode pool. Reply: `Thumbnail`, from the store where it is there already."""

    film: FilmRef
    size_px: int = 160
    limits: Limits | None = None
    store: ThumbnailStore | None = None


@dataclass(frozen=True)
class PruneThumbnails:
    """Decode pool. Reply: `int`, the size of the store in bytes after pruning."""

    store: ThumbnailStore


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A film's displayed grey, uint8, with a longest side of at most `size_px`."""

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
    window with `auto`, otherwise the film's default.
    """

    film: FilmRef
    window: Window | None = None
    window_index: int | None = None
    auto: bool = False
    invert: bool = False
    overlays: bool = True
    """Draw the file's overlay planes."""
    square: bool = False
    """Enlarge pixels that are not square along their shorter side, as all figures do."""
    format: PictureFormat = "png"
    bits: Bits = 8
    style: FigureStyle | None = None
    """What is drawn besides the film and "Research use only"; None for only the film. `bits`
    overrides that of the style."""
    heat: HeatLayer | None = None
    """The film's heat map, drawn where the style includes it."""
    result_text: str = ""
    """A model's result for the caption, where there is no heat map."""
    limits: Limits | None = None


@dataclass(frozen=True, eq=False)
class RenderedFilm:
    """Displayed grey at native resolution, as the bytes of a picture file."""

    film: FilmRef
    picture: bytes
    burned_in: str
    """BurnedInAnnotation: `YES`, `NO`, or empty where it is absent."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeidentifyFilm:
    """Decode pool. Reply: `DeidentifiedFilm`.

    The same `key` maps the same UIDs and patients to the same new ones.
    """

    film: FilmRef
    key: bytes = field(repr=False)
    keep_characteristics: bool = False
    """Keep age, sex, size and weight (PS3.15 E.3.4)."""
    allowed: frozenset[str] = frozenset()
    """Keywords of elements that are copied even with a name or an identifier in their text."""
    limits: Limits | None = None


@dataclass(frozen=True, eq=False)
class DeidentifiedFilm:
    """A DICOM file de-identified by the Basic Profile of PS3.15, as bytes."""

    film: FilmRef
    file: bytes = field(repr=False)
    patient: str
    """The patient's alias, the same for all films with one key."""
    burned_in: str
    """BurnedInAnnotation: `YES`, `NO`, or empty where it is absent."""
    replaced: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    """Keyword, old value and new value of PatientID and the film's UIDs."""
    found_in: tuple[str, ...] = ()
    """Keywords of elements whose text was replaced because of a name or an identifier in it."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadTags:
    """Decode pool. Reply: `tuple[TagNode, ...]`, the attributes of a DICOM file."""

    path: Path


@dataclass(frozen=True)
class ReadAttributes:
    """Decode pool. Reply: `tuple[str, ...]`, the values of `columns` in one file, as text.

    A column is a keyword or a path through sequences, see `io.tags`.
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
    """The scope in the model's card."""
    stated: StatedFilms = NOTHING_STATED
    """What the user states of the film's folder."""


@dataclass(frozen=True)
class PrepareInputs:
    """Decode pool. Reply: `tuple[PreparedFilm, ...]`, one per model, from one decoded film."""

    film: FilmRef
    models: tuple[tuple[PreprocessSpec, Scope], ...]
    """The preprocessing and the scope in each model's card."""
    limits: Limits | None = None
    stated: StatedFilms = NOTHING_STATED


@dataclass(frozen=True, eq=False)
class PreparedFilm:
    """A film that was preprocessed in the worker, so that little data is passed.

    `film` includes what decoding added (rows, columns); `sha256` is the hash of the file.
    """

    film: FilmRef
    model_input: ModelInput
    sha256: str
    gate: GateVerdict
    """The verdict by header and pixels, to which the model adds its own."""
    pixel_gate: GateVerdict = field(default_factory=GateVerdict)
    """The part of it that rests on the pixels."""
    input_sha256: str = ""
    """Of the values that the network sees: films with equal ones have equal scores."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelRef:
    """A trusted model file; the worker refuses a file with another hash."""

    path: Path
    sha256: str
    device: str = AUTO
    """The id of a device, or `auto`."""
    runtime: str = AUTO
    """The id of a runtime, or `auto`."""
    precision: str = EXACT
    """`exact` or `fast`."""
    card_sha256: str = field(default="", compare=False)
    """Of the card that the model was loaded with; empty before. With another card, a new worker
    refuses the work."""
    device_in_use: str = field(default="", compare=False)
    """The device that the model was loaded on (`cpu`, `cuda:0`), likewise."""
    runtime_in_use: str = field(default="", compare=False)
    """The runtime that classified (`torch`, `openvino`), likewise."""
    beside: tuple[ModelRef, ...] = field(default=(), compare=False)
    """Other models that stay in memory: a batch with several models takes turns."""


@dataclass(frozen=True)
class LoadModel:
    """Model worker. Reply: `ModelReady`, after the checks have passed."""

    model: ModelRef
    card: ModelCard | None = None
    """A card to check the file against instead of its own; the model in memory stays."""


@dataclass(frozen=True)
class ModelReady:
    """A loaded model that matches its card."""

    model: ModelRef
    """The model of the request, with the card and the device in use."""
    card: ModelCard
    device: str
    """The device in use: `cpu`, `cuda:0`."""
    device_name: str
    precision: str
    explain_methods: tuple[str, ...]
    features_note: str = ""
    """Where the network was split for Grad-CAM, or why it cannot be; empty for one in two parts."""
    notes: tuple[str, ...] = ()
    """What is adapted to run the network, one phrase each."""
    runtime: str = TORCH
    """The id of the runtime that classifies."""
    score_difference: float = 0.0
    """The greatest difference of a score from eager float32 on the test films."""
    has_training_statistics: bool = False
    """The bundle has statistics of its training films, so predictions have an `ood_score`."""


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
    progress: Path | None = None
    """The file of a `ProgressFile`."""


FilmRequest = (
    DecodeFilm
    | MakeThumbnail
    | InspectFilm
    | RenderFilm
    | DeidentifyFilm
    | PrepareInput
    | PrepareInputs
)
"""Requests that decode a film, within `limits`."""

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
    | PrepareInputs
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
    | tuple[PreparedFilm, ...]
    | ModelReady
    | tuple[Prediction, ...]
    | HeatMap
)
