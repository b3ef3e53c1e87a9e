"""A film whose decoding hangs costs its own row, and the films after it are classified."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import phantom, write_raster
from tests.fragile import start_hanging_decoder
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import FilmFinished
from xrayview.engine.client import Engine
from xrayview.engine.protocol import Limits, ModelRef


@pytest.mark.parametrize("workers", [1, 2])
def test_that_films_after_a_hanging_one_are_classified(
    model: ModelRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr("xrayview.engine.client.start_decode_worker", start_hanging_decoder)
    folder = tmp_path / "films"
    folder.mkdir()
    for name in ("0", "1_hang", "2", "3_hang", "4"):
        write_raster(folder / f"{name}.png", phantom(64, 64, 8))
    limits = Limits(decode_timeout_s=1)
    with Engine(workers, limits, spare_workers=0) as engine:
        events = run_batch(engine, folder, model, tmp_path / "p.csv", BatchOptions("none"))
        results = [event.result for event in events if isinstance(event, FilmFinished)]
    assert [str(result.code) for result in results] == [
        "OK", "TIMED_OUT", "OK", "TIMED_OUT", "OK",
    ]  # fmt: skip
    assert all((result.prediction is None) == ("hang" in result.name) for result in results)
