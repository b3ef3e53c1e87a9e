"""Thumbnails: cached by content with a bounded size, and made from reduced data where possible."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit

from tests.builders import phantom, write_dicom, write_encapsulated, write_raster
from xrayview.display.pyramid import thumbnail
from xrayview.domain.film import FilmRef
from xrayview.engine.protocol import MakeThumbnail, PruneThumbnails, ThumbnailStore
from xrayview.engine.thumbnail_handlers import make_thumbnail, prune_thumbnails
from xrayview.errors import UnreadableFilm
from xrayview.io import thumbnail_files
from xrayview.io.quick_look import embedded_icon, reduced_film
from xrayview.io.readers import read_film, read_header
from xrayview.io.thumbnail_files import content_key, load_thumbnail, prune, save_thumbnail

SIZE_PX = 96


@pytest.fixture
def store(tmp_path: Path) -> ThumbnailStore:
    return ThumbnailStore(tmp_path / "store", 1)


@pytest.fixture
def film(tmp_path: Path) -> FilmRef:
    return read_header(write_dicom(tmp_path / "DOE_JANE.dcm", phantom(300, 200)), tmp_path)


def files(store: ThumbnailStore) -> list[Path]:
    return sorted(path for path in store.folder.rglob("*") if path.is_file())


# -- on disk -----------------------------------------------------------------------------------


def test_that_a_thumbnail_is_made_once(
    film: FilmRef, store: ThumbnailStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_thumbnail(MakeThumbnail(film, SIZE_PX, store=store))
    monkeypatch.setattr(
        "xrayview.engine.thumbnail_handlers.decode_film", lambda *_, **__: pytest.fail("decoded")
    )
    again = make_thumbnail(MakeThumbnail(film, SIZE_PX, store=store))
    assert (again.grey_HW == made.grey_HW).all()
    assert again.grey_HW.shape == (96, 64)
    assert again.film_id == film.film_id


def test_that_copies_of_a_film_share_a_thumbnail_and_sizes_do_not(
    film: FilmRef, store: ThumbnailStore, tmp_path: Path
) -> None:
    make_thumbnail(MakeThumbnail(film, SIZE_PX, store=store))
    copy = tmp_path / "copy.dcm"
    copy.write_bytes(film.path.read_bytes())
    make_thumbnail(MakeThumbnail(read_header(copy, tmp_path), SIZE_PX, store=store))
    assert len(files(store)) == 1
    make_thumbnail(MakeThumbnail(film, 48, store=store))
    assert len(files(store)) == 2


def test_that_the_cache_identifies_nobody(film: FilmRef, store: ThumbnailStore) -> None:
    make_thumbnail(MakeThumbnail(film, SIZE_PX, store=store))
    (saved,) = files(store)
    assert set(saved.stem + saved.parent.name) <= set("0123456789abcdef")
    assert b"DOE" not in saved.read_bytes()
    if sys.platform != "win32":
        assert saved.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("part", ["head", "middle", "tail", "length"])
def test_that_an_edit_changes_the_key(tmp_path: Path, part: str) -> None:
    path = tmp_path / "film"
    data = bytearray(np.random.default_rng(0).bytes(400_000))
    path.write_bytes(data)
    before = content_key(path)
    rest = len(data) - 2 * 65536
    changed = {"head": 10, "middle": 65536 + 5 * rest // 16, "tail": -1}
    if part == "length":
        data += b"\0"
    else:
        data[changed[part]] ^= 1
    path.write_bytes(data)
    assert content_key(path) != before


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131072, 131073, 196609])
def test_that_every_byte_of_a_small_film_changes_the_key(tmp_path: Path, size: int) -> None:
    path = tmp_path / "film"
    path.write_bytes(bytes(size))
    keys = {content_key(path)}
    for position in {0, size // 2, size - 1} & set(range(size)):
        path.write_bytes(bytes(position) + b"1" + bytes(size - position - 1))
        keys.add(content_key(path))
    assert len(keys) == 1 + len({0, size // 2, size - 1} & set(range(size)))


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\nbroken"])
def test_that_a_broken_thumbnail_is_made_again(
    film: FilmRef, store: ThumbnailStore, data: bytes
) -> None:
    made = make_thumbnail(MakeThumbnail(film, SIZE_PX, store=store))
    (saved,) = files(store)
    saved.write_bytes(data)
    again = make_thumbnail(MakeThumbnail(film, SIZE_PX, store=store))
    assert (again.grey_HW == made.grey_HW).all()
    assert (load_thumbnail(saved) == made.grey_HW).all()


def test_that_a_thumbnail_is_made_when_it_cannot_be_saved(film: FilmRef, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = ThumbnailStore(tmp_path / "file", 1)
    assert make_thumbnail(MakeThumbnail(film, SIZE_PX, store=store)).grey_HW.any()


def test_that_the_least_recently_used_thumbnails_are_deleted_first(store: ThumbnailStore) -> None:
    grey_HW = np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)
    paths = [thumbnail_files.thumbnail_path(store.folder, str(n), 0, 96) for n in range(10)]
    for age, path in enumerate(paths):
        save_thumbnail(path, grey_HW)
        os.utime(path, (1000 - age, 1000 - age))
    load_thumbnail(paths[-1])  # the most recently used
    one = paths[0].stat().st_size
    assert prune(store.folder, 10 * one) == 10 * one
    left = prune(store.folder, 6 * one)
    assert left <= 6 * one
    assert [path.exists() for path in paths] == [True] * 4 + [False] * 5 + [True]


def test_that_a_budget_of_zero_clears_and_disables_the_cache(
    film: FilmRef, store: ThumbnailStore
) -> None:
    make_thumbnail(MakeThumbnail(film, SIZE_PX, store=store))
    nothing = ThumbnailStore(store.folder, 0)
    assert prune_thumbnails(PruneThumbnails(nothing)) == 0
    make_thumbnail(MakeThumbnail(film, SIZE_PX, store=nothing))
    assert files(store) == []


def test_that_pruning_does_not_delete_other_files(store: ThumbnailStore) -> None:
    store.folder.mkdir()
    (store.folder / "notes.txt").write_text("mine")
    assert prune(store.folder, 0) == 0
    assert (store.folder / "notes.txt").exists()
    assert prune(store.folder / "absent", 0) == 0


# -- from reduced data -------------------------------------------------------------------------


def with_icon(path: Path, rows: int, columns: int, **fields: object) -> FilmRef:
    """A film of 300 x 200 whose icon shows a different picture."""
    write_dicom(path, phantom(300, 200))
    dataset, icon = dcmread(path), Dataset()
    icon.Rows, icon.Columns, icon.SamplesPerPixel = rows, columns, 1
    icon.BitsAllocated = icon.BitsStored = 8
    icon.PhotometricInterpretation = "MONOCHROME2"
    data = bytes(range(200)) * 200
    icon.add_new("PixelData", "OB", data[: rows * columns + rows * columns % 2])
    for keyword, value in fields.items():
        setattr(icon, keyword, value)
    dataset.IconImageSequence = Sequence([icon])
    dataset.save_as(path)
    return read_header(path, path.parent)


def test_that_the_embedded_icon_is_used(tmp_path: Path) -> None:
    film = with_icon(tmp_path / "a.dcm", 96, 64)
    icon_HW = make_thumbnail(MakeThumbnail(film, SIZE_PX)).grey_HW
    assert icon_HW.shape == (96, 64)
    assert icon_HW[0, :5].tolist() == [0, 1, 2, 3, 4]
    film = with_icon(tmp_path / "b.dcm", 96, 64, PhotometricInterpretation="MONOCHROME1")
    assert embedded_icon(film, SIZE_PX)[0, :3].tolist() == [255, 254, 253]


@pytest.mark.parametrize(
    ("rows", "columns", "fields"),
    [
        (48, 32, {}),
        (96, 96, {}),
        (96, 64, {"PhotometricInterpretation": "PALETTE COLOR"}),
        (96, 64, {"BitsAllocated": 16}),
        (96, 64, {"Rows": 192, "Columns": 128}),
        (96, 64, {"Rows": 0}),
    ],
    ids=["small", "different shape", "palette", "16 bit", "truncated", "no size"],
)
def test_that_an_unsuitable_icon_is_ignored(
    tmp_path: Path, rows: int, columns: int, fields: dict[str, object]
) -> None:
    film = with_icon(tmp_path / "a.dcm", rows, columns, **fields)
    assert embedded_icon(film, SIZE_PX) is None
    made = make_thumbnail(MakeThumbnail(film, SIZE_PX)).grey_HW
    assert (made == thumbnail(read_film(film), SIZE_PX)).all()


def test_that_a_large_jpeg_is_decoded_at_a_reduced_size(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(phantom(1000, 800, 8), (31, 31), 0)
    film = read_header(write_raster(tmp_path / "a.jpg", smooth), tmp_path)
    small = reduced_film(film, SIZE_PX, 200.0)
    assert small is not None
    assert small.pixels_HW.shape == (125, 100)
    reduced = make_thumbnail(MakeThumbnail(film, SIZE_PX)).grey_HW
    full = thumbnail(read_film(film), SIZE_PX)
    assert reduced.shape == full.shape
    assert np.abs(reduced.astype(int) - full).mean() < 4


def reduced_and_full(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The thumbnails from reduced and from all pixels."""
    film = read_header(path, path.parent)
    small = reduced_film(film, SIZE_PX, 200.0)
    assert small is not None
    assert max(small.pixels_HW.shape) <= max(film.rows, film.columns) // 2 + 1
    made = make_thumbnail(MakeThumbnail(film, SIZE_PX)).grey_HW
    assert np.array_equal(made, thumbnail(small, SIZE_PX))
    return made.astype(int), thumbnail(read_film(film), SIZE_PX).astype(int)


@pytest.mark.parametrize("name", ["RG1_J2KR.dcm", "RG1_J2KI.dcm", "RG3_J2KR.dcm", "MR2_J2KI.dcm"])
def test_that_a_jpeg_2000_film_is_decoded_at_a_reduced_size(name: str) -> None:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip("pydicom-data is not installed")
    reduced, full = reduced_and_full(Path(path))
    assert reduced.shape == full.shape
    assert np.abs(reduced - full).mean() < 1.1


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_that_reduced_jpeg_2000_keeps_the_stored_values(
    tmp_path: Path, bits: int, signed: bool
) -> None:
    stored = phantom(1000, 800, bits, signed=signed)
    path = write_dicom(
        tmp_path / "a.dcm", stored, bits_stored=bits, transfer_syntax=JPEG2000Lossless
    )
    small = reduced_film(read_header(path, tmp_path), SIZE_PX, 200.0)
    assert small is not None
    expected = cv2.resize(stored.astype(np.float32), (200, 250), interpolation=cv2.INTER_AREA)
    assert np.abs(small.pixels_HW - expected).mean() <= 1 + 2**bits / 1000


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_that_a_jpeg_inside_dicom_is_decoded_at_a_reduced_size_with_its_grey_scale(
    tmp_path: Path, photometric: str
) -> None:
    smooth = cv2.GaussianBlur(phantom(1000, 800, 8), (31, 31), 0)
    frame = cv2.imencode(".jpg", smooth)[1].tobytes()
    path = write_encapsulated(
        tmp_path / "a.dcm", [frame, frame], smooth, transfer_syntax=JPEGBaseline8Bit,
        photometric=photometric, windows=[(90, 120)],
    )  # fmt: skip
    reduced, full = reduced_and_full(path)
    assert np.abs(reduced - full).mean() <= 1


@pytest.mark.parametrize(
    "fields",
    [
        {"PixelPaddingValue": 0},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [500, 400],
         "RadiusOfCircularShutter": 300},
        {"BitsStored": 10, "HighBit": 9},
    ],
    ids=["padding", "shutter", "another depth than the frame's"],
)  # fmt: skip
def test_that_films_with_edges_or_unusual_depths_are_decoded_at_full_size(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    stored = phantom(1000, 800, 8).astype(np.uint16)
    path = write_dicom(
        tmp_path / "a.dcm", stored, bits_stored=16, transfer_syntax=JPEG2000Lossless, **fields
    )
    assert reduced_film(read_header(path, tmp_path), SIZE_PX, 200.0) is None


def test_that_an_incomplete_or_broken_frame_is_not_reduced(tmp_path: Path) -> None:
    stored = phantom(1000, 800, 12)
    path = write_dicom(tmp_path / "a.dcm", stored, transfer_syntax=JPEG2000Lossless)
    frame = next(generate_frames(dcmread(path).PixelData, number_of_frames=1))
    for name, broken in (("truncated", frame[: len(frame) // 2]), ("empty", frame[:60])):
        path = write_encapsulated(
            tmp_path / f"{name}.dcm", [broken], stored, transfer_syntax=JPEG2000Lossless,
            bits_stored=12,
        )  # fmt: skip
        assert reduced_film(read_header(path, tmp_path), SIZE_PX, 200.0) is None


def test_that_a_small_jpeg_and_other_films_are_decoded_at_full_size(
    film: FilmRef, tmp_path: Path
) -> None:
    small = read_header(write_raster(tmp_path / "a.jpg", phantom(150, 120, 8)), tmp_path)
    assert reduced_film(small, SIZE_PX, 200.0) is None
    assert reduced_film(film, SIZE_PX, 200.0) is None


def test_that_a_truncated_jpeg_has_no_thumbnail(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.jpg", phantom(1000, 800, 8))
    film = read_header(path, tmp_path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UnreadableFilm, match="incomplete"):
        make_thumbnail(MakeThumbnail(film, SIZE_PX))


def test_that_a_missing_film_is_reported(film: FilmRef, store: ThumbnailStore) -> None:
    film.path.unlink()
    with pytest.raises(UnreadableFilm) as caught:
        make_thumbnail(MakeThumbnail(film, SIZE_PX, store=store))
    assert caught.value.path == film.path
