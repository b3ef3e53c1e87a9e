"""Files with several frames: each is decoded by itself, and the file is read only once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, tiff_bytes, write_dicom
from xrayview.domain.film import row_of
from xrayview.engine.decode_handlers import decode_film
from xrayview.engine.protocol import DecodeFilm
from xrayview.errors import UnreadableFilm
from xrayview.io import readers
from xrayview.io.readers import FileCache, read_film, read_header

FRAMES = np.stack([np.roll(phantom(bits=12), step, axis=0) for step in range(5)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_dicom(tmp_path / "film.dcm", FRAMES, frames=5, bits_stored=12)


def test_that_every_frame_has_its_own_pixels(path: Path) -> None:
    film = read_header(path, path.parent)
    for frame in (4, 0, 2, 2):
        radiograph = decode_film(DecodeFilm(replace(film, frame=frame)))
        np.testing.assert_array_equal(radiograph.pixels_HW, FRAMES[frame])
        assert radiograph.ref.frame == frame


def test_that_the_pages_of_a_tiff_are_frames(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    path.write_bytes(tiff_bytes(*FRAMES))
    film = read_header(path, tmp_path)
    assert film.frames == 5
    last = decode_film(DecodeFilm(replace(film, frame=4)))
    np.testing.assert_array_equal(last.pixels_HW, FRAMES[4])


def test_that_a_frame_after_the_last_is_refused(path: Path) -> None:
    film = read_header(path, path.parent)
    with pytest.raises(UnreadableFilm, match="frame 6"):
        decode_film(DecodeFilm(replace(film, frame=5)))


def test_that_a_cached_file_is_read_once_and_keeps_its_hash(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = read_header(path, path.parent)
    uncached = read_film(film)
    reads: list[Path] = []
    bytes_of = readers._bytes_of
    monkeypatch.setattr(readers, "_bytes_of", lambda p: (reads.append(p), bytes_of(p))[1])
    cache = FileCache()
    hashes = {read_film(replace(film, frame=n), cache=cache).sha256 for n in range(5)}
    assert hashes == {uncached.sha256}
    assert len(reads) == 1
    cache.release()
    read_film(film, cache=cache)
    assert len(reads) == 2


def test_that_a_changed_file_is_read_again(path: Path) -> None:
    cache, film = FileCache(), read_header(path, path.parent)
    before = read_film(film, cache=cache)
    write_dicom(path, FRAMES[::-1].copy(), frames=5, bits_stored=12)
    os.utime(path, ns=(1, 1))
    after = read_film(film, cache=cache)
    np.testing.assert_array_equal(after.pixels_HW, FRAMES[4])
    assert after.sha256 != before.sha256


def test_that_a_file_above_the_limit_is_not_cached(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "MAX_CACHED_BYTES", 10)
    cache = FileCache()
    cache.read(path)
    assert cache._entry is None


def test_that_all_frames_of_a_file_share_a_row(path: Path) -> None:
    film = read_header(path, path.parent)
    third = replace(film, frame=2)
    assert third.film_id != film.film_id
    assert third.row_id == film.row_id == film.film_id == row_of(third.film_id)
