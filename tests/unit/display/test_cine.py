"""How fast frames are played: the rate in the file, within limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.builders import phantom, write_dicom
from xrayview.display.cine import frame_rate
from xrayview.io.readers import read_film, read_header


@pytest.mark.parametrize(
    ("tags", "rate_hz"),
    [
        ({}, 10.0),
        ({"RecommendedDisplayFrameRate": 15, "CineRate": 30, "FrameTime": 100}, 15.0),
        ({"CineRate": 30, "FrameTime": 100}, 30.0),
        ({"FrameTime": 40}, 25.0),
        ({"CineRate": 0, "FrameTime": 50}, 20.0),
        ({"CineRate": 900}, 60.0),
        ({"FrameTime": 60000}, 1.0),
        ({"FrameTime": ""}, 10.0),
    ],
)
def test_that_the_first_rate_in_the_file_is_used(
    tags: dict[str, Any], rate_hz: float, tmp_path: Path
) -> None:
    frames = np.stack([phantom(bits=8)] * 2)
    path = write_dicom(tmp_path / "film.dcm", frames, frames=2, **tags)
    assert frame_rate(read_film(read_header(path, tmp_path))) == pytest.approx(rate_hz)
