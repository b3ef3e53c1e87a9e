"""The table of transfer syntaxes and their decoders (PS3.6, table A-1).

pydicom would try the next, more permissive decoder when one fails; here the first installed one is
used. The two of JPEG-LS are equally strict with damaged data (800 damaged frames: no frame that one
refused was decoded by the other), and GDCM reads parameters that CharLS 2 rejects.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import UID

from xrayview.errors import StatusCode, UnreadableFilm

_GDCM = ("gdcm", "pip install python-gdcm==3.2.6")
_GDCM_12_BIT = ("xrayview-gdcm", "pip install python-gdcm==3.2.6")
_JPEG_LS = ("pyjpegls", "pip install pyjpegls")
_OPENJPEG = ("pylibjpeg", "pip install pylibjpeg pylibjpeg-openjpeg")
_RLE = ("pylibjpeg", "pip install pylibjpeg pylibjpeg-rle")
_RLE_PYTHON = ("pydicom", "")


@dataclass(frozen=True)
class TransferSyntax:
    """One row; `plugins` are (pydicom's plug-in name, install command), in order of preference."""

    uid: str
    name: str
    plugins: tuple[tuple[str, str], ...] = ()
    lossy: bool = False
    """The syntax allows only lossy compression."""
    tries_all: bool = False
    """The next plug-in is tried on a frame that one refuses."""

    @property
    def is_encapsulated(self) -> bool:
        """True for compressed pixel data in fragments (PS3.5, A.4)."""
        return bool(self.plugins)


TRANSFER_SYNTAXES: dict[str, TransferSyntax] = {
    row.uid: row
    for row in (
        TransferSyntax("1.2.840.10008.1.2", "Implicit VR Little Endian"),
        TransferSyntax("1.2.840.10008.1.2.1", "Explicit VR Little Endian"),
        TransferSyntax("1.2.840.10008.1.2.2", "Explicit VR Big Endian"),
        TransferSyntax("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian"),
        TransferSyntax("1.2.840.10008.1.2.4.50", "JPEG Baseline", (_GDCM,), lossy=True),
        TransferSyntax("1.2.840.10008.1.2.4.51", "JPEG Extended", (_GDCM_12_BIT,), lossy=True),
        TransferSyntax("1.2.840.10008.1.2.4.57", "JPEG Lossless", (_GDCM,)),
        TransferSyntax("1.2.840.10008.1.2.4.70", "JPEG Lossless SV1", (_GDCM,)),
        TransferSyntax(
            "1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", (_JPEG_LS, _GDCM), tries_all=True
        ),
        TransferSyntax(
            "1.2.840.10008.1.2.4.81",
            "JPEG-LS Near-Lossless",
            (_JPEG_LS, _GDCM),
            lossy=True,
            tries_all=True,
        ),
        TransferSyntax("1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", (_OPENJPEG, _GDCM)),
        TransferSyntax("1.2.840.10008.1.2.4.91", "JPEG 2000", (_OPENJPEG, _GDCM)),
        TransferSyntax("1.2.840.10008.1.2.4.201", "HTJ2K Lossless", (_OPENJPEG,)),
        TransferSyntax("1.2.840.10008.1.2.4.202", "HTJ2K Lossless RPCL", (_OPENJPEG,)),
        TransferSyntax("1.2.840.10008.1.2.4.203", "HTJ2K", (_OPENJPEG,)),
        TransferSyntax("1.2.840.10008.1.2.5", "RLE Lossless", (_RLE, _RLE_PYTHON)),
    )
}

SYNTAXES_WITH_ANY_CELL = frozenset(
    f"1.2.840.10008.1.2.4.{n}" for n in (80, 81, 90, 91, 201, 202, 203)
)
"""Their decoders put samples into cells of BitsAllocated, however few bits they have."""


def decoders_of(syntax: TransferSyntax) -> tuple[Decoder, tuple[str, ...]]:
    """The decoder and the names of the plug-ins to use; one empty name for uncompressed data.

    Raises:
        UnreadableFilm: UNSUPPORTED_SYNTAX, with the package to install.
    """
    decoder = get_decoder(UID(syntax.uid))
    if not syntax.is_encapsulated:
        return decoder, ("",)
    _register_jpeg_extended(decoder)
    names = tuple(name for name, _ in syntax.plugins if name in decoder.available_plugins)
    if not names:
        raise UnreadableFilm(
            f"No decoder for {syntax.name} is installed",
            code=StatusCode.UNSUPPORTED_SYNTAX,
            why="a package is missing",
            hint=syntax.plugins[0][1],
        )
    return decoder, names if syntax.tries_all else names[:1]


def unsupported(uid: str) -> UnreadableFilm:
    """The error for a transfer syntax that is not in the table."""
    name = UID(uid).name if uid else "unknown"
    return UnreadableFilm(
        "The transfer syntax is not supported",
        code=StatusCode.UNSUPPORTED_SYNTAX,
        why=name if name == uid else f"{name}, {uid}",
        hint="Export it uncompressed, or as JPEG 2000.",
    )


def _register_jpeg_extended(decoder: Decoder) -> None:
    name = _GDCM_12_BIT[0]
    if decoder.UID == "1.2.840.10008.1.2.4.51" and name not in decoder.available_plugins:
        decoder.add_plugin(name, ("xrayview.io.dicom.jpeg_extended", "decode_frame"))
