"""What a film may claim before anything is decoded: headers are free to lie."""

from __future__ import annotations

from xrayview.errors import StatusCode, UnreadableFilm

MAX_FILE_BYTES = 2 * 1024**3
"""A file is held in memory while it is hashed and decoded."""

MAX_INFLATED_BYTES = 512 * 1024**2
"""A deflated data set: 200 megapixels of 16 bits are 400 MB."""

MAX_DEFLATED_HEADER_BYTES = 4 * 1024**2
"""What is inflated to read the header of a deflated data set."""

MAX_FRAMES = 4096
"""Of a film whose frames are all tried: two minutes of fluoroscopy at 30 a second."""

MAX_JPEG_SCANS = 200
"""Progressive JPEG needs about ten; thousands of scans keep a decoder busy for minutes."""


def check_size(rows: int, columns: int, max_megapixels: float) -> None:
    """Refuse a film by the size that its header claims.

    Raises:
        UnreadableFilm: TOO_LARGE above `max_megapixels`, DECODE_FAILED without any pixel.
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
    """Refuse a film by the number of frames that its header claims.

    Raises:
        UnreadableFilm: TOO_LARGE.
    """
    if frames > MAX_FRAMES:
        raise UnreadableFilm(
            "The film has more frames than are tried",
            code=StatusCode.TOO_LARGE,
            why=f"the header says {frames:,}, the limit is {MAX_FRAMES:,}",
            hint="Split it into files of fewer frames if it is genuine.",
        )


def check_scans(jpeg: bytes) -> None:
    """Refuse a JPEG that would keep a decoder busy with its scans.

    Raises:
        UnreadableFilm: TOO_LARGE.
    """
    # Entropy-coded data stuffs every FF, so that FF DA is a start-of-scan marker.
    scans = jpeg.count(b"\xff\xda")
    if scans > MAX_JPEG_SCANS:
        raise UnreadableFilm(
            "The JPEG asks for too much work",
            code=StatusCode.TOO_LARGE,
            why=f"{scans} scans, the limit is {MAX_JPEG_SCANS}",
            hint="Save it again as a baseline JPEG or PNG.",
        )


def too_large(why: str) -> UnreadableFilm:
    """The error of a file that would need more memory than a film may have."""
    return UnreadableFilm(
        "The film is larger than the limit",
        code=StatusCode.TOO_LARGE,
        why=why,
        hint="Export single frames, or an uncompressed copy.",
    )
