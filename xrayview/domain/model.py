"""A model's description (card), its result for a film (prediction), and why (heat map)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Task = Literal["binary", "multiclass", "multilabel"]
Activation = Literal["softmax", "sigmoid"]
Outputs = Literal["logits", "probabilities"]


@dataclass(frozen=True)
class Finding:
    """What a model scores."""

    name: str
    description: str = ""
    abnormal: bool = True
    synonyms: tuple[str, ...] = ()
    """Other labels that mean this finding, beside those of `domain.finding_names`."""


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold on the score, with how it was chosen."""

    finding: str
    name: str
    threshold: float
    chosen_by: str
    sensitivity: float | None = None
    specificity: float | None = None


@dataclass(frozen=True)
class PreprocessSpec:
    """How a film becomes a model's input; versioned plain data, part of the card.

    Steps in order: modality values -> `source` -> grey in 0..1, bright is dense ->
    `fit` to `size` -> `equalize` -> scale to `value_range` -> (x - mean) / std, with the film's own
    mean and standard deviation where `standardize` is `film` -> `channels` copies.
    """

    size: tuple[int, int]
    """Height, width."""
    channels: Literal[1, 3] = 1
    source: Literal["percentile", "full_range"] = "percentile"
    percentiles: tuple[float, float] = (0.5, 99.5)
    fit: Literal["letterbox", "stretch", "center_crop"] = "letterbox"
    interpolation: Literal["area", "linear", "cubic"] = "area"
    equalize: Literal["none", "histogram", "clahe"] = "none"
    standardize: Literal["fixed", "film"] = "fixed"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    value_range: tuple[float, float] = (0.0, 1.0)
    version: int = 1


@dataclass(frozen=True)
class Calibration:
    """Temperature scaling: score = activation(logit / temperature).

    There is one temperature, or one per finding.
    """

    method: Literal["none", "temperature"] = "none"
    temperature: tuple[float, ...] = (1.0,)
    fitted_on: str = ""


@dataclass(frozen=True)
class Scope:
    """The films that a model is meant for, in terms of the header; empty where not stated."""

    age_years: tuple[float, ...] = ()
    """Youngest and oldest in completed years: 1, 5 ends the day before the sixth birthday."""
    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    view_positions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """The description inside a model bundle: plain data, read without running the model."""

    schema: int
    name: str
    version: str
    task: Task
    activation: Activation
    findings: tuple[Finding, ...]
    preprocessing: PreprocessSpec
    description: str = ""
    authors: str = ""
    licence: str = ""
    created_utc: str = ""
    intended_use: str = ""
    limitations: str = ""
    flip_average: bool = False
    """Logits are the mean over the film and its mirror image, as when the model was evaluated."""
    outputs: Outputs = "logits"
    """What the network returns; probabilities are converted to logits first."""
    calibration: Calibration = Calibration()
    operating_points: tuple[OperatingPoint, ...] = ()
    explain: dict[str, object] = field(default_factory=dict)
    gate: dict[str, object] = field(default_factory=dict)
    scope: Scope = Scope()
    training: dict[str, object] = field(default_factory=dict)
    metrics: dict[str, dict[str, dict[str, float | int | None]]] = field(default_factory=dict)
    reference: dict[str, object] = field(default_factory=dict)

    def operating_point(self, finding: str) -> OperatingPoint:
        """The first operating point of a finding; 0.5 by convention where the card has none."""
        for point in self.operating_points:
            if point.finding == finding:
                return point
        return OperatingPoint(finding, "default", 0.5, "0.5 by convention, not chosen on data")


@dataclass(frozen=True)
class Affine:
    """Axis-aligned map between pixel grids: `y' = scale_y * y + offset_y`, x likewise.

    Coordinates are continuous with pixel centres at integers + 0.5 (the top left corner of the
    film is (0, 0)), so that a resize by s is exactly a scale by s.
    """

    scale_y: float
    scale_x: float
    offset_y: float = 0.0
    offset_x: float = 0.0

    def inverse(self) -> Affine:
        """The inverse map."""
        return Affine(
            1 / self.scale_y,
            1 / self.scale_x,
            -self.offset_y / self.scale_y,
            -self.offset_x / self.scale_x,
        )

    def then(self, after: Affine) -> Affine:
        """The composition: this map first, then `after`."""
        return Affine(
            after.scale_y * self.scale_y,
            after.scale_x * self.scale_x,
            after.scale_y * self.offset_y + after.offset_y,
            after.scale_x * self.offset_x + after.offset_x,
        )

    def apply(self, y: float, x: float) -> tuple[float, float]:
        """Map one point (y, x)."""
        return self.scale_y * y + self.offset_y, self.scale_x * x + self.offset_x


@dataclass(frozen=True, eq=False)
class ModelInput:
    """A preprocessed film.

    `x_CHW` is float32. `film_to_input` maps film pixel coordinates to input pixel coordinates.
    """

    film_id: str
    x_CHW: npt.NDArray[np.float32]
    film_to_input: Affine
    film_size: tuple[int, int]
    """Rows and columns of the film."""
    preprocessing_id: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class GateVerdict:
    """Whether a film is in the model's scope: `refused`, or with caution for what `flags` name."""

    refused: bool = False
    flags: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    """What the file does not say: `AGE_UNKNOWN`, or `AGE_STATED` where the user says it."""
    ood_score: float | None = None
    """Distance from the training films by the model's statistics; None if not checked."""
    ood_percentile: float | None = None
    """Percentage of the validation films that lie closer, 0..100."""
    ood_text: str = ""
    """The percentage in words; empty if not checked."""

    @property
    def caution(self) -> str:
        """Why to read the scores with caution; empty for a film in scope or refused."""
        return " ".join(self.reasons) if self.flags and not self.refused else ""


@dataclass(frozen=True)
class Prediction:
    """One model's result for one film; all tuples are in the order of the card's findings."""

    film_id: str
    model_sha256: str
    findings: tuple[str, ...]
    scores: tuple[float, ...]
    """Calibrated, 0..1."""
    logits: tuple[float, ...]
    """Uncalibrated; the mean over film and mirror image where the card has `flip_average`."""
    thresholds: tuple[float, ...]
    flags: tuple[bool, ...]
    """score >= threshold."""
    predicted: str
    """Flagged findings joined by `|`; the top finding of a multiclass model."""
    uncertainty: float
    """Entropy of the scores over its maximum, 0 (certain) .. 1; mean over multilabel findings."""
    device: str
    precision: str
    runtime: str = "torch"
    """The id of the runtime that took the film through the network."""
    gate: GateVerdict = GateVerdict()
    """The verdict by the statistics of the training films; without `ood_score` if not checked."""


@dataclass(frozen=True, eq=False)
class HeatMap:
    """Where the model found evidence for a finding.

    `values_hw` is float32 in 0..1 on the method's own grid (Grad-CAM: the feature map), scaled to a
    peak of 1; all zero when there is no positive evidence. `grid_to_film` maps it to the film.
    """

    film_id: str
    model_sha256: str
    finding: str
    method: str
    score: float
    threshold: float
    values_hw: npt.NDArray[np.float32]
    grid_to_film: Affine
    film_size: tuple[int, int]
    evidence: float
    """Peak of the map before scaling, in logit units per cell; 0 means no evidence."""

    @property
    def has_evidence(self) -> bool:
        """True where there is positive evidence; noise is never stretched into a map."""
        return self.evidence > 0.0
