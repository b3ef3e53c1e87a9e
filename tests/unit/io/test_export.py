"""Exported pictures are lossless and written in one step."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.builders import phantom
from xrayview.io.export import PictureFormat, encode, write_bytes


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("bits", [8, 16])
def test_that_a_picture_survives_a_round_trip(kind: PictureFormat, bits: int) -> None:
    grey = phantom(bits=bits)
    rgb = np.dstack([grey, grey // 2, grey // 3])
    for picture in (grey, rgb):
        data = np.frombuffer(encode(picture, kind), np.uint8)
        back = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(back if back.ndim == 2 else back[..., ::-1], picture)


def test_that_only_pictures_are_encoded() -> None:
    for array in (np.zeros((4, 4), np.float32), np.zeros((0, 4), np.uint8), np.zeros(4, np.uint8)):
        with pytest.raises(ValueError):
            encode(array, "png")


def test_that_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.mkdir()
    with pytest.raises(OSError):
        write_bytes(target, b"data")
    assert list(tmp_path.iterdir()) == [target]


def test_that_an_older_file_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.png"
    write_bytes(target, b"old")
    write_bytes(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]
