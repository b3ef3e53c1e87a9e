"""The file of a folder: read after every earlier save, and again only if another has saved."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.unit.services.test_tasks import Desk
from xrayview.domain.film import FilmRef
from xrayview.services.folder_files import FolderFiles
from xrayview.services.stars import StarFiles, StoredStars


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.tasks.close()


@pytest.fixture
def files(desk: Desk, tmp_path: Path) -> Iterator[FolderFiles[StoredStars]]:
    files = FolderFiles(desk.tasks, StarFiles(tmp_path / "own.json"), "stars")
    yield files
    files.close()


def test_that_a_read_sees_every_earlier_save_and_is_not_repeated(
    desk: Desk, files: FolderFiles[StoredStars], tmp_path: Path
) -> None:
    stars = StarFiles(tmp_path / "own.json")
    films = [FilmRef(Path(name), name) for name in ("a.png", "b.png")]
    for film in films:
        files.save(partial(stars.save, tmp_path, {film: True}), lambda _: None, desk.hear)
    for _ in range(2):
        files.load(tmp_path, desk.hear, desk.hear)
    files.submit(bool).result()
    desk.run_until(lambda: bool(desk.heard))
    desk.run()
    (stored,) = desk.heard
    assert all(stored.is_starred(film) for film in films)


def test_that_a_look_reads_only_what_another_window_has_changed(
    desk: Desk, files: FolderFiles[StoredStars], tmp_path: Path
) -> None:
    others, film = StarFiles(tmp_path / "own.json"), FilmRef(Path("a.png"), "a.png")
    known = others.load(tmp_path).version
    files.look(tmp_path, known, desk.hear, desk.hear)
    files.submit(bool).result()
    desk.run()
    assert desk.heard == []
    others.save(tmp_path, {film: True})
    files.look(tmp_path, known, desk.hear, desk.hear)
    desk.run_until(lambda: bool(desk.heard))
    assert desk.heard[0].is_starred(film)


def test_that_a_cancelled_read_has_no_result(
    desk: Desk, files: FolderFiles[StoredStars], tmp_path: Path
) -> None:
    files.load(tmp_path, desk.hear, desk.hear)
    files.cancel_load(tmp_path)
    files.submit(bool).result()
    desk.run()
    assert desk.heard == []
