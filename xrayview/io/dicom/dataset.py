"""Parse a DICOM file up to its pixel data, with limits on size and depth, and find truncation."""

from __future__ import annotations

import math
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
import pydicom.config
from pydicom.datadict import dictionary_has_tag
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.valuerep import VR

from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.dicom.unknown_vr import MAX_DEPTH, KnownVrs, lose_values
from xrayview.io.dicom.values import integer, text
from xrayview.io.limits import MAX_DEFLATED_HEADER_BYTES, MAX_INFLATED_BYTES, too_large

# Values are checked where they are used; a warning about an odd value would also quote it.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
EXPLICIT_BE = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
DICOMDIR_CLASS = "1.2.840.10008.1.3.10"

PIXEL_KEYWORDS = {
    0x7FE00008: "FloatPixelData",
    0x7FE00009: "DoubleFloatPixelData",
    0x7FE00010: "PixelData",
}
UNDEFINED_LENGTH = 0xFFFFFFFF

_PREAMBLE = 128
_ELEMENT_HEADER = 8
_VRS = frozenset(vr.value.encode() for vr in VR if len(vr.value) == 2)
_META_TAGS = [0x00020002, 0x00020010]
"""MediaStorageSOPClassUID, TransferSyntaxUID."""


@dataclass(frozen=True)
class PixelElement:
    """The pixel data element, whose value is at `offset` in `DicomFile.body`."""

    keyword: str
    vr: str
    offset: int
    length: int


@dataclass(frozen=True)
class DicomFile:
    """A data set without its pixels, and the position of the pixels."""

    dataset: Dataset
    transfer_syntax: str
    is_index: bool
    """The file is a DICOMDIR: it refers to films and contains none."""
    little_endian: bool
    body: BinaryIO
    """The stream that contains `pixels`: the file, or the inflated data of a deflated file."""
    pixels: PixelElement | None
    truncated: bool
    """The file ends inside an element of its header."""
    warnings: tuple[str, ...] = ()
    """`incomplete: ...` for a file that is truncated although its film may be complete."""
    lost: frozenset[int] = frozenset()
    """Positions in `body` of the values that cannot be read, since their VR is unknown."""
    patches: Mapping[int, bytes] = field(default_factory=dict)
    """Positions of unknown VRs, and what is read instead of them."""
    attribute_paths: Mapping[str, str] = field(default_factory=dict)
    """For attributes from functional groups: keyword to the path of tags that leads to them."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the file cannot be read."""
        count = len(self.lost)
        return (f"elements with an unknown VR, which cannot be read: {count}",) if count else ()


def sniff(head: bytes) -> bool:
    """True for a file with DICM after its preamble, or that starts like a data set without one."""
    return head[_PREAMBLE : _PREAMBLE + 4] == b"DICM" or _starts_like_a_dataset(head)


def open_dicom(stream: BinaryIO, tags: list[int], *, with_pixels: bool) -> DicomFile:
    """Read the elements `tags` up to the pixel data.

    Args:
        stream: the file, opened at its start.
        tags: elements to read; all others are skipped.
        with_pixels: also inflate the pixels of a deflated file.

    Raises:
        UnreadableFilm: DECODE_FAILED for a broken header, TOO_LARGE for a deflated bomb.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _open(stream, tags, with_pixels)
        except RecursionError as error:
            raise _broken("its sequences are nested too deeply") from error
        except (OSError, EOFError, struct.error, zlib.error) as error:
            # pydicom's own OSErrors have no errno; those of the disk are passed on.
            if isinstance(error, OSError) and error.errno:
                raise
            raise _broken("the file ends or becomes invalid inside its header") from error


def read_whole(path: Path) -> Dataset:
    """Read all elements of a file; those with an unknown VR raise when they are accessed."""
    with path.open("rb") as stream:
        try:
            file = open_dicom(stream, [], with_pixels=False)
        except UnreadableFilm:
            return pydicom.dcmread(path, force=True)
    if not file.patches or file.transfer_syntax == DEFLATED:
        return pydicom.dcmread(path, force=True)
    data = bytearray(path.read_bytes())
    for position, vr in file.patches.items():
        data[position : position + len(vr)] = vr
    dataset = pydicom.dcmread(BytesIO(data), force=True)
    for part in (dataset.file_meta, dataset):
        lose_values(part, file.lost, MAX_DEPTH)
    return dataset


def _open(stream: BinaryIO, tags: list[int], with_pixels: bool) -> DicomFile:
    stream.seek(0)
    head = stream.read(_PREAMBLE + 4)
    stream.seek(_PREAMBLE + 4 if head.endswith(b"DICM") and len(head) == _PREAMBLE + 4 else 0)
    meta = _Elements(stream, lambda tag: tag >> 16 != 2)
    file_meta = meta.read(implicit=False, little=True, tags=_META_TAGS)
    syntax = text(file_meta, "TransferSyntaxUID")
    if meta.truncated:
        raise _broken("the file ends inside its header")
    stream.seek(meta.stream.tell())  # a view of the stream may have read ahead
    syntax = syntax or _guess_syntax(stream)
    if syntax == DEFLATED:
        file = _deflated(stream.read(), tags, with_pixels)
    else:
        file = _data_set(stream, syntax, tags)
    index = text(file_meta, "MediaStorageSOPClassUID") == DICOMDIR_CLASS
    return replace(
        file,
        is_index=index,
        lost=file.lost | meta.lost,
        patches={**meta.patches, **file.patches},
    )


def _data_set(stream: BinaryIO, syntax: str, tags: list[int]) -> DicomFile:
    """Read the data set at the current position, up to its pixels."""
    elements = _Elements(stream, lambda tag: tag in PIXEL_KEYWORDS)
    little = syntax != EXPLICIT_BE
    dataset = elements.read(implicit=syntax == IMPLICIT_LE, little=little, tags=tags)
    pixels = None
    if elements.stopped_at:
        tag, vr, offset, length = elements.stopped_at
        pixels = PixelElement(PIXEL_KEYWORDS[tag], vr, offset, length)
    return DicomFile(
        dataset=dataset,
        transfer_syntax=syntax,
        is_index=False,
        little_endian=little,
        body=elements.stream,
        pixels=pixels,
        truncated=elements.truncated,
        lost=elements.lost,
        patches=elements.patches,
    )


class _Elements:
    """Reads elements until `stop` is true for a tag, and detects a file that ends inside one."""

    def __init__(self, stream: BinaryIO, stop: Callable[[int], bool]) -> None:
        self.stream = stream
        self._stop = stop
        self._start = self._end = stream.tell()
        self.stopped_at: tuple[int, str, int, int] | None = None
        """Tag, VR, position of the value, its length."""
        self.truncated = False
        self.lost: frozenset[int] = frozenset()
        self.patches: dict[int, bytes] = {}

    def read(self, *, implicit: bool, little: bool, tags: list[int]) -> Dataset:
        if not implicit:
            known = KnownVrs(self.stream, self._stop, little_endian=little, in_every_frame=not tags)
            self.stream, self.lost, self.patches = known.stream, known.lost, known.patches
        dataset = read_dataset(
            self.stream, implicit, little, stop_when=self._at, specific_tags=list(tags)
        )
        lose_values(dataset, self.lost)
        if self.stopped_at is None:
            size = self.stream.seek(0, os.SEEK_END)
            cut = self._end > size or 0 < size - self._end < _ELEMENT_HEADER
            self.truncated = cut or self._start == size
        return dataset

    def _at(self, tag: Any, vr: str | None, length: int) -> bool:
        value = self.stream.tell()
        if self._stop(int(tag)):
            self.stopped_at = (int(tag), vr or "", value, length)
            return True
        # Where an undefined length ends only the parser knows, which raises at the file's end.
        self._end = value + length if length != UNDEFINED_LENGTH else value
        return False


def _guess_syntax(stream: BinaryIO) -> str:
    """Guess the encoding of a data set without a TransferSyntaxUID from its first element."""
    start = stream.tell()
    head = stream.read(6)
    stream.seek(start)
    if head[4:6] not in _VRS:
        return IMPLICIT_LE
    # A low group number that is read in the wrong byte order has its bits in the high byte.
    return EXPLICIT_BE if head[1:2] > head[0:1] else EXPLICIT_LE


def _deflated(data: bytes, tags: list[int], with_pixels: bool) -> DicomFile:
    """Inflate the header, then no more than its rows, columns and frames need (PS3.5, A.5).

    A few megabytes may inflate to gigabytes.
    """
    header, _ = _inflate(data, MAX_DEFLATED_HEADER_BYTES)
    file = _data_set(BytesIO(header), DEFLATED, tags)
    if file.pixels is None and len(header) == MAX_DEFLATED_HEADER_BYTES:
        raise too_large("its deflated header is longer than any real one")
    if not with_pixels or file.pixels is None:
        return file
    end = file.pixels.offset + min(file.pixels.length, _pixel_bytes(file.dataset))
    limit = min(end + MAX_DEFLATED_HEADER_BYTES, MAX_INFLATED_BYTES)
    body, state = _inflate(data, limit)
    if state.unconsumed_tail:
        raise too_large(
            f"it inflates to more than {limit / 1024**2:.0f} MiB, which is more than its rows, "
            "columns and frames need or than the limit"
        )
    warning = () if state.eof else ("incomplete: the deflated data has no end",)
    return replace(file, body=BytesIO(body), warnings=warning)


def _pixel_bytes(dataset: Dataset) -> int:
    """Bytes of all frames by the Image Pixel Module; 0 where it is incomplete."""
    keywords = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    values = [integer(dataset, keyword) or 0 for keyword in keywords]
    frames = max(integer(dataset, "NumberOfFrames") or 1, 1)
    return math.prod(max(value, 0) for value in values) * frames // 8 + 2


def _inflate(data: bytes, limit: int) -> tuple[bytes, zlib._Decompress]:
    """The first `limit` bytes, and the state of the decompressor."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    return inflater.decompress(data, limit), inflater


def _starts_like_a_dataset(head: bytes) -> bool:
    if len(head) < 8:
        return False
    for order in "<>":
        group, element, vr, _ = struct.unpack(f"{order}HH2sH", head[:8])
        # Element 0000 is a group length, which is not in the dictionary.
        known = element == 0 or dictionary_has_tag(group << 16 | element)
        if group not in {0x0002, 0x0008} or not known:
            continue
        if vr in _VRS:
            return True
        (length,) = struct.unpack(f"{order}L", head[4:8])
        if order == "<" and (length <= 4096 or length == UNDEFINED_LENGTH):
            return True
    return False


def _broken(why: str) -> UnreadableFilm:
    return UnreadableFilm(
        "The DICOM header is broken",
        code=StatusCode.DECODE_FAILED,
        why=why,
        hint="The file was probably truncated; copy or export it again.",
    )
