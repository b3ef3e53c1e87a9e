"""Limits that are checked before anything is decoded, since a header can claim any size."""

from __future__ import annotations

from xrayview.errors import StatusCode, UnreadableFilm

MAX_FILE_BYTES = 2 * 1024**3
"""A file is in memory while it is hashed and decoded."""

MAX_INFLATED_BYTES = 512 * 1024**2
"""For a deflated data set: 200 megapixels of 16 bits are 400 MB."""

MAX_DEFLATED_HEADER_BYTES = 4 * 1024**2
"""How much of a deflated data set is inflated to read its header."""

MAX_FRAMES = 4096
"""For a film whose frames are all processed: two minutes of fluoroscopy at 30 frames a second."""

MAX_JPEG_SCANS = 200
"""Progressive JPEG needs about ten; thousands of scans keep a decoder busy for minutes."""


def check_size(rows: int, columns: int, max_megapixels: float) -> None:
    """Check the size in a film's header.

    Raises:
        UnreadableFilm: TOO_LARGE above `max_megapixels`, DECODE_FAILED without pixels.
    """
    if rows <= 0 or columns <= 0:
        raise UnreadableFilm(
            "The film has no size",
            code=StatusCode.DECODE_FAILED,
            why=f"the header says {rows} rows and {columns} columns",
            hint="Export it again from the source.",
        )
    megapixels = rows * columns / 1e6
    if megapixels > max_megapixels:
        raise UnreadableFilm(
            "The film is larger than the limit",
            code=StatusCode.TOO_LARGE,
            why=f"{rows} x {columns} is {megapixels:.0f} megapixels, the limit is "
            f"{max_megapixels:g}",
            hint="Raise the limit in the settings if the film is genuine.",
        )


def check_frames(frames: int) -> None:
    """Check the number of frames in a film's header.

    Raises:
        UnreadableFilm: TOO_LARGE.
    """
    if frames > MAX_FRAMES:
        raise UnreadableFilm(
            "The film has too many frames",
            code=StatusCode.TOO_LARGE,
            why=f"the header says {frames:,}, the limit is {MAX_FRAMES:,}",
            hint="Split it into files with fewer frames if it is genuine.",
        )


def check_scans(jpeg: bytes) -> None:
    """Check the number of scans in a JPEG, which bounds the decoder's work.

    Raises:
        UnreadableFilm: TOO_LARGE.
    """
    # Entropy-coded data escapes every FF, so FF DA can only be a start-of-scan marker.
    scans = jpeg.count(b"\xff\xda")
    if scans > MAX_JPEG_SCANS:
        raise UnreadableFilm(
            "The JPEG has too many scans",
            code=StatusCode.TOO_LARGE,
            why=f"{scans} scans, the limit is {MAX_JPEG_SCANS}",
            hint="Save it as a baseline JPEG or as PNG.",
        )


def too_large(why: str) -> UnreadableFilm:
    """The error for a file that would need more memory than allowed."""
    return UnreadableFilm(
        "The film is larger than the limit",
        code=StatusCode.TOO_LARGE,
        why=why,
        hint="Export single frames or an uncompressed copy.",
    )
