"""Figures: the film as displayed, with captions and measurements, as pixels and as SVG."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
from pydicom.data import get_testdata_file

from tests.builders import phantom, write_dicom
from xrayview.cli import main
from xrayview.display.drawings import make_drawings
from xrayview.display.figure import compose
from xrayview.display.figure_grey import oriented_grey
from xrayview.display.figure_raster import draw
from xrayview.display.figure_text import ASCENT, text_width, wrapped
from xrayview.display.greyscale import render
from xrayview.display.scale_bar import scale_bar
from xrayview.domain.figure import FILM_ONLY, Figure, FigureLook, FigureStyle, HeatLayer
from xrayview.domain.measurement import Annotation, Mark
from xrayview.domain.model import Affine, HeatMap
from xrayview.domain.radiograph import Radiograph, Spacing, SpacingKind, Window
from xrayview.errors import ExitCode
from xrayview.io.figure_svg import svg
from xrayview.io.readers import read_film, read_header

SVG = "{http://www.w3.org/2000/svg}"
MAMMO = Spacing(0.1, 0.2, SpacingKind.DETECTOR)


def film(name: str) -> Radiograph:
    path = Path(str(get_testdata_file(name, download=False)))
    return read_film(read_header(path, path.parent))


@pytest.fixture(scope="module")
def chest() -> Radiograph:
    return film("RG1_UNCR.dcm")


def heat_layer(radiograph: Radiograph) -> HeatLayer:
    """Evidence in the top left quarter."""
    rows, columns = radiograph.pixels_HW.shape
    values = np.array([[1, 0], [0, 0]], np.float32)
    grid = Affine(rows / 2, columns / 2)
    heat = HeatMap(
        radiograph.ref.film_id, "", "Opacity", "grad-cam", 0.93, 0.5, values, grid,
        (rows, columns), 1.0,
    )  # fmt: skip
    return HeatLayer(heat, "bright 1.2.0", opacity=1.0)


def texts(figure: Figure) -> list[str]:
    return [label.text for label in figure.labels]


def film_part(figure: Figure, picture: np.ndarray) -> np.ndarray:
    (left, top), (rows, columns) = figure.film_at, figure.film_HW.shape
    return picture[top : top + rows, left : left + columns]


@pytest.mark.parametrize(("turns", "mirrored"), [(0, False), (1, False), (2, True), (3, True)])
def test_that_a_figure_shows_the_film_as_displayed(
    chest: Radiograph, turns: int, mirrored: bool
) -> None:
    window = Window(12000, 9000)
    look = FigureLook(window, invert=True, quarter_turns=turns, mirrored=mirrored)
    expected = render(chest, window, invert=True)
    expected = np.rot90(expected[:, ::-1] if mirrored else expected, -turns)
    figure = compose(chest, look, FILM_ONLY)
    assert np.array_equal(film_part(figure, draw(figure)), expected)


@pytest.mark.parametrize("name", ["RG1_UNCR.dcm", "vlut_04.dcm", "mlut_18.dcm", "MR_small.dcm"])
def test_that_16_bits_are_the_8_bits_with_more_steps(name: str) -> None:
    radiograph = film(name)
    fine = oriented_grey(radiograph, FigureLook(), 16)
    coarse = oriented_grey(radiograph, FigureLook(), 8)
    assert fine.dtype == np.uint16
    assert np.abs(fine / 257 - coarse).max() <= 0.51
    assert np.unique(fine).size >= np.unique(coarse).size


def test_that_a_turned_measurement_stays_on_its_pixels(chest: Radiograph) -> None:
    mark = Annotation(Mark.LENGTH, ((100.0, 200.0), (100.0, 900.0)), "1.2")
    look = FigureLook(quarter_turns=1, mirrored=True)
    figure = compose(
        chest, look, FigureStyle(scale_bar=False), drawings=make_drawings([mark], chest)
    )
    marker = np.zeros(chest.pixels_HW.shape)
    marker[100, 200] = marker[100, 900] = 1
    rows, columns = np.nonzero(np.rot90(marker[:, ::-1], -1))
    expected = {(column + 0.5, row + 0.5) for row, column in zip(rows, columns, strict=True)}
    assert set(figure.lines[0].points) == expected
    assert "700.0 px" in texts(figure)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_that_the_labels_of_a_measurement_are_never_cut_off(chest: Radiograph, turns: int) -> None:
    rows, columns = chest.pixels_HW.shape
    bottom, right = rows - 1.0, columns - 1.0
    edges = [
        ((0.0, 0.0), (0.0, right)),
        ((bottom, 0.0), (bottom, right)),
        ((0.0, right), (9.0, right)),
    ]
    drawn_marks = [Annotation(Mark.LENGTH, edge, "1.2") for edge in edges]
    corner = ((bottom - 40, right - 40), (bottom, right))
    drawn_marks.append(Annotation(Mark.ELLIPSE, corner, "1.2"))
    figure = compose(
        chest,
        FigureLook(quarter_turns=turns),
        FigureStyle(scale_bar=False, letters=False, caption=False),
        drawings=make_drawings(drawn_marks, chest),
    )
    labels = [label for label in figure.labels if label.text != "RESEARCH USE ONLY"]
    assert len(labels) >= 6
    for label in labels:
        x, y = label.position
        wide = text_width(label.text, label.size, bold=label.bold)
        assert 0 <= x <= figure.width - wide, label
        assert label.size <= y <= figure.film_HW.shape[0], label


def test_that_a_heat_map_comes_with_colour_bar_and_caption(chest: Radiograph) -> None:
    figure = compose(chest, FigureLook(), FigureStyle(), heat=heat_layer(chest))
    text = " ".join(texts(figure))
    assert "Grad-CAM · Opacity 0.93 · bright 1.2.0" in text
    assert {"0", "0.5", "1"} <= set(texts(figure))
    picture = film_part(figure, draw(figure))
    grey = np.ptp(picture.astype(int), axis=2) == 0
    rows, columns = grey.shape
    assert not grey[rows // 4, columns // 4]
    assert grey[rows * 7 // 8, columns * 7 // 8]
    assert figure.width > columns


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_that_the_heat_map_turns_with_the_film(chest: Radiograph, turns: int) -> None:
    upright = compose(chest, FigureLook(), FILM_ONLY, heat=None)
    look = FigureLook(quarter_turns=turns)
    style = FigureStyle(colour_bar=False, caption=False, scale_bar=False, letters=False)
    turned = compose(chest, look, style, heat=heat_layer(chest))
    bare = compose(chest, look, FILM_ONLY)
    changed = np.any(
        film_part(turned, draw(turned)) != film_part(bare, draw(bare))[..., None], axis=2
    )
    expected = np.zeros(upright.film_HW.shape, bool)
    expected[: expected.shape[0] // 4, : expected.shape[1] // 4] = True
    assert changed[np.rot90(expected, -turns)].mean() > 0.99
    far = np.rot90(expected[::-1, ::-1], -turns)
    assert not changed[far].any()


@pytest.mark.parametrize("rows", [60, 245, 600])
def test_that_the_title_of_the_colour_bar_is_never_cut_off(chest: Radiograph, rows: int) -> None:
    small = replace(chest, pixels_HW=chest.pixels_HW[:rows, :231])
    figure = compose(small, FigureLook(), FigureStyle(), heat=heat_layer(small))
    (title,) = (label for label in figure.labels if label.text == "Evidence")
    assert title.position[1] - ASCENT * title.size >= -1e-6


def test_that_16_bit_figures_have_no_colour(chest: Radiograph) -> None:
    mark = Annotation(Mark.ELLIPSE, ((100.0, 200.0), (500.0, 900.0)), "1.2")
    figure = compose(
        chest,
        FigureLook(),
        FigureStyle(bits=16),
        heat=heat_layer(chest),
        drawings=make_drawings([mark], chest),
    )
    picture = draw(figure)
    assert (picture.dtype, picture.ndim) == (np.uint16, 2)
    assert figure.patches == ()


@pytest.mark.parametrize("style", [FILM_ONLY, FigureStyle(), FigureStyle(corners=True)])
def test_that_research_use_only_is_on_every_figure(chest: Radiograph, style: FigureStyle) -> None:
    assert "RESEARCH USE ONLY" in texts(compose(chest, FigureLook(), style))


@pytest.fixture
def named(tmp_path: Path) -> Radiograph:
    path = write_dicom(
        tmp_path / "Mustermann.dcm",
        phantom(96, 80),
        PatientName="Mustermann^Erika",
        PatientID="PAT-445566",
        StudyDate="20240119",
        InstitutionName="Charite",
        ImagerPixelSpacing=[0.1, 0.2],
        PatientOrientation=["L", "F"],
    )
    return read_film(read_header(path, tmp_path))


def test_that_identity_is_on_a_figure_only_on_request(named: Radiograph) -> None:
    hidden = compose(named, FigureLook(), FigureStyle(corners=True))
    shown = compose(named, FigureLook(), FigureStyle(corners=True, identity=True))
    secrets = ("Mustermann", "PAT-445566", "2024-01-19", "Charite")
    assert [s for s in secrets if s.encode() in svg(hidden)] == []
    assert [s for s in secrets if s in " ".join(texts(shown))] == list(secrets)


def test_that_a_small_film_is_padded_for_its_caption(named: Radiograph) -> None:
    figure = compose(named, FigureLook(), FigureStyle(corners=True))
    assert figure.width > 80
    for label in figure.labels:
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor]
        wide = text_width(label.text, label.size, bold=label.bold)
        left = label.position[0] - share * wide
        assert left >= 0, label
        assert left + wide <= figure.width, label
        assert label.position[1] <= figure.height


def test_that_letters_follow_flips_and_turns(named: Radiograph) -> None:
    def letters(look: FigureLook) -> dict[str, float]:
        labels = compose(named, look, FigureStyle(caption=False, scale_bar=False)).labels
        return {label.text: label.position[0] for label in labels if len(label.text) == 1}

    upright, flipped = letters(FigureLook()), letters(FigureLook(mirrored=True))
    assert upright["R"] < upright["L"]
    assert flipped["L"] < flipped["R"]


@pytest.mark.parametrize(
    ("spacing", "width", "sideways", "text", "pixels"),
    [
        (MAMMO, 4000, False, "200 mm at detector", 1000),
        (MAMMO, 4000, True, "100 mm at detector", 1000),
        (Spacing(), 1841, False, "200 px", 200),
        (
            Spacing(0.143, 0.143, SpacingKind.USER),
            2000,
            False,
            "50 mm (user-calibrated)",
            50 / 0.143,
        ),
    ],
)
def test_that_the_scale_bar_is_round_and_names_its_spacing(
    spacing: Spacing, width: int, sideways: bool, text: str, pixels: float
) -> None:
    bar = scale_bar(spacing, width, sideways=sideways)
    assert bar is not None
    assert (bar.text, bar.pixels) == (text, pytest.approx(pixels))


def test_that_a_film_of_a_few_pixels_has_no_bar() -> None:
    assert scale_bar(Spacing(), 3) is None


def test_that_svg_contains_the_film_bit_for_bit_and_its_texts_as_text(chest: Radiograph) -> None:
    look = FigureLook(Window(12000, 9000))
    figure = compose(chest, look, FigureStyle(), heat=heat_layer(chest))
    tree = ET.fromstring(svg(figure))
    film_image = tree.find(f"{SVG}image")
    assert film_image is not None
    data = b64decode(film_image.attrib["href"].partition(",")[2])
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read, render(chest, Window(12000, 9000)))
    written = list(tree.iter(f"{SVG}text"))
    read_out = [text for text in written if "aria-hidden" not in text.attrib]
    assert [text.text for text in read_out] == texts(figure)
    # Programs that ignore paint-order must not paint the black outline over its text.
    assert all(
        behind.text == text.text for behind, text in zip(written[::2], read_out, strict=True)
    )
    assert not any("stroke" in text.attrib for text in read_out)
    assert tree.attrib["viewBox"] == f"0 0 {figure.width} {figure.height}"


def test_that_a_header_cannot_write_markup_into_svg(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "a.dcm", phantom(), windows=[(800, 900, "<script>&\x07")], ViewPosition="PA"
    )
    radiograph = read_film(read_header(path, tmp_path))
    data = svg(compose(radiograph, FigureLook(), FigureStyle()))
    assert b"<script>" not in data
    assert "<script>&" in "".join(ET.fromstring(data).itertext())


def test_that_long_captions_are_broken_between_parts() -> None:
    room = text_width("one part · another", 20)
    assert wrapped(["one part", "another", "third"], 20, room) == ["one part · another", "third"]
    assert len(wrapped(["word " * 30], 20, room)) > 3


def test_that_render_writes_figures_of_all_kinds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    write_dicom(tmp_path / "in" / "a.dcm", phantom(96, 80), windows=[(800, 900)])
    command = ["render", str(tmp_path / "in"), "--out"]
    assert main([*command, str(tmp_path / "tiff"), "--format", "tiff", "--bits", "16"]) == 0
    grey = cv2.imdecode(np.fromfile(tmp_path / "tiff" / "a.dcm.tiff", np.uint8), -1)
    assert (grey.dtype, grey.shape) == (np.uint16, (96, 80))
    assert main([*command, str(tmp_path / "svg"), "--format", "svg", "--figure"]) == ExitCode.OK
    data = (tmp_path / "svg" / "a.dcm.svg").read_bytes()
    text = "".join(ET.fromstring(data).itertext())
    assert "RESEARCH USE ONLY" in text
    assert "W 900  L 800" in text


def test_that_render_resumes_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        write_dicom(tmp_path / "in" / f"{name}.dcm", phantom())
    (tmp_path / "out").mkdir()
    earlier = tmp_path / "out" / "a.dcm.png"
    earlier.write_bytes(b"of the earlier run")
    command = ["render", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--skip-existing"]
    assert main(command) == ExitCode.OK
    assert "a.dcm: ok: a.dcm.png: exists already" in capsys.readouterr().out
    assert earlier.read_bytes() == b"of the earlier run"
    assert (tmp_path / "out" / "b.dcm.png").is_file()
