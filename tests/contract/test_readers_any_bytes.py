"""A reader that gets arbitrary bytes raises only our own errors.

Only what is written in Python or copies bytes is fuzzed: headers, structure, uncompressed pixels.
Native decoders may crash on such files, which is why they run in decode workers.
"""

from __future__ import annotations

import struct
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from tests.builders import (
    SAMPLE_FILMS,
    lut_item,
    phantom,
    tiff_bytes,
    write_dicom,
    write_raster,
)
from xrayview.domain.formats import BY_ID, FORMATS
from xrayview.errors import UnreadableFilm
from xrayview.io.dicom.codestream import check_codestream, frame_warning
from xrayview.io.dicom.fragments import read_fragments
from xrayview.io.dicom.transfer_syntax import TRANSFER_SYNTAXES
from xrayview.io.raster.png_jpeg_header import jpeg_is_complete, png_is_complete
from xrayview.io.raster.tiff_header import tiff_is_complete
from xrayview.io.readers import READERS, read_film, read_header

bounded = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

UNCOMPRESSED = ("implicit", "big endian", "deflated", "bare", "palette")
RASTER = (
    *(row.id for row in FORMATS if not row.has_tags and row.is_common),
    "two pages",
    "big tiff",
    "turned png",
    "turned jpeg",
)


@cache
def seeds() -> dict[str, bytes]:
    """Small complete films, one of each structure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "film"
        options = {
            "windows": [(2048, 4096, "NORMAL")],
            "voi_luts": [lut_item(0, range(16), 8)],
            "PixelSpacing": [0.1, 0.1],
            "PixelPaddingValue": 0,
        }
        grey = phantom(8, 6)
        palette = {
            f"{colour}PaletteColorLookupTable{part}": value
            for colour in ("Red", "Green", "Blue")
            for part, value in (("Descriptor", [256, 0, 8]), ("Data", bytes(range(256))))
        }
        made = {row: write(folder).read_bytes() for row, write in SAMPLE_FILMS.items()}
        for name, more in {
            "implicit": {"transfer_syntax": ImplicitVRLittleEndian},
            "big endian": {"transfer_syntax": ExplicitVRBigEndian},
            "deflated": {"transfer_syntax": DeflatedExplicitVRLittleEndian},
            "bare": {"preamble": False, "file_meta": False},
        }.items():
            made[name] = write_dicom(path, grey, **options, **more).read_bytes()
        made["palette"] = write_dicom(
            path, phantom(8, 6, 8), photometric="PALETTE COLOR", **palette
        ).read_bytes()
        made["two pages"] = tiff_bytes(phantom(8, 6, 16), phantom(8, 6, 8))
        made["big tiff"] = tiff_bytes(phantom(8, 6, 16), big_tiff=True, big_endian=True)
        for name in ("png", "jpeg"):
            film = write_raster(folder / f"film.{name}", phantom(8, 6, 8), orientation=6)
            made[f"turned {name}"] = film.read_bytes()
        return made


@st.composite
def mutated(draw: st.DrawFn, names: tuple[str, ...]) -> bytes:
    """A film with bytes overwritten, removed, duplicated or cut off."""
    data = bytearray(seeds()[draw(st.sampled_from(names))])
    # After the preamble, which is not read.
    first = 132 if data[128:132] == b"DICM" else 0
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(min(first, len(data)), len(data)))
        length = draw(st.integers(0, 8))
        kind = draw(st.sampled_from(["overwrite", "remove", "duplicate", "cut off", "number"]))
        if kind == "overwrite":
            data[at : at + length] = draw(st.binary(min_size=length, max_size=length))
        elif kind == "remove":
            del data[at : at + length]
        elif kind == "duplicate":
            data[at:at] = data[at : at + 16 * length]
        elif kind == "cut off":
            del data[max(at, first) :]
        else:
            extreme = draw(st.sampled_from([0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
            data[at : at + 4] = struct.pack("<L", extreme)
    return bytes(data)


def read_or_refuse(path: Path, *, decode: bool) -> None:
    """Read a file; an error that is not ours propagates and fails the test."""
    error = None
    try:
        film = read_header(path, path.parent)
        if decode:
            pixels = read_film(film, max_megapixels=1.0).pixels_HW
            assert pixels.ndim == 2
            assert pixels.size > 0
    except UnreadableFilm as refused:
        error = refused
    if error is not None:
        assert error.path == path
        assert error.code is not None
        assert error.why


@bounded
@given(data=st.binary(max_size=600))
def test_that_arbitrary_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "film").write_bytes(data)
    read_or_refuse(tmp_path / "film", decode=False)


BARE_DICOM = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100"


@pytest.mark.parametrize(
    "head",
    [*BY_ID, b"MM\0*", b"MM\0+", BARE_DICOM],
    ids=[*BY_ID, "tiff big endian", "big tiff", "bare dicom"],
)
@bounded
@given(data=st.binary(max_size=300))
def test_that_arbitrary_bytes_after_a_signature_are_read_or_refused(
    tmp_path: Path, head: bytes | str, data: bytes
) -> None:
    if isinstance(head, str):
        head = seeds()[head][: 132 if BY_ID[head].has_tags else 8]
    (tmp_path / "film").write_bytes(head + data)
    read_or_refuse(tmp_path / "film", decode=False)


@bounded
@given(data=mutated(UNCOMPRESSED))
def test_that_a_mutated_uncompressed_film_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "film").write_bytes(data)
    # A mutation may name a compressed syntax, whose decoder must not run in this process.
    compressed = any(
        row.is_encapsulated and uid.encode() in data for uid, row in TRANSFER_SYNTAXES.items()
    )
    read_or_refuse(tmp_path / "film", decode=not compressed)


@bounded
@given(data=mutated(RASTER))
def test_that_the_structure_of_a_mutated_raster_film_is_read_or_refused(
    tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "film"
    path.write_bytes(data)
    read_or_refuse(path, decode=False)
    for is_complete in (png_is_complete, jpeg_is_complete, tiff_is_complete):
        with path.open("rb") as stream, suppress(UnreadableFilm):
            assert is_complete(stream) in {True, False}


@bounded
@given(data=st.binary(max_size=200), uid=st.sampled_from(sorted(TRANSFER_SYNTAXES)))
def test_that_an_arbitrary_compressed_frame_is_checked_or_refused(
    tmp_path: Path, data: bytes, uid: str
) -> None:
    for stream in (data, b"\xff\xd8" + data + b"\xff\xd9", b"\xff\x4f\xff\x51" + data):
        assert isinstance(frame_warning(stream, uid), str)
        with suppress(UnreadableFilm):
            check_codestream(stream, uid, 48, 40, 1)
    (tmp_path / "fragments").write_bytes(data)
    with (tmp_path / "fragments").open("rb") as body:
        assert read_fragments(body).warning.startswith("incomplete: ")


@bounded
@given(head=st.binary(max_size=512))
def test_that_sniffing_never_fails(head: bytes) -> None:
    assert all(reader.sniff(head) in {True, False} for reader in READERS)
