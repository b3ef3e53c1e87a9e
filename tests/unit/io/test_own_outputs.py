"""Pictures and copies among the films they come from are not further films."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xrayview.batch.source_files import lies_in, list_outside
from xrayview.io.deidentify.copy import Pseudonyms
from xrayview.io.own_outputs import _COPY
from xrayview.io.scan import walk
from xrayview.io.tables.outputs import FILE_NAME, load_outputs, record_output


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def listed(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in walk(folder)]


COPY = "ANON-0123456789/00001.dcm"


def test_that_only_files_with_the_names_of_outputs_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "a.dcm", "sub/b.png", "out/a.dcm.png", "out/sub/b.png.tiff", f"out/{COPY}")
    fill(tmp_path, "out/a.dcm.frame2.svg", "out/a.dcm~2.png", "out/new.dcm", "out/c.dcm.png")
    assert len(listed(tmp_path)) == 9
    record_output(tmp_path, tmp_path / "out")
    assert listed(tmp_path) == ["a.dcm", "out/c.dcm.png", "out/new.dcm", "sub/b.png"]


def test_that_outputs_are_listed_when_their_own_folder_is_opened(tmp_path: Path) -> None:
    fill(tmp_path, "a.dcm", "out/a.dcm.png", f"out/{COPY}")
    record_output(tmp_path, tmp_path / "out")
    assert listed(tmp_path / "out") == [COPY, "a.dcm.png"]
    assert listed(tmp_path / "out" / "ANON-0123456789") == ["00001.dcm"]


def test_that_outputs_are_left_out_when_a_folder_above_or_between_is_opened(tmp_path: Path) -> None:
    fill(tmp_path, "films/x/a.dcm", "films/x/out/x/a.dcm.png", "films/x/out/x/new.png")
    record_output(tmp_path / "films", tmp_path / "films" / "x" / "out")
    for folder in (tmp_path, tmp_path / "films", tmp_path / "films" / "x"):
        assert [Path(name).name for name in listed(folder)] == ["a.dcm", "new.png"]


def test_that_pictures_beside_their_films_and_saved_figures_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "a.dcm", "a.dcm.png", "sub/b.dcm", "sub/b.dcm.png", "other.png", "fig/one.png")
    record_output(tmp_path, tmp_path)
    record_output(tmp_path, tmp_path / "fig" / "one.png")
    assert listed(tmp_path) == ["a.dcm", "other.png", "sub/b.dcm"]
    assert listed(tmp_path / "sub") == ["b.dcm"]


def test_that_moved_and_foreign_folders_are_listed(tmp_path: Path) -> None:
    fill(tmp_path, "films/a.dcm", f"films/out/{COPY}")
    record_output(tmp_path / "films", tmp_path / "films" / "out")
    record_output(tmp_path / "films", tmp_path / "elsewhere")
    assert load_outputs(tmp_path / "films") == {"out"}
    (tmp_path / "films" / "out").rename(tmp_path / "copies")
    assert listed(tmp_path) == [f"copies/{COPY}", "films/a.dcm"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"outputs": 3}', '{"outputs": [1, "../.."]}'])
def test_that_a_damaged_record_leaves_out_nothing(tmp_path: Path, text: str) -> None:
    fill(tmp_path, "a.dcm", f"out/{COPY}")
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
    assert listed(tmp_path) == ["a.dcm", f"out/{COPY}"]
    record_output(tmp_path, tmp_path / "out")
    assert listed(tmp_path) == ["a.dcm"]
    assert "out" in json.loads((tmp_path / FILE_NAME).read_text(encoding="utf-8"))["outputs"]


def test_that_the_names_of_copies_are_recognised() -> None:
    assert _COPY.fullmatch(f"{Pseudonyms(b'key').patient('P1')}/00001.dcm")


def test_that_an_output_folder_around_the_films_leaves_them_listed(tmp_path: Path) -> None:
    fill(tmp_path, "films/a.dcm", "films/out/b.png")
    films = tmp_path / "films"
    assert len(list_outside(films, tmp_path)) == 2
    assert len(list_outside(films, films)) == 2
    assert len(list_outside(films / "a.dcm", films)) == 1
    assert len(list_outside(films, films / "out")) == 1
    (tmp_path / "link").symlink_to(films / "out")
    assert len(list_outside(films, tmp_path / "link")) == 1
    assert lies_in(tmp_path / "link", films)
    assert lies_in(films / "new" / "deep", films)
    assert not lies_in(tmp_path / "films2", films)
