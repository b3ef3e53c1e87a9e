"""The layout of the pixels of a DICOM file (Image Pixel Module, PS3.3 C.7.6.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydicom.dataset import Dataset

from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.dicom.values import integer, text

FLOAT_KEYWORDS = frozenset({"FloatPixelData", "DoubleFloatPixelData"})
_REQUIRED = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")


@dataclass(frozen=True)
class PixelDescription:
    """Image Pixel Module (PS3.3 C.7.6.3) of a file."""

    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    planar: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    keyword: str

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame; 4:2:2 needs two thirds (PS3.3 C.7.6.3.1.2)."""
        bits = self.rows * self.columns * self.samples * self.bits_allocated
        if self.photometric == "YBR_FULL_422":
            bits = bits * 2 // 3
        return math.ceil(bits / 8)


def describe(dataset: Dataset, keyword: str) -> PixelDescription:
    """Read the Image Pixel Module.

    Raises:
        UnreadableFilm: DECODE_FAILED, naming the attribute that is missing or invalid.
    """
    values = {name: integer(dataset, name) for name in _REQUIRED}
    for name, value in values.items():
        if value is None or value <= 0:
            raise undecodable(f"{name} is missing or zero")
    allocated = values["BitsAllocated"] or 0
    is_float = keyword in FLOAT_KEYWORDS
    stored = allocated if is_float else integer(dataset, "BitsStored") or allocated
    high_bit = integer(dataset, "HighBit")
    sign = integer(dataset, "PixelRepresentation")
    photometric = text(dataset, "PhotometricInterpretation").upper()
    if not photometric:
        raise undecodable("PhotometricInterpretation is missing")
    if sign not in {0, 1} and not is_float:
        raise undecodable("PixelRepresentation is missing or neither 0 nor 1")
    if not 1 <= stored <= allocated or (allocated % 8 and allocated != 1) or allocated > 64:
        raise undecodable(f"{stored} bits stored in {allocated} allocated is not possible")
    return PixelDescription(
        rows=values["Rows"] or 0,
        columns=values["Columns"] or 0,
        frames=max(integer(dataset, "NumberOfFrames") or 1, 1),
        samples=values["SamplesPerPixel"] or 0,
        photometric=photometric,
        planar=integer(dataset, "PlanarConfiguration") or 0,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high_bit
        if high_bit is not None and stored <= high_bit + 1 <= allocated
        else stored - 1,
        signed=sign == 1,
        keyword=keyword,
    )


def undecodable(why: str) -> UnreadableFilm:
    """The error for pixels that cannot be decoded."""
    return UnreadableFilm(
        "The pixels cannot be decoded",
        code=StatusCode.DECODE_FAILED,
        why=why,
        hint="Copy or export it again from the source.",
    )
