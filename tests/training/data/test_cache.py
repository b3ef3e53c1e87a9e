"""The cache of decoded films: known by their content, filled by concurrent runs."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.conftest import make_data
from training.config import TrainingConfig
from training.data import cache
from training.data.cache import load_greys
from training.data.films import select_rows
from training.data.lung_masks import LungMasks
from training.data.manifest import FilmRow
from training.data.surroundings import load_lungs
from xrayview.domain.model import PreprocessSpec
from xrayview.domain.radiograph import Radiograph
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


def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names of the films that are decoded."""
    names: list[str] = []
    open_film = cache.open_film

    def record(path: Path, folder: Path) -> Radiograph:
        names.append(path.name)
        return open_film(path, folder)

    monkeypatch.setattr(cache, "open_film", record)
    return names


def test_that_a_replaced_film_is_decoded_again_and_no_other(
    tiny_config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Size and modification time stay: only the content shows that it is a different film."""
    data = make_data(tmp_path / "data", train=6, test=2)
    rows, _ = select_rows(tiny_config, data)
    preprocessor = Preprocessor(tiny_config.preprocessing)
    first = load_greys(rows, data, preprocessor, tmp_path / "cache")
    names = decoded(monkeypatch)
    film, other = (data / rows[i].path for i in (0, 1))
    size, times = film.stat().st_size, film.stat()
    content = other.read_bytes()
    film.write_bytes((content + b"\0" * size)[: max(size, len(content))])
    os.utime(film, ns=(times.st_atime_ns, times.st_mtime_ns))
    second = load_greys(rows, data, preprocessor, tmp_path / "cache")
    assert names == [film.name]
    assert second.rows[0].sha256 == hashlib.sha256(film.read_bytes()).hexdigest()
    assert second.rows[0].pixels_sha256 == first.rows[1].pixels_sha256
    np.testing.assert_array_equal(second.greys_NHW[0], first.greys_NHW[1])
    np.testing.assert_array_equal(second.greys_NHW[1:], first.greys_NHW[1:])


def test_that_an_unchanged_film_is_not_read_and_a_touched_one_is_not_decoded(
    tiny_config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = make_data(tmp_path / "data", train=6, test=2)
    rows, _ = select_rows(tiny_config, data)
    preprocessor = Preprocessor(tiny_config.preprocessing)
    monkeypatch.setattr(cache, "_TIME_STEP_NS", 0)
    first = load_greys(rows, data, preprocessor, tmp_path / "cache")
    names = decoded(monkeypatch)
    hashed: list[str] = []
    file_sha256 = cache.file_sha256
    monkeypatch.setattr(
        cache, "file_sha256", lambda path: hashed.append(path.name) or file_sha256(path)
    )
    assert load_greys(rows, data, preprocessor, tmp_path / "cache").rows == first.rows
    assert (names, hashed) == ([], [])
    (data / rows[2].path).touch()
    for expected in ([Path(rows[2].path).name], []):
        hashed.clear()
        assert load_greys(rows, data, preprocessor, tmp_path / "cache").rows == first.rows
        assert (names, hashed) == ([], expected)


def test_that_a_film_that_was_missing_is_found_when_it_is_there(
    tiny_config: TrainingConfig, tmp_path: Path
):
    data = make_data(tmp_path / "data", train=6, test=2)
    rows, _ = select_rows(tiny_config, data)
    preprocessor = Preprocessor(tiny_config.preprocessing)
    film = data / rows[3].path
    content = film.read_bytes()
    film.unlink()
    assert len(load_greys(rows, data, preprocessor, tmp_path / "cache").rows) == 7
    film.write_bytes(content)
    assert len(load_greys(rows, data, preprocessor, tmp_path / "cache").rows) == 8


def test_that_a_replaced_lung_mask_is_read_again(tmp_path: Path):
    row = FilmRow("film.png", "here", "p", ("normal",), "train")
    preprocessor, mask = Preprocessor(PreprocessSpec((16, 16))), tmp_path / "film.png"
    sizes = []
    for side in (4, 9):
        mask_HW = np.zeros((16, 16), np.uint8)
        mask_HW[:side] = 255
        mask.write_bytes(cv2.imencode(".bmp", mask_HW)[1].tobytes())
        os.utime(mask, (10**9, 10**9))
        sizes.append(load_lungs([row], LungMasks(tmp_path), preprocessor, tmp_path / "c").sum())
    assert sizes == [4 * 16, 9 * 16]
