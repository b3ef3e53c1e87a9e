"""The contract of every reader, whatever format it reads."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.builders import SAMPLE_FILMS, phantom, tiff_bytes, write_dicom, write_raster
from xrayview.domain.formats import BY_ID, FORMATS
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.readers import HEAD_BYTES, READERS, read_film, read_header

PIXEL_TYPES = {"uint8", "uint16", "int16", "int32", "uint32", "float32"}


def test_that_every_format_has_a_reader_and_a_sample_film() -> None:
    assert [reader.format for reader in READERS] == list(FORMATS)
    assert {row.id for row in FORMATS} == set(SAMPLE_FILMS)


@pytest.mark.parametrize("name", [row.id for row in FORMATS])
class TestReaderContract:
    @pytest.fixture
    def path(self, name: str, tmp_path: Path) -> Path:
        (tmp_path / "folder").mkdir()
        return SAMPLE_FILMS[name](tmp_path / "folder")

    def test_that_exactly_one_reader_recognises_the_content(self, path: Path, name: str) -> None:
        head = path.read_bytes()[:HEAD_BYTES]
        assert [reader.format.id for reader in READERS if reader.sniff(head)] == [name]

    def test_that_the_file_name_does_not_matter(self, path: Path, name: str) -> None:
        for other in ("film", "film.txt", "film.png", "film.dcm"):
            path = path.rename(path.with_name(other))
            assert read_header(path, path.parent).format == name

    def test_that_the_header_agrees_with_the_pixels(self, path: Path, name: str) -> None:
        film = read_header(path, path.parent.parent)
        radiograph = read_film(film)
        size = (48, 40) if BY_ID[name].is_common else (2048, 2048)
        assert radiograph.pixels_HW.shape == (film.rows, film.columns) == size
        assert radiograph.ref == film
        assert film.relative_path == f"folder/{path.name}"
        assert film.film_id == f"{path}#0"

    def test_that_pixels_are_native_contiguous_arrays(self, path: Path, name: str) -> None:
        pixels = read_film(read_header(path, path.parent)).pixels_HW
        assert pixels.dtype.name in PIXEL_TYPES
        assert pixels.dtype.isnative
        assert pixels.flags.c_contiguous

    def test_that_the_hash_is_that_of_the_file(self, path: Path, name: str) -> None:
        radiograph = read_film(read_header(path, path.parent))
        assert radiograph.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_that_a_film_read_without_a_hash_is_the_same(self, path: Path, name: str) -> None:
        film = read_header(path, path.parent)
        hashed, bare = read_film(film), read_film(film, hashed=False)
        np.testing.assert_array_equal(bare.pixels_HW, hashed.pixels_HW)
        assert (bare.ref, bare.sha256) == (hashed.ref, "")

    def test_that_reading_twice_gives_the_same_film(self, path: Path, name: str) -> None:
        film = read_header(path, path.parent)
        first, second = read_film(film), read_film(film)
        np.testing.assert_array_equal(first.pixels_HW, second.pixels_HW)
        assert (first.ref, first.sha256) == (second.ref, second.sha256)

    def test_that_a_film_can_be_pickled(self, path: Path, name: str) -> None:
        radiograph = read_film(read_header(path, path.parent))
        again = pickle.loads(pickle.dumps(radiograph))
        np.testing.assert_array_equal(again.pixels_HW, radiograph.pixels_HW)
        assert again.ref == radiograph.ref

    def test_that_the_file_is_closed(self, path: Path, name: str) -> None:
        read_film(read_header(path, path.parent))
        path.unlink()
        with pytest.raises(UnreadableFilm):
            read_header(path, path.parent)

    def test_that_a_file_changed_since_the_scan_is_read_again(
        self, path: Path, name: str, tmp_path: Path
    ) -> None:
        film = read_header(path, path.parent)
        path.write_bytes(write_raster(tmp_path / "other.png", phantom(20, 30, 8)).read_bytes())
        radiograph = read_film(film)
        assert radiograph.pixels_HW.shape == (20, 30)
        assert (radiograph.ref.format, radiograph.ref.rows, radiograph.ref.columns) == (
            "png",
            20,
            30,
        )
        assert radiograph.ref.file_size == path.stat().st_size

    def test_that_a_film_above_the_limit_is_refused(self, path: Path, name: str) -> None:
        film = read_header(path, path.parent)
        with pytest.raises(UnreadableFilm) as caught:
            read_film(film, max_megapixels=0.001)
        assert caught.value.code is StatusCode.TOO_LARGE
        assert caught.value.path == path

    def test_that_a_truncated_file_is_refused_with_reason_and_hint(
        self, path: Path, name: str
    ) -> None:
        data = path.read_bytes()
        for size in (len(data) // 2, len(data) - 40):
            path.write_bytes(data[:size])
            with pytest.raises(UnreadableFilm) as caught:
                read_film(read_header(path, path.parent))
            error = caught.value
            # Without a header a part of a film is like any other binary file.
            has_header = BY_ID[name].is_common
            code = StatusCode.DECODE_FAILED if has_header else StatusCode.NOT_AN_IMAGE
            assert error.code is code
            assert error.path == path
            assert error.why
            assert error.hint
            assert pickle.loads(pickle.dumps(error)).code is error.code


OTHER_FILES = {
    "empty": b"",
    "text": b"Findings: none.\n" * 40,
    "gif": b"GIF89a" + bytes(60),
    "zip": b"PK\x03\x04" + bytes(200),
    "zeros": bytes(1000),
    "half a signature": b"\x89PN",
}


@pytest.mark.parametrize("content", OTHER_FILES.values(), ids=OTHER_FILES)
def test_that_other_files_are_refused_by_naming_the_formats(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.dcm"
    path.write_bytes(content)
    with pytest.raises(UnreadableFilm) as caught:
        read_header(path, tmp_path)
    assert caught.value.code is StatusCode.NOT_AN_IMAGE
    assert caught.value.path == path
    assert all(row.title in caught.value.hint for row in FORMATS if row.is_common)


def test_that_a_dicom_file_with_a_tiff_header_in_its_preamble_is_dicom(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom())
    data = path.read_bytes()
    path.write_bytes(tiff_bytes(phantom(4, 4, 8))[:16] + data[16:])
    assert read_header(path, tmp_path).format == "dicom"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file types")
def test_that_a_pipe_is_refused_unopened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    film = replace(read_header(SAMPLE_FILMS["png"](tmp_path), tmp_path), path=tmp_path / "pipe")
    with pytest.raises(UnreadableFilm) as caught:
        read_header(tmp_path / "pipe", tmp_path)
    assert caught.value.code is StatusCode.NOT_AN_IMAGE
    with pytest.raises(UnreadableFilm):
        read_film(film)


@pytest.mark.parametrize("name", ["absent", "folder"])
def test_that_a_path_that_cannot_be_opened_is_refused_with_the_reason(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableFilm) as caught:
        read_header(tmp_path / name, tmp_path)
    assert caught.value.path == tmp_path / name
    assert caught.value.why
    assert caught.value.hint
