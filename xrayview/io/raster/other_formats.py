"""Names of picture formats that are not read, by the first bytes of a file."""

from __future__ import annotations

import re

_BRANDS = {
    b"heic": "HEIF", b"heix": "HEIF", b"heim": "HEIF", b"heis": "HEIF", b"hevc": "HEIF",
    b"hevx": "HEIF", b"mif1": "HEIF", b"msf1": "HEIF", b"avif": "AVIF", b"avis": "AVIF",
    b"crx ": "camera raw",
}  # fmt: skip
"""ISO base media file format: the brand after `ftyp`."""
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II\xbc", "JPEG XR"),
    (b"8BPS", "Photoshop"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"SIMPLE  =", "FITS"),
    (b"NRRD", "NRRD"),
    (b"ObjectType", "MetaImage"),
    (b"\x8aMNG\r\n\x1a\n", "MNG"),
    (b"\x8bJNG\r\n\x1a\n", "JNG"),
    (b"IIU\0", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"qoif", "QOI"),
    (b"farbfeld", "farbfeld"),
    (b"DDS ", "DDS"),
)
_NIFTI = (b"n+1\0", b"ni1\0")
_NIFTI_MAGIC_AT = 344


def other_format(head: bytes) -> str:
    """The name of a format that the program does not read; empty for other content."""
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "")
    if _is_bmp(head):
        return "BMP"
    if re.match(rb"P[1-7fF]\s+[#\d]", head):
        return "PNM or PFM"
    if head[_NIFTI_MAGIC_AT : _NIFTI_MAGIC_AT + 4] in _NIFTI:
        return "NIfTI"
    return ""


def _is_bmp(head: bytes) -> bool:
    """BM, and an information header of a known size, since two letters may begin any text."""
    size = int.from_bytes(head[14:18], "little")
    return head[:2] == b"BM" and size in {12, 16, 40, 52, 56, 64, 108, 124}
