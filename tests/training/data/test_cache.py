"""The cache of decoded films: concurrent runs can fill it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from training.config import TrainingConfig
from training.data.cache import load_greys
from training.data.films import select_rows
from xrayview.preprocessing.pipeline import Preprocessor


def test_that_two_runs_can_fill_the_same_cache_at_once(
    tiny_config: TrainingConfig, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rows, _ = select_rows(tiny_config, tiny_data)
    preprocessor = Preprocessor(tiny_config.preprocessing)
    concurrent = []

    def start_other_run(done: int, _total: int) -> None:
        if done == 1:
            with monkeypatch.context() as other:
                other.setattr(os, "getpid", lambda: 1)
                concurrent.append(load_greys(rows, tiny_data, preprocessor, tmp_path))

    own = load_greys(rows, tiny_data, preprocessor, tmp_path, start_other_run)
    assert own.greys_NHW.any(axis=(1, 2)).all()
    assert np.array_equal(own.greys_NHW, concurrent[0].greys_NHW)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".npy"]


def test_that_old_partial_files_of_killed_runs_are_removed(
    tiny_config: TrainingConfig, tiny_data: Path, tmp_path: Path
):
    rows, _ = select_rows(tiny_config, tiny_data)
    preprocessor = Preprocessor(tiny_config.preprocessing)
    load_greys(rows, tiny_data, preprocessor, tmp_path)
    (index,) = tmp_path.glob("*.json")
    index.unlink()
    old, recent = (tmp_path / f"{index.stem}.{pid}.partial" for pid in (1, 2))
    for partial in (old, recent):
        partial.write_bytes(b"half of it")
    day_ago = time.time() - 86_400
    os.utime(old, (day_ago, day_ago))
    load_greys(rows, tiny_data, preprocessor, tmp_path)
    assert not old.exists()
    assert recent.exists()
