"""Builders of synthetic films: DICOM in every photometric interpretation, sign, depth, window and
transfer syntax, and PNG, JPEG and TIFF files with the features of their formats.

    write_dicom(path, pixels_HW, photometric="MONOCHROME1", bits_stored=12, windows=[(2048, 4096)])
    write_encapsulated(path, [codestream], pixels_HW, transfer_syntax=uid)
    write_raster(path, pixels_HW)                  # format by suffix: .png .jpg .tif
    lut_item(first_value, entries, bits)           # an item for `voi_luts` or `modality_lut`
    phantom(rows, columns, bits)                   # a film-like gradient without symmetry
    SAMPLE_FILMS["png"](folder)                    # one film of each format of `domain.formats`
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

Array = npt.NDArray[Any]

NATIVE_SYNTAXES: tuple[UID, ...] = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
ENCODERS: dict[UID, str] = {
    JPEGLSLossless: "pyjpegls",
    JPEG2000Lossless: "pylibjpeg",
    RLELossless: "pylibjpeg",
}
"""Lossless compressed syntaxes, each with the pydicom plug-in that encodes it.

JPEG 2000 needs at least 32 rows and columns.
"""
ENCODABLE_SYNTAXES: tuple[UID, ...] = tuple(ENCODERS)


def phantom(rows: int = 48, columns: int = 40, bits: int = 12, *, signed: bool = False) -> Array:
    """A gradient over the whole range that changes under every flip, rotation and transposition.

    Values span 0 .. 2**bits - 1, or -2**(bits-1) .. 2**(bits-1) - 1 when `signed`.
    """
    y, x = np.mgrid[0:rows, 0:columns]
    grey = y * 2.0 / rows + x * 1.0 / columns + 0.3 * (y < rows // 3) * (x < columns // 4)
    grey = (grey - grey.min()) / np.ptp(grey)
    values = np.round(grey * (2**bits - 1)).astype(np.int64) - (2 ** (bits - 1) if signed else 0)
    container = 8 if bits <= 8 else 16 if bits <= 16 else 32
    return values.astype(f"{'i' if signed else 'u'}{container // 8}")


def lut_item(
    first_value: int,
    entries: Sequence[int] | Array,
    bits: int = 16,
    *,
    explanation: str = "",
    packed: bool = False,
    descriptor_vr: str = "",
) -> Dataset:
    """One item of a VOI LUT or Modality LUT Sequence (PS3.3 C.11.1.1, C.11.2.1.1).

    Args:
        first_value: first stored value mapped; a negative value is written as SS.
        entries: up to 65,536 values; a count of 65,536 is written as 0.
        bits: third value of the descriptor.
        packed: write 8-bit entries as single bytes.
        descriptor_vr: SS, US or OW instead of the VR that suits the first value.
    """
    item = Dataset()
    vr = descriptor_vr or ("SS" if first_value < 0 else "US")
    values = np.asarray(entries)
    words = np.array([values.size, first_value, bits], np.int64).astype(np.uint16)
    if vr == "OW":
        item.add_new("LUTDescriptor", vr, words.tobytes())
    else:
        item.add_new("LUTDescriptor", vr, words.view("i2" if vr == "SS" else "u2").tolist())
    data = values.astype("u1" if packed else "<u2").tobytes()
    item.add_new("LUTData", "OW", data + b"\0" * (len(data) % 2))
    if explanation:
        item.LUTExplanation = explanation
    return item


def write_dicom(
    path: Path,
    pixels: Array | None = None,
    *,
    photometric: str = "MONOCHROME2",
    bits_stored: int | None = None,
    bits_allocated: int | None = None,
    high_bit: int | None = None,
    signed: bool | None = None,
    planar: int = 0,
    slope: float | None = None,
    intercept: float | None = None,
    modality_lut: Dataset | None = None,
    windows: Sequence[tuple[float, float] | tuple[float, float, str]] = (),
    voi_function: str = "",
    voi_luts: Iterable[Dataset] = (),
    transfer_syntax: str = ExplicitVRLittleEndian,
    frames: int | None = None,
    preamble: bool = True,
    file_meta: bool = True,
    **tags: Any,
) -> Path:
    """Write one synthetic DX film and return its path.

    Args:
        pixels: stored values (rows, columns), colour (rows, columns, 3), or with `frames` one
            more leading axis; None writes a data set without pixel data. The defaults of bits
            allocated, bits stored and sign follow the dtype.
        high_bit: stored values are shifted up to end at this bit.
        windows: (centre, width) or (centre, width, explanation).
        transfer_syntax: one of NATIVE_SYNTAXES or ENCODABLE_SYNTAXES.
        frames: NumberOfFrames, which may be more than the pixels have.
        preamble: False omits the 128 bytes and DICM.
        file_meta: False also omits group 0002.
        tags: any attribute by keyword, written last: `PatientID="7"`, `PixelSpacing=[0.1, 0.1]`.
    """
    dataset = dataset_for(photometric=photometric, windows=windows)
    if pixels is not None:
        _describe(dataset, pixels, photometric, bits_allocated, bits_stored, high_bit, signed)
        dataset.PlanarConfiguration = planar if dataset.SamplesPerPixel > 1 else None
        if dataset.SamplesPerPixel == 1:
            del dataset.PlanarConfiguration
        if frames is not None:
            dataset.NumberOfFrames = frames
        _fill_pixels(dataset, pixels, UID(transfer_syntax), planar)
    if slope is not None or intercept is not None:
        dataset.RescaleSlope = 1 if slope is None else slope
        dataset.RescaleIntercept = 0 if intercept is None else intercept
    if modality_lut is not None:
        dataset.ModalityLUTSequence = [modality_lut]
    if voi_function:
        dataset.VOILUTFunction = voi_function
    if luts := list(voi_luts):
        dataset.VOILUTSequence = luts
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return _save(dataset, path, UID(transfer_syntax), preamble=preamble, file_meta=file_meta)


def write_encapsulated(
    path: Path, frames: Sequence[bytes], pixels: Array, *, transfer_syntax: str, **options: Any
) -> Path:
    """Write a film from compressed frames; `pixels` only give their shape and type."""
    write_dicom(path, pixels, **options)
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    dataset.add_new("PixelData", "OB", encapsulate(list(frames)))
    dataset["PixelData"].is_undefined_length = True
    if len(frames) > 1:
        dataset.NumberOfFrames = len(frames)
    return _save(dataset, path, UID(transfer_syntax), preamble=True, file_meta=True)


def dataset_for(
    *, photometric: str, windows: Sequence[tuple[Any, ...]] = (), **tags: Any
) -> Dataset:
    """The identifying attributes of a DX film, with its windows."""
    dataset = Dataset()
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = "1.2.826.0.1.3680043.10.999.3"
    dataset.StudyInstanceUID = "1.2.826.0.1.3680043.10.999.1"
    dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.10.999.2"
    dataset.Modality = "DX"
    dataset.PatientID = "P1"
    dataset.PatientName = "Nobody^Nemo"
    dataset.PhotometricInterpretation = photometric
    if windows:
        dataset.WindowCenter = [row[0] for row in windows]
        dataset.WindowWidth = [row[1] for row in windows]
        if any(len(row) > 2 for row in windows):
            dataset.WindowCenterWidthExplanation = [(*row, "")[2] for row in windows]
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def _describe(
    dataset: Dataset,
    pixels: Array,
    photometric: str,
    bits_allocated: int | None,
    bits_stored: int | None,
    high_bit: int | None,
    signed: bool | None,
) -> None:
    colour = photometric == "RGB" or photometric.startswith("YBR")
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.Rows, dataset.Columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    if pixels.dtype.kind == "f":
        dataset.BitsAllocated = 8 * pixels.dtype.itemsize
        return
    dataset.BitsAllocated = bits_allocated or 8 * pixels.dtype.itemsize
    dataset.BitsStored = bits_stored or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1 if high_bit is None else high_bit
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i" if signed is None else signed)


def _fill_pixels(dataset: Dataset, pixels: Array, syntax: UID, planar: int) -> None:
    if pixels.dtype.kind == "f":
        keyword = "FloatPixelData" if pixels.dtype.itemsize == 4 else "DoubleFloatPixelData"
        setattr(dataset, keyword, pixels.astype(pixels.dtype.newbyteorder("<")).tobytes())
        return
    if syntax in ENCODABLE_SYNTAXES:
        _compress(dataset, pixels, syntax)
        return
    # Values of `BitsStored` bits without sign extension, ending at the high bit.
    mask = (1 << dataset.BitsStored) - 1
    words = (pixels.astype(np.int64) & mask) << (dataset.HighBit + 1 - dataset.BitsStored)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    stored = words.astype(f"{order}u{dataset.BitsAllocated // 8}")
    if dataset.SamplesPerPixel == 3 and planar == 1:
        stored = np.moveaxis(stored, -1, -3)
    data = np.ascontiguousarray(stored).tobytes()
    data += b"\0" * (len(data) % 2)
    if order == ">" and dataset.BitsAllocated == 8:
        # OW words are swapped as a whole, so that bytes change places in pairs (PS3.5, 8.1.2).
        data = np.frombuffer(data, "<u2").astype(">u2").tobytes()
    dataset.add_new("PixelData", "OW", data)


def _compress(dataset: Dataset, pixels: Array, syntax: UID) -> None:
    """Encode the pixels with pydicom, frame by frame."""
    encoder = get_encoder(syntax)
    frames = pixels if int(dataset.get("NumberOfFrames", 1) or 1) > 1 else pixels[None]
    encoded = [
        encoder.encode(
            np.ascontiguousarray(frame),
            encoding_plugin=ENCODERS[syntax],
            rows=dataset.Rows,
            columns=dataset.Columns,
            number_of_frames=1,
            samples_per_pixel=dataset.SamplesPerPixel,
            photometric_interpretation=dataset.PhotometricInterpretation,
            bits_allocated=dataset.BitsAllocated,
            bits_stored=dataset.BitsStored,
            pixel_representation=dataset.PixelRepresentation,
            planar_configuration=0,
        )
        for frame in frames
    ]
    dataset.add_new("PixelData", "OB", encapsulate(encoded))
    dataset["PixelData"].is_undefined_length = True


def _save(dataset: Dataset, path: Path, syntax: UID, *, preamble: bool, file_meta: bool) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    if not file_meta:
        group_length = struct.unpack_from("<L", data, 140)[0]
        path.write_bytes(data[144 + group_length :])
    elif not preamble:
        path.write_bytes(data[132:])
    return path


# -- raster files ------------------------------------------------------------------------------


def write_raster(path: Path, pixels: Array, *, orientation: int | None = None) -> Path:
    """Write an image in the format of the suffix, colour as RGB or RGBA; return the path.

    Args:
        orientation: EXIF orientation 1..8, for JPEG and PNG; TIFF: see `tiff_bytes`.
    """
    stored = pixels
    if pixels.ndim == 3:
        code = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        stored = cv2.cvtColor(pixels, code)
    _, encoded = cv2.imencode(path.suffix, stored)
    data = encoded.tobytes()
    if orientation is not None:
        data = _with_orientation(data, orientation)
    path.write_bytes(data)
    return path


def _with_orientation(data: bytes, orientation: int) -> bytes:
    exif = struct.pack("<2sHLHHHLHHL", b"II", 42, 8, 1, 274, 3, 1, orientation, 0, 0)
    if data.startswith(b"\xff\xd8"):
        payload = b"Exif\0\0" + exif
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + data[2:]
    return data[:33] + png_chunk(b"eXIf", exif) + data[33:]


def png_chunk(name: bytes, payload: bytes) -> bytes:
    """A PNG chunk with its length and checksum."""
    body = name + payload
    return struct.pack(">L", len(payload)) + body + struct.pack(">L", zlib.crc32(body))


def tiff_bytes(
    *pages: Array,
    white_is_zero: bool = False,
    orientation: int = 1,
    big_endian: bool = False,
    big_tiff: bool = False,
) -> bytes:
    """An uncompressed TIFF of grey pages, one strip per page (TIFF 6.0, sections 2, 4; BigTIFF).

    uint, int and float samples of 8 to 64 bits, as the pages' dtype says.
    """
    order = ">" if big_endian else "<"
    pointer, count, head = ("Q", "Q", 16) if big_tiff else ("L", "H", 8)
    out = bytearray(b"MM" if big_endian else b"II")
    out += (
        struct.pack(f"{order}HHHQ", 43, 8, 0, 0) if big_tiff else struct.pack(f"{order}HL", 42, 0)
    )
    link = head - struct.calcsize(order + pointer)
    for page in pages:
        data_at = len(out)
        out += page.astype(page.dtype.newbyteorder(order)).tobytes()
        out += b"\0" * (len(out) % 2)
        struct.pack_into(f"{order}{pointer}", out, link, len(out))
        fields = (
            (256, 4, page.shape[1]),
            (257, 4, page.shape[0]),
            (258, 3, 8 * page.dtype.itemsize),
            (259, 3, 1),
            (262, 3, 0 if white_is_zero else 1),
            (273, 4, data_at),
            (274, 3, orientation),
            (277, 3, 1),
            (278, 4, page.shape[0]),
            (279, 4, page.nbytes),
            (339, 3, {"u": 1, "i": 2, "f": 3}[page.dtype.kind]),
        )
        out += struct.pack(f"{order}{count}", len(fields))
        for tag, kind, value in fields:
            letter = "H" if kind == 3 else "L"
            inline = struct.pack(f"{order}{letter}", value).ljust(
                struct.calcsize(order + pointer), b"\0"
            )
            out += struct.pack(f"{order}HH{pointer}", tag, kind, 1) + inline
        link = len(out)
        out += struct.pack(f"{order}{pointer}", 0)
    return bytes(out)


def write_jsrt(path: Path, seed: int = 0) -> Path:
    """Write a film as the JSRT database has it: 2048 x 2048 big-endian values of 12 bits."""
    small = np.random.default_rng(seed).integers(0, 4096, (64, 64))
    path.write_bytes(np.kron(small, np.ones((32, 32), int)).astype(">u2").tobytes())
    return path


SAMPLE_FILMS: dict[str, Callable[[Path], Path]] = {
    "dicom": lambda folder: write_dicom(folder / "a.dcm", phantom(), bits_stored=12),
    "png": lambda folder: write_raster(folder / "a.png", phantom(bits=16)),
    "jpeg": lambda folder: write_raster(folder / "a.jpg", phantom(bits=8)),
    "tiff": lambda folder: write_raster(folder / "a.tif", phantom(bits=16)),
    "jsrt": lambda folder: write_jsrt(folder / "a.img"),
}
"""Writes one grey film into a folder, for each row of `domain.formats`.

Of 48 x 40 pixels, but for the format that has only one size.
"""
