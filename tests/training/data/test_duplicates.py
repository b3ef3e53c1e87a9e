"""Near-duplicates: the same picture at another size, quality or brightness."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.conftest import make_data
from training.config import DataConfig, TrainingConfig, with_overrides
from training.data.duplicates import near_pairs, picture_hashes
from training.data.films import load_films
from xrayview.errors import UsageError

DATA = DataConfig()


def film_like(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(20, 20)).astype(np.float32)
    soft = cv2.resize(noise, (300, 260), interpolation=cv2.INTER_CUBIC)
    return ((soft - soft.min()) / np.ptp(soft) * 255).astype(np.uint8)


def grey(pixels_HW: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels_HW, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


@pytest.mark.parametrize("seed", range(5))
def test_that_another_size_quality_and_brightness_are_the_same_picture(seed: int):
    film = film_like(seed)
    smaller = cv2.resize(film, (150, 130), interpolation=cv2.INTER_AREA)
    code = cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    copy = (0.8 * cv2.imdecode(code, cv2.IMREAD_GRAYSCALE) + 20).astype(np.uint8)
    hashes = picture_hashes(np.stack([grey(film), grey(copy), grey(film_like(seed + 100))]))
    found = list(near_pairs(hashes, ["train", "test", "test"], DATA.near_duplicate_bits))
    assert [(one, other) for one, other, _ in found] in ([(0, 1)], [(1, 0)])
    assert not list(near_pairs(hashes, ["train", "train", "test"], DATA.near_duplicate_bits))
    assert not list(near_pairs(hashes, ["train", "", "test"], DATA.near_duplicate_bits))


def test_that_a_near_duplicate_across_splits_stops_the_run(
    tiny_config: TrainingConfig, tmp_path: Path
):
    folder = make_data(tmp_path / "data")
    picture = film_like(0)
    (folder / "films/train-00.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    (folder / "films/test-32.png").write_bytes(cv2.imencode(".jpg", picture)[1].tobytes())
    with pytest.raises(UsageError, match=r"near-duplicate \(\d of 256 bits differ\)"):
        load_films(tiny_config, folder, tmp_path / "cache")
    allowed = with_overrides(tiny_config, ["data.leaks=allow"])
    assert len(load_films(allowed, folder, tmp_path / "cache").leaks) == 1
    unchecked = with_overrides(tiny_config, ["data.near_duplicate_bits=-1"])
    assert load_films(unchecked, folder, tmp_path / "cache").leaks == ()
