"""Read the attributes that turn stored values into displayed grey (PS3.3 C.7.6.3, C.11)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from xrayview.domain.radiograph import Greyscale, Lut, VoiFunction, Window
from xrayview.io.dicom.luts import LutInput, read_lut, read_voi_lut
from xrayview.io.dicom.values import integer, items, number, numbers, text, texts

NOT_FOR_DISPLAY = "the Modality LUT gives X-ray intensity, is not for display, and is left out"

_FORBIDDEN_SHAPES = {("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE")}
_NO_RESCALE = (1.0, 0.0)
_NOT_FOR_DISPLAY = frozenset({"LOG", "DISP"})
_XA_MODALITIES = frozenset({"XA", "RF"})
_XA_CLASSES = frozenset(f"1.2.840.10008.5.1.4.1.1.12.{n}" for n in ("1", "1.1", "2", "2.1", "3"))
"""X-Ray Angiographic, Enhanced XA, Radiofluoroscopic, Enhanced XRF, and the retired biplane."""


@dataclass(frozen=True)
class SampleFormat:
    """How stored values are encoded."""

    photometric: str
    bits_stored: int
    signed: bool
    little_endian: bool


@dataclass
class _Notes:
    """What was ignored while reading, one line each."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        if line and line not in self.lines:
            self.lines.append(line)


def greyscale_of(dataset: Dataset, sample: SampleFormat) -> tuple[Greyscale, tuple[str, ...]]:
    """Read the grey-scale attributes; unusable ones are ignored, with a note."""
    notes = _Notes()
    modality, (slope, intercept) = None, _NO_RESCALE
    if _is_for_display(dataset, notes):
        modality = _modality_lut(dataset, sample, notes)
        slope, intercept = _NO_RESCALE if modality else _rescale(dataset, notes)
    inputs = _modality_range(sample, modality, slope, intercept)
    function = _voi_function(dataset, notes)
    shape = _presentation_shape(dataset, sample.photometric, notes)
    greyscale = Greyscale(
        photometric=sample.photometric,
        slope=slope,
        intercept=intercept,
        modality_lut=modality,
        windows=_windows(dataset, function, notes),
        voi_luts=_voi_luts(dataset, inputs, sample.little_endian, notes),
        voi_function=function,
        presentation_inverse=shape == "INVERSE",
        padding=_padding(dataset, sample),
        bits_stored=sample.bits_stored,
    )
    return greyscale, tuple(notes.lines)


def _presentation_shape(dataset: Dataset, photometric: str, notes: _Notes) -> str:
    """The shape, with a note for a pair that the standard forbids (PS3.3 C.7.6.1, C.8.11.3)."""
    shape = text(dataset, "PresentationLUTShape")
    if (photometric, shape) in _FORBIDDEN_SHAPES:
        notes.add(
            f"PresentationLUTShape {shape} contradicts {photometric}: low values are shown white"
        )
    return shape


def _rescale(dataset: Dataset, notes: _Notes) -> tuple[float, float]:
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    if slope == 0:
        notes.add("a rescale slope of 0 is ignored")
        return _NO_RESCALE
    return 1.0 if slope is None else slope, intercept or 0.0


def _voi_function(dataset: Dataset, notes: _Notes) -> VoiFunction:
    name = text(dataset, "VOILUTFunction").upper()
    try:
        return VoiFunction(name or "LINEAR")
    except ValueError:
        notes.add("an unknown VOI LUT function is read as LINEAR")
        return VoiFunction.LINEAR


def _windows(dataset: Dataset, function: VoiFunction, notes: _Notes) -> tuple[Window, ...]:
    """All usable windows. PS3.3 C.11.2.1.2: the width is at least 1 for LINEAR, else above 0."""
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    explanations = texts(dataset, "WindowCenterWidthExplanation")
    if len(centers) != len(widths):
        notes.add("window centres and widths do not come in pairs: the extra ones are ignored")
    windows = []
    for i, (center, width) in enumerate(zip(centers, widths, strict=False)):
        usable = width >= 1 if function is VoiFunction.LINEAR else width > 0
        if not (usable and math.isfinite(center) and math.isfinite(width)):
            notes.add("a window without a usable centre and width is ignored")
            continue
        explanation = explanations[i] if i < len(explanations) else ""
        windows.append(Window(center, width, function, explanation))
    return tuple(windows)


def _modality_lut(dataset: Dataset, sample: SampleFormat, notes: _Notes) -> Lut | None:
    for item in items(dataset, "ModalityLUTSequence")[:1]:
        lut, note = read_lut(item, "Modality LUT", _stored_range(sample), sample.little_endian)
        notes.add(note)
        return lut
    return None


def _is_for_display(dataset: Dataset, notes: _Notes) -> bool:
    """Whether the Modality LUT Module leads to what is displayed.

    In XA and XRF images with the relationship LOG or DISP it leads back to the X-ray intensity,
    and the VOI stage applies to the stored values (PS3.3 C.8.7.1.1.2, PS3.4 figure N.2-1).
    """
    relationship = text(dataset, "PixelIntensityRelationship").upper()
    if relationship not in _NOT_FOR_DISPLAY or not _is_xa(dataset):
        return True
    if items(dataset, "ModalityLUTSequence") or _rescale(dataset, _Notes()) != _NO_RESCALE:
        notes.add(f"PixelIntensityRelationship is {relationship}: {NOT_FOR_DISPLAY}")
    return False


def _is_xa(dataset: Dataset) -> bool:
    is_class = text(dataset, "SOPClassUID") in _XA_CLASSES
    return is_class or text(dataset, "Modality") in _XA_MODALITIES


def _stored_range(sample: SampleFormat) -> LutInput:
    lowest = -(2 ** (sample.bits_stored - 1)) if sample.signed else 0
    return LutInput(lowest, lowest + 2**sample.bits_stored - 1, sample.signed)


def _modality_range(
    sample: SampleFormat, lut: Lut | None, slope: float, intercept: float
) -> LutInput:
    """Possible modality values; signed where one may be negative (PS3.3 C.11.2.1.1)."""
    if lut is not None:
        return LutInput(int(lut.entries.min()), int(lut.entries.max()), is_signed=False)
    stored = _stored_range(sample)
    low, high = sorted(end * slope + intercept for end in (stored.lowest, stored.highest))
    return LutInput(low, high, is_signed=low < 0)


def _voi_luts(
    dataset: Dataset, inputs: LutInput, little_endian: bool, notes: _Notes
) -> tuple[Lut, ...]:
    """All usable VOI LUTs; several without an explanation are numbered."""
    sequence = items(dataset, "VOILUTSequence")
    luts = []
    for n, item in enumerate(sequence, start=1):
        name = f"VOI LUT {n}" if len(sequence) > 1 else "VOI LUT"
        lut, lut_notes = read_voi_lut(item, name, inputs, little_endian)
        for note in lut_notes:
            notes.add(note)
        if lut is not None:
            luts.append(lut)
    return tuple(luts)


def _padding(dataset: Dataset, sample: SampleFormat) -> tuple[float, float] | None:
    """Pixel padding as an inclusive range; its ends come in either order (PS3.3 C.7.5.1.1.2)."""
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(dataset, "PixelPaddingRangeLimit")
    ends = sorted(_as_stored(end, sample) for end in (value, value if limit is None else limit))
    return float(ends[0]), float(ends[1])


def _as_stored(value: int, sample: SampleFormat) -> int:
    """A padding value with the sign of the pixels, whichever VR it was written with."""
    if -0x8000 <= value <= 0xFFFF:
        value &= 0xFFFF
        return value - 0x10000 if sample.signed and value > 0x7FFF else value
    return value
