"""Listing a folder: every path of a regular file, everything else with the reason."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from tests.builders import phantom, write_raster
from xrayview.domain.film import RejectedFile
from xrayview.errors import NothingUsable, StatusCode
from xrayview.io.readers import read_film, read_header
from xrayview.io.scan import relative_path, walk

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file types")


def files(folder: Path) -> list[str]:
    return [relative_path(p, folder) for p in walk(folder) if isinstance(p, Path)]


def rejected(folder: Path) -> dict[str, RejectedFile]:
    return {p.relative_path: p for p in walk(folder) if isinstance(p, RejectedFile)}


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_that_files_the_program_writes_beside_films_are_not_listed(tmp_path: Path) -> None:
    fill(tmp_path, "a.dcm", "xrayview-measurements.json", "b/xrayview-stars.json")
    assert files(tmp_path) == ["a.dcm"]
    assert rejected(tmp_path) == {}


def test_that_files_are_listed_in_the_order_of_their_names(tmp_path: Path) -> None:
    fill(tmp_path, "b/2", "b/1", "a.dcm", "c", "b/d/e/film", "B/x")
    assert files(tmp_path) == ["B/x", "a.dcm", "b/1", "b/2", "b/d/e/film", "c"]
    assert rejected(tmp_path) == {}


def test_that_hidden_and_empty_files_are_listed(tmp_path: Path) -> None:
    fill(tmp_path, ".DS_Store", "notes.txt")
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    assert files(tmp_path) == [".DS_Store", "empty", "notes.txt"]


def test_that_nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a", "b/c")
    monkeypatch.setattr("builtins.open", lambda *_: pytest.fail("opened a file"))
    monkeypatch.setattr("io.open", lambda *_: pytest.fail("opened a file"))
    assert files(tmp_path) == ["a", "b/c"]


def test_that_files_are_listed_lazily(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    listing = walk(tmp_path)
    assert next(listing) == tmp_path / "a"
    fill(tmp_path, "b2/late")
    (tmp_path / "b").unlink()
    late = next(listing)
    assert isinstance(late, RejectedFile)
    assert late.why.startswith("the file cannot be accessed")


def test_that_folders_may_be_nested_deeper_than_the_recursion_limit(tmp_path: Path) -> None:
    fill(tmp_path, "first")
    bottom = tmp_path.joinpath(*["d"] * 1100)
    try:
        # Step by step, because making the whole path at once is recursive.
        for depth in range(1, 1101):
            tmp_path.joinpath(*["d"] * depth).mkdir()
        (bottom / "film").touch()
        assert [path.name for path in walk(tmp_path) if isinstance(path, Path)] == ["film", "first"]
    finally:
        # pytest deletes its temporary folders recursively.
        (bottom / "film").unlink(missing_ok=True)
        os.removedirs(bottom)


# -- links -------------------------------------------------------------------------------------


@posix
def test_that_every_link_to_a_file_of_the_folder_is_a_path_of_its_own(tmp_path: Path) -> None:
    fill(tmp_path, "a/film")
    (tmp_path / "a" / "hard").hardlink_to(tmp_path / "a" / "film")
    (tmp_path / "z").symlink_to(tmp_path / "a" / "film")
    assert files(tmp_path) == ["a/film", "a/hard", "z"]
    assert rejected(tmp_path) == {}


@posix
def test_that_a_file_system_without_inode_numbers_loses_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "a", "b", "c/d")
    lstat = Path.lstat

    def same_inode(path: Path) -> os.stat_result:
        values = list(lstat(path))
        values[stat.ST_INO] = 0
        return os.stat_result(values)

    monkeypatch.setattr(Path, "lstat", same_inode)
    assert files(tmp_path) == ["a", "b", "c/d"]


@posix
def test_that_links_out_of_the_folder_are_rejected_and_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, "inside/film", "outside/secret", "inside2/film")
    folder = tmp_path / "inside"
    (folder / "file").symlink_to(tmp_path / "outside" / "secret")
    (folder / "dots").symlink_to("../outside/secret")
    (folder / "folder").symlink_to(tmp_path / "outside")
    # A sibling whose name starts like the folder's is outside.
    (folder / "sibling").symlink_to(tmp_path / "inside2" / "film")
    (folder / "chain").symlink_to(folder / "file")
    assert files(folder) == ["film"]
    reasons = rejected(folder)
    assert sorted(reasons) == ["chain", "dots", "file", "folder", "sibling"]
    assert {r.why for r in reasons.values()} == {"the link leaves the folder and is not followed"}
    assert {r.code for r in reasons.values()} == {StatusCode.NOT_AN_IMAGE}


@posix
def test_that_loops_of_links_terminate(tmp_path: Path) -> None:
    fill(tmp_path, "a/film")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert files(tmp_path) == ["a/film"]
    assert rejected(tmp_path)["a/up"].why == "a link to a folder is not followed"
    assert rejected(tmp_path)["a/self"].why == "the link leads nowhere"
    assert rejected(tmp_path)["one"].why == "the link leads nowhere"


@posix
def test_that_a_folder_opened_through_a_link_is_walked(tmp_path: Path) -> None:
    fill(tmp_path, "real/film")
    (tmp_path / "real" / "again").symlink_to("film")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert files(tmp_path / "link") == ["again", "film"]
    assert rejected(tmp_path / "link") == {}


# -- special files and permissions -------------------------------------------------------------


@posix
def test_that_pipes_sockets_and_devices_are_rejected_unopened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        try:
            os.chdir(tmp_path)  # a socket's path must be short
            server.bind("socket")
        finally:
            os.chdir(here)
        assert files(tmp_path) == []
        reasons = {name: r.why for name, r in rejected(tmp_path).items()}
    assert reasons == {
        "pipe": "a named pipe is not a film",
        "socket": "a socket is not a film",
        "zero": "the link leaves the folder and is not followed",
    }


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root can read everything")
def test_that_a_folder_without_permission_is_rejected(tmp_path: Path) -> None:
    fill(tmp_path, "a/film", "b")
    (tmp_path / "a").chmod(0)
    try:
        assert files(tmp_path) == ["b"]
        assert rejected(tmp_path)["a"].why.startswith("the folder cannot be listed")
    finally:
        (tmp_path / "a").chmod(0o755)


def test_that_a_folder_that_disappears_is_rejected(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b/film")
    listing = walk(tmp_path)
    next(listing)
    (tmp_path / "b" / "film").unlink()
    (tmp_path / "b").rmdir()
    (missing,) = listing
    assert isinstance(missing, RejectedFile)
    assert missing.relative_path == "b"


@pytest.mark.parametrize("name", ["absent", "file"])
def test_that_a_missing_folder_or_a_file_is_refused(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "file")
    with pytest.raises(NothingUsable) as caught:
        list(walk(tmp_path / name))
    assert caught.value.why
    assert caught.value.hint


# -- names -------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="file names of arbitrary bytes")
def test_that_names_that_are_not_utf_8_keep_their_bytes(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    write_raster(tmp_path / "film.png", phantom(48, 40, 8))
    (tmp_path / "film.png").rename(os.fsdecode(raw))
    (path,) = walk(tmp_path)
    assert isinstance(path, Path)
    film = read_header(path, tmp_path)
    assert os.fsencode(film.relative_path) == b"caf\xe9.png"
    assert (read_film(film).pixels_HW == phantom(48, 40, 8)).all()


@pytest.mark.parametrize("name", ["Thorax übersicht.dcm", "胸部.png", "a\tb", "-rf", "=1+1"])
def test_that_unusual_names_are_listed_unchanged(tmp_path: Path, name: str) -> None:
    if sys.platform == "win32" and "\t" in name:
        pytest.skip("not a name on Windows")
    fill(tmp_path, name)
    assert files(tmp_path) == [name]


def test_that_relative_paths_have_forward_slashes(tmp_path: Path) -> None:
    assert relative_path(tmp_path / "a" / "b.dcm", tmp_path) == "a/b.dcm"
    assert relative_path(tmp_path / "a.dcm", tmp_path / "other") == "a.dcm"
