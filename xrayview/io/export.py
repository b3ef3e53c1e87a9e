"""Exported pictures: encoded in memory, written in one step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.io.long_paths import openable

PictureFormat = Literal["png", "tiff"]

_OPTIONS: dict[PictureFormat, tuple[str, tuple[int, ...]]] = {
    # OpenCV's default filter is both the fastest and the smallest for a film.
    "png": (".png", ()),
    "tiff": (".tiff", (cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_ADOBE_DEFLATE)),
}


def encode(picture: npt.NDArray[np.integer[Any]], kind: PictureFormat) -> bytes:
    """Encode a picture without loss and without metadata.

    Args:
        picture: uint8 or uint16, grey (rows, columns) or RGB(A) (rows, columns, 3 or 4).
        kind: `png` or `tiff` (deflate).

    Raises:
        ValueError: the array is not a picture.
    """
    if picture.dtype not in (np.uint8, np.uint16) or picture.ndim not in (2, 3) or not picture.size:
        raise ValueError(f"not a picture: {picture.dtype} of shape {picture.shape}")
    stored = picture if picture.ndim == 2 else picture[..., [2, 1, 0, 3][: picture.shape[2]]]
    suffix, options = _OPTIONS[kind]
    encoded, data = cv2.imencode(suffix, np.ascontiguousarray(stored), options)
    if not encoded:
        raise ValueError(f"cannot encode shape {picture.shape} as {kind}")
    return data.tobytes()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file in one step, creating its folder: others see the old file or the new one.

    Raises:
        OSError: the folder cannot be written, or another program holds `path` open.
    """
    path = openable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
