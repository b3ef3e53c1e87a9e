"""JPEG Extended with 8 and 12 bits through GDCM, as a plug-in for pydicom's decoders.

pydicom's own GDCM plug-in refuses 12 bits, which old releases of GDCM could not decode. GDCM is
the only decoder for them without a copyleft licence. Its values equal those of DCMTK.
"""

from __future__ import annotations

from typing import Any

from pydicom.pixels.decoders.base import DecodeRunner

try:
    import gdcm
except ImportError:
    gdcm = None

_SYNTAX = "1.2.840.10008.1.2.4.51"
DECODER_DEPENDENCIES = {_SYNTAX: ("python-gdcm>=3.2.6",)}


def is_available(uid: str) -> bool:
    """Required by pydicom's plug-in interface."""
    return gdcm is not None and uid == _SYNTAX


def decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    """Decode one frame; samples of up to 8 bits as bytes, others as little endian words.

    Raises:
        ValueError: GDCM failed on the stream.
    """
    image = _image_of(src, runner)
    decoded: bytes = image.GetBuffer().encode("utf-8", "surrogateescape")
    expected = runner.frame_length(unit="bytes")
    if len(decoded) != expected:
        raise ValueError(f"{len(decoded)} bytes were decoded instead of {expected}")
    return decoded


def _image_of(src: bytes, runner: DecodeRunner) -> Any:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(src)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())

    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((runner.columns, runner.rows, 1))
    image.SetDataElement(element)
    photometric = gdcm.PhotometricInterpretation.GetPIType(str(runner.photometric_interpretation))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(photometric))
    if runner.samples_per_pixel > 1:
        image.SetPlanarConfiguration(runner.planar_configuration)
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(_SYNTAX)))
    image.SetPixelFormat(
        gdcm.PixelFormat(
            runner.samples_per_pixel,
            runner.bits_allocated,
            runner.bits_stored,
            runner.bits_stored - 1,
            runner.pixel_representation,
        )
    )
    return image
