"""How long a film takes from file to pixels, beside `pydicom.pixel_array` in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom import dcmread

from tests.builders import write_dicom
from xrayview.engine.protocol import MakeThumbnail
from xrayview.engine.thumbnail_handlers import make_thumbnail
from xrayview.io.readers import read_film, read_header

ROUNDS = 7
SYNTAXES = {"raw": "1.2.840.10008.1.2.1", "jpeg 2000": "1.2.840.10008.1.2.4.90"}
SIDES = {"raw": 3000, "jpeg 2000": 1000}


@pytest.fixture(params=SYNTAXES)
def film(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / "film.dcm", SIDES[request.param], SYNTAXES[request.param])


def write(path: Path, side: int, syntax: str) -> Path:
    """A film as noisy as a radiograph: neither flat nor white noise."""
    noise_HW = np.random.default_rng(0).normal(2048, 4000, (side, side)).astype(np.float32)
    pixels_HW = np.clip(cv2.GaussianBlur(noise_HW, (0, 0), 4), 0, 4095).astype(np.uint16)
    return write_dicom(path, pixels_HW, bits_stored=12, transfer_syntax=syntax)


def median_s(work: Callable[[], object]) -> float:
    work()
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def measure(benchmark: Any, work: Callable[[], object], path: Path) -> None:
    benchmark.pedantic(work, rounds=ROUNDS, warmup_rounds=1)
    peer = median_s(lambda: dcmread(path).pixel_array)
    benchmark.extra_info["ours_to_pixel_array"] = round(benchmark.stats.stats.median / peer, 3)


def test_decode_of_a_film(benchmark: Any, film: Path) -> None:
    ref = read_header(film, film.parent)
    measure(benchmark, lambda: read_film(ref), film)


def test_thumbnail_of_a_film(benchmark: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "film.dcm", 3000, SYNTAXES["raw"])
    ref = read_header(path, tmp_path)
    measure(benchmark, lambda: make_thumbnail(MakeThumbnail(ref, 96)), path)
