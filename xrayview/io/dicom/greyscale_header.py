"""Read the attributes that turn stored values into displayed grey (PS3.3 C.7.6.3, C.11)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from xrayview.domain.radiograph import Greyscale, Lut, VoiFunction, Window
from xrayview.io.dicom.values import integer, items, number, numbers, text, texts

_FORBIDDEN_SHAPES = {("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE")}


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
        if line not in self.lines:
            self.lines.append(line)


def greyscale_of(dataset: Dataset, sample: SampleFormat) -> tuple[Greyscale, tuple[str, ...]]:
    """Read the grey-scale attributes; unusable ones are ignored, with a note."""
    notes = _Notes()
    modality = [
        lut
        for item in items(dataset, "ModalityLUTSequence")[:1]
        if (lut := _lut(item, sample, "Modality LUT", notes))
    ]
    slope, intercept = (1.0, 0.0) if modality else _rescale(dataset, notes)
    function = _voi_function(dataset, notes)
    shape = _presentation_shape(dataset, sample.photometric, notes)
    greyscale = Greyscale(
        photometric=sample.photometric,
        slope=slope,
        intercept=intercept,
        modality_lut=modality[0] if modality else None,
        windows=_windows(dataset, function, notes),
        voi_luts=_voi_luts(dataset, sample, notes),
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
        return 1.0, 0.0
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


def _voi_luts(dataset: Dataset, sample: SampleFormat, notes: _Notes) -> tuple[Lut, ...]:
    """All usable VOI LUTs; several without an explanation are numbered."""
    sequence = items(dataset, "VOILUTSequence")
    luts = []
    for n, item in enumerate(sequence, start=1):
        lut = _lut(item, sample, "VOI LUT", notes)
        if lut is not None:
            is_unnamed = len(sequence) > 1 and lut.explanation == "VOI LUT"
            luts.append(replace(lut, explanation=f"VOI LUT {n}") if is_unnamed else lut)
    return tuple(luts)


def _lut(item: Dataset, sample: SampleFormat, name: str, notes: _Notes) -> Lut | None:
    """One item of a LUT sequence (PS3.3 C.11.1.1, C.11.2.1.1)."""
    descriptor = numbers(item, "LUTDescriptor")
    if len(descriptor) != 3 or not all(math.isfinite(value) for value in descriptor):
        notes.add(f"a {name} without a descriptor is ignored")
        return None
    # 65,536 entries do not fit into the 16-bit count and are written as 0.
    count = int(descriptor[0]) & 0xFFFF or 65536
    first = int(descriptor[1])
    if sample.signed and first > 0x7FFF:
        first -= 0x10000
    entries = _lut_entries(item, count, sample.little_endian)
    if entries is None:
        notes.add(f"a {name} with fewer entries than it declares is ignored")
        return None
    bits = max(int(descriptor[2]), int(entries.max()).bit_length(), 1)
    if not 1 <= bits <= 16:
        bits = 16
    return Lut(first, entries, bits, text(item, "LUTExplanation") or name)


def _lut_entries(item: Dataset, count: int, little: bool) -> npt.NDArray[np.uint16] | None:
    try:
        value = item["LUTData"].value
    except Exception:  # pydicom converts on access, and a broken value raises anything
        return None
    if isinstance(value, bytes):
        if len(value) in {count, count + 1} and count > 1:
            return np.frombuffer(value, np.uint8)[:count].astype(np.uint16)
        words = np.frombuffer(value[: len(value) // 2 * 2], "<u2" if little else ">u2")
    else:
        listed = [value] if isinstance(value, int) else list(value or ())
        words = np.asarray(listed, np.int64).astype(np.uint16)
    if words.size >= count:
        return words[:count].astype(np.uint16)
    if words.size and words.size == (count + 1) // 2:
        # 8-bit entries, two per word.
        return words.astype("<u2").view(np.uint8)[:count].astype(np.uint16)
    return None


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
