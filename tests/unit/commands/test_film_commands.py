"""`inspect`, `render` and `tags` from end to end: real files, real decode workers."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from tests.builders import phantom, write_dicom, write_raster
from xrayview.cli import main
from xrayview.commands.film_lines import FilmLines
from xrayview.display.greyscale import render
from xrayview.domain.events import FilmFinished
from xrayview.domain.radiograph import Window
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ReadTags
from xrayview.errors import ExitCode, StatusCode, UnreadableFilm
from xrayview.io.readers import read_film, read_header, read_stored_values

Captured = pytest.CaptureFixture[str]


def picture(path: Path) -> np.ndarray:
    return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two films of the same stem, a truncated one, a text file, and a report."""
    root = tmp_path_factory.mktemp("films")
    (root / "sub").mkdir()
    tags = {"PatientName": "Secret^Name", "PatientBirthDate": "19700101"}
    write_dicom(root / "a.dcm", phantom(), windows=[(800, 900), (2000, 4000)], **tags)
    write_raster(root / "sub" / "a.png", phantom(bits=8))
    whole = write_dicom(root / "cut.dcm", phantom(), **tags)
    whole.write_bytes(whole.read_bytes()[:-500])
    (root / "notes.txt").write_text("not a film")
    report = Path(str(get_testdata_file("reportsi.dcm", download=False)))
    (root / "report.dcm").write_bytes(report.read_bytes())
    return root


def test_that_inspect_describes_the_film_and_not_the_patient(
    folder: Path, capsys: Captured
) -> None:
    assert main(["inspect", str(folder / "a.dcm"), "--json"]) == ExitCode.OK
    out = capsys.readouterr().out
    output = json.loads(out)
    stored = read_stored_values(folder / "a.dcm")
    assert output["stored"]["sha256"] == stored.sha256
    assert output["stored"]["shape"] == [48, 40]
    assert (output["Modality"], output["Rows"], output["spacing"]["kind"]) == ("DX", 48, "px")
    window = next(step for step in output["pipeline"] if step["name"] == "Window")
    assert window["attributes"][0] == {
        "keyword": "WindowCenter", "tag": "(0028,1050)", "value": "800.0\\2000.0",
    }  # fmt: skip
    assert "Secret" not in out
    assert "1970" not in out
    assert main(["inspect", str(folder / "a.dcm")]) == ExitCode.OK
    plain = capsys.readouterr().out
    assert stored.sha256 in plain
    assert "WindowCenter (0028,1050)" in plain
    assert "Secret" not in plain


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("notes.txt", ExitCode.NOTHING_USABLE),
        ("cut.dcm", ExitCode.SOME_FAILED),
        ("sub", ExitCode.USAGE),
        ("nowhere.dcm", ExitCode.USAGE),
    ],
)
def test_that_inspect_reports_why_it_fails(
    name: str, code: int, folder: Path, capsys: Captured
) -> None:
    assert main(["inspect", str(folder / name)]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert name in captured.err


def test_that_render_writes_what_the_window_shows(
    folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    assert main(["render", str(folder), "--out", str(out)]) == ExitCode.SOME_FAILED
    captured = capsys.readouterr()
    lines = dict(line.split(": ", 1) for line in captured.out.splitlines())
    assert lines.keys() == {"a.dcm", "cut.dcm", "notes.txt", "report.dcm", "sub/a.png"}
    assert lines["a.dcm"] == "ok: a.dcm.png"
    assert lines["cut.dcm"].startswith("error DECODE_FAILED: ")
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert written == {"a.dcm.png", "sub/a.png.png"}
    film = read_film(read_header(folder / "a.dcm", folder))
    np.testing.assert_array_equal(picture(out / "a.dcm.png"), render(film))
    assert "BurnedInAnnotation is absent" in captured.err


def test_that_render_accepts_a_window_by_value_or_index(folder: Path, tmp_path: Path) -> None:
    film = read_film(read_header(folder / "a.dcm", folder))
    for choice, window in (
        (["--window", "1000,300"], Window(1000, 300)),
        (["--window-index", "2"], Window(2000, 4000)),
    ):
        out = tmp_path / choice[0]
        arguments = ["render", str(folder / "a.dcm"), "--out", str(out), *choice]
        assert main([*arguments, "--format", "tiff"]) == ExitCode.OK
        np.testing.assert_array_equal(picture(out / "a.dcm.tiff"), render(film, window))


def test_that_render_reports_a_missing_window_or_frame(
    folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    options_and_errors = (
        (["--window-index", "3"], "has no window 3 (its file has 0)"),
        (["--frame", "2"], "has no frame 2 (its file has 1). Leave out the frame."),
    )
    for options, error in options_and_errors:
        arguments = ["render", str(folder / "sub" / "a.png"), "--out", str(tmp_path), *options]
        assert main(arguments) == ExitCode.USAGE
        assert error in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_that_films_of_a_folder_without_the_frame_are_reported(
    tmp_path: Path, capsys: Captured
) -> None:
    frames, source, out = np.stack([phantom()] * 3), tmp_path / "films", tmp_path / "out"
    source.mkdir()
    write_dicom(source / "cine.dcm", frames, frames=3)
    write_dicom(source / "one.dcm", phantom())
    arguments = ["render", str(source), "--out", str(out), "--frame"]
    assert main([*arguments, "3"]) == ExitCode.SOME_FAILED
    assert "one.dcm: error NO_PIXELS: The film has no frame 3" in capsys.readouterr().out
    assert [path.name for path in out.iterdir()] == ["cine.dcm.frame3.png"]
    arguments[1] = str(source / "cine.dcm")
    assert main([*arguments, "4"]) == ExitCode.USAGE
    assert "no frame 4 (its file has 3). Choose a frame from 1 to 3." in capsys.readouterr().err


def test_that_existing_pictures_are_kept_and_reported(tmp_path: Path, capsys: Captured) -> None:
    film, out = write_dicom(tmp_path / "a.dcm", phantom()), tmp_path / "out"
    arguments = ["render", str(film), "--out", str(out)]
    assert main(arguments) == ExitCode.OK
    before = picture(out / "a.dcm.png")
    capsys.readouterr()
    assert main([*arguments, "--invert", "--skip-existing"]) == ExitCode.OK
    assert "1 picture existed and was kept" in capsys.readouterr().err
    np.testing.assert_array_equal(picture(out / "a.dcm.png"), before)


def test_that_inspect_describes_the_requested_frame(tmp_path: Path, capsys: Captured) -> None:
    film = write_dicom(
        tmp_path / "a.dcm",
        np.stack([phantom()] * 2),
        frames=2,
        PerFrameFunctionalGroupsSequence=[rescaled(2), rescaled(3)],
    )
    assert main(["inspect", str(film), "--frame", "2", "--json"]) == ExitCode.OK
    output = json.loads(capsys.readouterr().out)
    rescale = next(step for step in output["pipeline"] if step["name"] == "Rescale")
    assert output["frame"] == 1
    assert rescale["attributes"][0]["tag"] == "(5200,9230)[1] > (0028,9145) > (0028,1053)"
    assert rescale["value"] == "slope 3, intercept 0"
    assert main(["inspect", str(film), "--frame", "3"]) == ExitCode.USAGE


def rescaled(slope: int) -> Dataset:
    values, frame = Dataset(), Dataset()
    values.RescaleSlope, values.RescaleIntercept = slope, 0
    frame.PixelValueTransformationSequence = [values]
    return frame


@pytest.mark.parametrize("out", [".", "pictures", "sub/pictures", "link"])
def test_that_pictures_are_written_among_the_films_only_on_request(
    tmp_path: Path, out: str, capsys: Captured
) -> None:
    films = tmp_path / "films"
    (films / "sub").mkdir(parents=True)
    write_dicom(films / "a.dcm", phantom(), BurnedInAnnotation="NO")
    write_dicom(films / "sub" / "b.dcm", phantom(), BurnedInAnnotation="NO")
    if out == "link":
        (films / "real").mkdir()
        (tmp_path / "link").symlink_to(films / "real")
    target = tmp_path / "link" if out == "link" else films / out
    arguments = ["render", str(films), "--out", str(target)]
    before = sorted(films.rglob("*"))
    assert main(arguments) == ExitCode.USAGE
    assert "--inside-source" in capsys.readouterr().err
    assert sorted(films.rglob("*")) == before
    for _ in range(2):
        assert main([*arguments, "--inside-source"]) == ExitCode.OK
        assert capsys.readouterr().out.count("ok: ") == 2
    assert main(["scan", str(films)]) == ExitCode.OK
    assert "2 films" in capsys.readouterr().err
    if out == "pictures":
        assert main(["scan", str(target)]) == ExitCode.OK
        assert "2 films" in capsys.readouterr().err


def test_that_one_film_can_be_rendered_next_to_its_folder(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "films").mkdir()
    film = write_dicom(tmp_path / "films" / "a.dcm", phantom(), BurnedInAnnotation="NO")
    arguments = ["render", str(film), "--out"]
    assert main([*arguments, str(film.parent)]) == ExitCode.USAGE
    assert main([*arguments, str(film.parent), "--inside-source"]) == ExitCode.OK
    assert main([*arguments, str(film.parent / "one")]) == ExitCode.OK
    assert main([*arguments, str(tmp_path)]) == ExitCode.OK
    capsys.readouterr()
    assert main(["scan", str(film.parent)]) == ExitCode.OK
    assert "1 film" in capsys.readouterr().err
    assert main(["render", str(film.parent), "--out", str(tmp_path)]) == ExitCode.OK
    assert (tmp_path / "a.dcm.png").is_file()


def test_that_burned_in_text_causes_a_warning(tmp_path: Path, capsys: Captured) -> None:
    frames = np.stack([phantom(bits=8), 255 - phantom(bits=8)])
    film = write_dicom(tmp_path / "a.dcm", frames, frames=2, BurnedInAnnotation="YES")
    out = tmp_path / "out"
    assert main(["render", str(film), "--out", str(out), "--frame", "2"]) == ExitCode.OK
    assert "BurnedInAnnotation is YES" in capsys.readouterr().err
    second = picture(out / "a.dcm.frame2.png").astype(int)
    assert np.corrcoef(second.ravel(), frames[1].ravel())[0, 1] > 0.9


def test_that_tags_has_a_row_for_every_file(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "tags.csv"
    assert main(["tags", str(folder), "--out", str(out)]) == ExitCode.SOME_FAILED
    text = out.read_text(encoding="utf-8")
    rows = {row["path"]: row for row in csv.DictReader(text.splitlines())}
    assert list(rows) == ["a.dcm", "cut.dcm", "notes.txt", "report.dcm", "sub/a.png"]
    assert {path: row["status_code"] for path, row in rows.items()} == {
        "a.dcm": "OK", "cut.dcm": "OK", "notes.txt": "NOT_AN_IMAGE", "report.dcm": "OK",
        "sub/a.png": "OK",
    }  # fmt: skip
    assert (rows["a.dcm"]["Rows"], rows["sub/a.png"]["Columns"]) == ("48", "40")
    assert (rows["report.dcm"]["Modality"], rows["a.dcm"]["WindowWidth"]) == ("SR", "900.0\\4000.0")
    assert rows["a.dcm"]["PatientID"] not in {"", "P1"}
    assert "Secret" not in text


def test_that_names_are_in_the_table_only_with_identity_full(
    folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "tags.csv"
    arguments = ["tags", str(folder / "a.dcm"), "--out", str(out), "--columns", "PatientName"]
    assert main(arguments) == ExitCode.USAGE
    assert "--identity full" in capsys.readouterr().err
    assert not out.exists()
    assert main([*arguments, "--identity", "full"]) == ExitCode.OK
    assert "Secret^Name" in out.read_text(encoding="utf-8")


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Press Ctrl+C when the first film is done."""
    add, handler = FilmLines.add, signal.getsignal(signal.SIGINT)

    def add_and_interrupt(self: FilmLines, event: FilmFinished) -> None:
        add(self, event)
        if event.done == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(FilmLines, "add", add_and_interrupt)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("interrupted")
def test_that_an_interrupt_keeps_finished_files(tmp_path: Path) -> None:
    folder, pictures, table = tmp_path / "films", tmp_path / "pictures", tmp_path / "tags.csv"
    folder.mkdir()
    for number in range(20):
        write_dicom(folder / f"{number:02}.dcm", phantom())
    assert main(["render", str(folder), "--out", str(pictures)]) == ExitCode.INTERRUPTED
    assert [path.name for path in pictures.iterdir()] == ["00.dcm.png"]
    assert main(["tags", str(folder), "--out", str(table)]) == ExitCode.INTERRUPTED
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [row["path"] for row in rows] == ["00.dcm"]


def test_that_a_tag_browser_gets_its_tree_from_a_worker(folder: Path) -> None:
    with Engine(1) as engine:
        nodes = engine.submit(ReadTags(folder / "a.dcm")).result()
        assert nodes[-1].keyword == "PixelData"
        with pytest.raises(UnreadableFilm) as caught:
            engine.submit(ReadTags(folder / "notes.txt")).result()
    assert caught.value.code is StatusCode.NOT_AN_IMAGE
    assert caught.value.path == folder / "notes.txt"
