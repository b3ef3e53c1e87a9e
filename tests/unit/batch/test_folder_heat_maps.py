"""Pictures of a folder with heat maps: a real small model, every file with its outcome."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
import torch

from tests.builders import phantom, write_dicom
from tests.bundles import Tiny, write_bundle
from xrayview.batch.heat_maps import HeatMapOptions
from xrayview.batch.render import render_folder
from xrayview.cli import main
from xrayview.commands import render
from xrayview.domain.figure import FigureStyle
from xrayview.domain.film import FilmRef
from xrayview.domain.model import OperatingPoint
from xrayview.engine.client import ROUTES, Engine
from xrayview.engine.protocol import RenderFilm
from xrayview.errors import Cancelled, ExitCode
from xrayview.services.catalogue import model_ref, trust_model

Captured = pytest.CaptureFixture[str]


class NotANumberWhenBright(Tiny):
    """Passes the probe, none of whose inputs is as bright as the film of the test."""

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        bright_B1 = features_BDhw[:, :1].mean((2, 3))
        nothing = torch.zeros_like(bright_B1)
        is_film = (bright_B1 > 0.445) & (bright_B1 < 0.455)
        spoilt = torch.where(is_film, nothing + float("nan"), nothing)
        return super().forward_head(features_BDhw) + spoilt


@pytest.fixture(autouse=True)
def _shared_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands share one engine, so that torch is imported only once."""
    monkeypatch.setattr(render, "start_engine", lambda *_: nullcontext(engine))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finds what is bright; its operating point is out of reach of the phantom's score."""
    point = OperatingPoint("Opacity", "test", 0.9, "chosen for the test")
    path = tmp_path_factory.mktemp("models") / "tiny.pt"
    write_bundle(path, operating_points=(point,))
    trust_model(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frontal film with a bright lower right, a lateral, a truncated one, and a text file."""
    root = tmp_path_factory.mktemp("films")
    tags = {"PatientName": "Secret^Name", "BurnedInAnnotation": "NO"}
    write_dicom(root / "a.dcm", phantom(240, 200), ViewPosition="PA", **tags)
    write_dicom(root / "lateral.dcm", phantom(240, 200), ViewPosition="LL", **tags)
    whole = write_dicom(root / "cut.dcm", phantom(), **tags)
    whole.write_bytes(whole.read_bytes()[:-500])
    (root / "notes.txt").write_text("not a film")
    return root


def lines(output: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in output.splitlines())


def colour_share(path: Path) -> float:
    """The fraction of pixels that are not grey."""
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    return float((np.ptp(picture.astype(int), axis=2) > 8).mean())


def test_that_every_film_has_a_heat_map_or_a_reason(
    folder: Path, bundle: Path, tmp_path: Path, capsys: Captured
) -> None:
    command = ["render", str(folder), "--out", str(tmp_path), "--model", str(bundle)]
    assert main([*command, "--format", "svg", "--opacity", "0.8"]) == ExitCode.SOME_FAILED
    output = lines(capsys.readouterr().out)
    assert output["a.dcm"].startswith("Scope not checked: a.dcm.svg")
    assert output["lateral.dcm"].startswith(
        "Out of scope (NOT_FRONTAL): lateral.dcm.svg: No heat map: "
    )
    assert "lateral view" in output["lateral.dcm"]
    assert output["cut.dcm"].startswith("error DECODE_FAILED: ")
    assert output["notes.txt"].startswith("error NOT_AN_IMAGE: ")
    assert {path.name for path in tmp_path.iterdir()} == {"a.dcm.svg", "lateral.dcm.svg"}
    explained, refused = (ET.parse(tmp_path / f"{name}.dcm.svg") for name in ("a", "lateral"))
    text = "".join(explained.getroot().itertext())
    for word in ("Grad-CAM", "Opacity", "tiny 1.0", "below its operating point (0.90)"):
        assert word in text
    assert "Evidence" in text
    assert "RESEARCH USE ONLY" in text
    assert "Secret" not in text
    images = "{http://www.w3.org/2000/svg}image"
    assert [len(list(tree.iter(images))) for tree in (explained, refused)] == [3, 1]
    assert "Out of scope for tiny 1.0" in "".join(refused.getroot().itertext())


def test_that_the_map_lies_where_the_film_is_bright(bundle: Path, tmp_path: Path) -> None:
    film_HW = np.zeros((400, 360), np.uint16)
    film_HW[200:, 180:] = 4000
    path = write_dicom(tmp_path / "a.dcm", film_HW, ViewPosition="PA")
    out = tmp_path / "out"
    command = ["render", str(path), "--out", str(out), "--model", str(bundle)]
    assert main([*command, "--finding", "Opacity", "--opacity", "1"]) == ExitCode.OK
    picture = cv2.imdecode(np.fromfile(out / "a.dcm.png", np.uint8), cv2.IMREAD_COLOR)
    coloured_HW = np.ptp(picture[:400, :360].astype(int), axis=2) > 60
    assert coloured_HW[220:360, 200:330].all()
    assert not coloured_HW[:170].any()
    assert not coloured_HW[:, :150].any()


def test_that_a_film_that_the_model_fails_on_has_no_picture_and_stops_no_other(
    tmp_path: Path, capsys: Captured
) -> None:
    model = write_bundle(tmp_path / "fails.pt", NotANumberWhenBright)
    films, out = tmp_path / "films", tmp_path / "out"
    films.mkdir()
    bright = np.full((240, 240), 4000, np.uint16)
    bright[:12] = 0
    write_dicom(films / "bright.dcm", bright, ViewPosition="PA")
    write_dicom(films / "usual.dcm", phantom(240, 200), ViewPosition="PA")
    command = ["render", str(films), "--out", str(out), "--model", str(model)]
    assert main(command) == ExitCode.MODEL  # it is not trusted
    assert "--trust-model" in capsys.readouterr().err
    assert main([*command, "--trust-model"]) == ExitCode.SOME_FAILED
    output = lines(capsys.readouterr().out)
    assert output["bright.dcm"].startswith("error MODEL_FAILED: ")
    assert output["usual.dcm"].startswith("Scope not checked: usual.dcm.png")
    assert [path.name for path in out.iterdir()] == ["usual.dcm.png"]


def test_that_pictures_that_are_there_ask_no_model(
    folder: Path, bundle: Path, tmp_path: Path, capsys: Captured
) -> None:
    there = tmp_path / "lateral.dcm.png"
    there.write_bytes(b"of the earlier run")
    command = ["render", str(folder), "--out", str(tmp_path), "--model", str(bundle)]
    assert main([*command, "--skip-existing"]) == ExitCode.SOME_FAILED
    output = lines(capsys.readouterr().out)
    assert output["lateral.dcm"] == "ok: lateral.dcm.png: exists already"
    assert there.read_bytes() == b"of the earlier run"
    assert colour_share(tmp_path / "a.dcm.png") > 0.1


def test_that_the_caption_of_a_film_with_a_caution_states_it(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "in").mkdir()
    write_dicom(tmp_path / "in" / "a.dcm", phantom(240, 200), ViewPosition="LLD")
    command = ["render", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--format", "svg"]
    assert main([*command, "--model", str(bundle)]) == ExitCode.OK
    text = "".join(ET.parse(tmp_path / "out" / "a.dcm.svg").getroot().itertext())
    assert "Caution: View position LLD: the patient lies on one side." in text


def test_that_a_cancel_ends_the_work_between_films(
    engine: Engine, folder: Path, bundle: Path, tmp_path: Path
) -> None:
    cancel = threading.Event()
    how = RenderFilm(FilmRef(folder, ""), style=FigureStyle())
    options = HeatMapOptions(model_ref(bundle))
    events = render_folder(engine, folder, tmp_path, how, cancel, heat_maps=options)
    assert next(events).output == tmp_path / "a.dcm.png"
    cancel.set()
    with pytest.raises(Cancelled):
        list(events)
    assert [path.name for path in tmp_path.iterdir()] == ["a.dcm.png"]


def test_that_without_a_model_nothing_is_asked_of_its_worker(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes: list[str] = []
    submit = Engine.submit

    def noted(engine: Engine, request: Any, **how: Any) -> Any:
        lanes.append(ROUTES[type(request)].lane)
        return submit(engine, request, **how)

    monkeypatch.setattr(Engine, "submit", noted)
    assert main(["render", str(folder), "--out", str(tmp_path), "--figure"]) == ExitCode.SOME_FAILED
    assert set(lanes) == {"decode"}
    assert colour_share(tmp_path / "a.dcm.png") == 0


@pytest.mark.parametrize(
    ("options", "code", "output"),
    [
        (["--finding", "Gout"], ExitCode.USAGE, "Choose one of Opacity"),
        (["--bits", "16"], ExitCode.USAGE, "cannot have 16 bits"),
    ],
)
def test_that_wrong_options_are_reported_before_the_first_film(
    options: list[str], code: int, output: str, folder: Path, bundle: Path, tmp_path: Path,
    capsys: Captured,
) -> None:  # fmt: skip
    out = tmp_path / "out"
    command = ["render", str(folder), "--out", str(out), "--model", str(bundle), *options]
    assert main(command) == code
    assert output in capsys.readouterr().err
    assert not out.exists()


def test_that_words_about_a_heat_map_need_a_model(
    folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    command = ["render", str(folder), "--out", str(tmp_path), "--opacity", "0.5"]
    assert main(command) == ExitCode.USAGE
    assert "Add --model BUNDLE" in capsys.readouterr().err
