"""How long a header takes, beside pydicom without the pixels on the same files in the same run.

`extra_info` has the ratio of the medians, which is all that two machines can compare.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate

from tests.builders import phantom, write_dicom
from xrayview.domain.film import FilmRef
from xrayview.engine.client import Engine
from xrayview.engine.scan import scan_folder
from xrayview.io.readers import read_header
from xrayview.services.resources import resource

FILMS = 400
MANY = 10_000
ROUNDS = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of a real radiograph with identifiers of their own; its pixels are cut off."""
    folder = tmp_path_factory.mktemp("many")
    real = dcmread(resource("samples", "sample-study", "others", "ankle_RG3_J2KI.dcm"))
    real.PixelData = encapsulate([bytes(4096)])
    for number in range(FILMS):
        real.SOPInstanceUID = f"1.2.3.{number}"
        real.InstanceNumber = number
        real.save_as(folder / f"IM{number:05d}.dcm")
    return folder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine() as engine:
        warm = tmp_path_factory.mktemp("warm")
        write_dicom(warm / "film.dcm", phantom())
        list(scan_folder(engine, warm))
        yield engine


@pytest.fixture(scope="module")
def many(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten thousand of them; each has its number in its identifier."""
    many = tmp_path_factory.mktemp("ten_thousand")
    real = dcmread(next(iter(sorted(folder.iterdir()))))
    real.SOPInstanceUID = "1.2.3.00000"
    real.save_as(many / "00000.dcm")
    film = (many / "00000.dcm").read_bytes()
    for number in range(1, MANY):
        own = film.replace(b"1.2.3.00000", b"1.2.3.%05d" % number)
        (many / f"{number:05d}.dcm").write_bytes(own)
    return many


def median_s(read: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def by_pydicom(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        dcmread(path, stop_before_pixels=True)


def test_headers_one_by_one(benchmark: Any, folder: Path) -> None:
    def ours() -> list[FilmRef]:
        return [read_header(path, folder) for path in sorted(folder.iterdir())]

    benchmark.pedantic(ours, rounds=ROUNDS, warmup_rounds=1)
    median = benchmark.stats.stats.median
    benchmark.extra_info["ms_per_film"] = round(1000 * median / FILMS, 3)
    benchmark.extra_info["ours_to_pydicom"] = round(
        median / median_s(lambda: by_pydicom(folder)), 3
    )


def test_folder_is_listed_through_the_workers(benchmark: Any, folder: Path, engine: Engine) -> None:
    benchmark.pedantic(lambda: list(scan_folder(engine, folder)), rounds=ROUNDS, warmup_rounds=1)
    median = benchmark.stats.stats.median
    benchmark.extra_info["ms_per_film"] = round(1000 * median / FILMS, 3)
    benchmark.extra_info["ours_to_pydicom"] = round(
        median / median_s(lambda: by_pydicom(folder)), 3
    )


def test_ten_thousand_films_are_listed(
    benchmark: Any, folder: Path, many: Path, engine: Engine
) -> None:
    listed = benchmark.pedantic(lambda: sum(1 for _ in scan_folder(engine, many)), rounds=1)
    assert listed == MANY
    peer = median_s(lambda: by_pydicom(folder)) * MANY / FILMS
    benchmark.extra_info["ours_to_pydicom"] = round(benchmark.stats.stats.median / peer, 3)
