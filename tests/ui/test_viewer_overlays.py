"""Layers over the film: texts, orientation letters, identity, the heat map and its colour bar."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF, QImage
from PySide6.QtWidgets import QWidget

from xrayview.display.corners import RESEARCH_USE_ONLY, EdgeLetters
from xrayview.domain.film import FilmRef
from xrayview.domain.model import Affine, HeatMap
from xrayview.domain.radiograph import Greyscale, Radiograph, Spacing, SpacingKind, Window
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.ui.viewer.colour_bar import ColourBar
from xrayview.ui.viewer.corner_layout import MARGIN_PX, Line
from xrayview.ui.viewer.corners import CornerLayer
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.viewer.message_page import MessagePage

Part = TypeVar("Part", bound=QWidget)
ROWS, COLUMNS = 300, 200


def film(name: str = "film.dcm") -> Radiograph:
    """Return a black film with every possible corner text."""
    ref = FilmRef(
        Path("folder") / name,
        name,
        patient_name="Doe^Jane",
        patient_id="7f3a",
        patient_sex="F",
        patient_age="041Y",
        institution="General Hospital",
        study_date="20040119",
        view_position="PA",
        rows=ROWS,
        columns=COLUMNS,
    )
    return Radiograph(
        ref,
        np.zeros((ROWS, COLUMNS), dtype=np.uint16),
        Greyscale(windows=(Window(2000.0, 1000.0),)),
        Spacing(0.143, 0.143, SpacingKind.ESTIMATED),
        orientation=("L", "F"),
        lossy="lossy 12:1",
        for_processing=True,
    )


def heat_map(radiograph: Radiograph, *, evidence: float = 1.5, score: float = 0.93) -> HeatMap:
    """One hot cell, at grid (1, 2) of 5 x 5, of a film that was letterboxed to a square."""
    values_hw = np.zeros((5, 5), dtype=np.float32)
    values_hw[1, 2] = 1.0 if evidence else 0.0
    cell = max(ROWS, COLUMNS) / 5
    to_film = Affine(cell, cell, 0.0, -(ROWS - COLUMNS) / 2)
    return HeatMap(
        radiograph.ref.film_id, "0" * 64, "Pneumonia", "grad-cam", score, 0.5, values_hw,
        to_film, (ROWS, COLUMNS), evidence,
    )  # fmt: skip


HOT_PLACE = QPointF(2.5 * 60 - 50, 1.5 * 60)
"""Centre of that cell in film pixels (x, y)."""


@pytest.fixture
def viewer(viewer: FilmViewer) -> FilmViewer:
    viewer.show_film(film(), (3, 12))
    return viewer


def part(viewer: FilmViewer, kind: type[Part]) -> Part:
    found = viewer.findChild(kind)
    assert isinstance(found, kind)
    return found


def texts(viewer: FilmViewer) -> list[str]:
    return [line.text for line in part(viewer, CornerLayer).current_layout().lines]


def fits(viewer: FilmViewer, texts: str) -> bool:
    """Return whether the line with this text is not elided."""
    layer = part(viewer, CornerLayer)
    metrics = QFontMetricsF(layer.text_font())
    line = next(line for line in layer.current_layout().lines if texts in line.text)
    return metrics.horizontalAdvance(line.text) <= line.box.width()


def colour(image: QImage) -> npt.NDArray[np.int_]:
    """Return the largest channel difference of each pixel, (rows, columns); 0 is grey."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(rgb.constBits(), dtype=np.uint8)
    rows = flat.reshape(rgb.height(), rgb.bytesPerLine())[:, : 3 * rgb.width()]
    return np.ptp(rows.reshape(rgb.height(), rgb.width(), 3).astype(int), axis=2)


def film_colour(viewer: FilmViewer) -> npt.NDArray[np.int_]:
    """`colour` of the picture, 0 outside the film and under the colour bar."""
    box = viewer.placement.to_view().mapRect(viewer.placement.film_rect()).toRect()
    whole = colour(viewer.picture())
    inside = np.zeros_like(whole)
    rows, columns = slice(box.top(), box.bottom() + 1), slice(box.left(), box.right() + 1)
    inside[rows, columns] = whole[rows, columns]
    bar = part(viewer, ColourBar).geometry()
    inside[bar.top() : bar.bottom() + 1, bar.left() : bar.right() + 1] = 0
    return inside


def test_that_the_corners_say_what_the_film_is_and_how_it_is_shown(viewer: FilmViewer) -> None:
    lines = texts(viewer)
    for text in ("Doe, Jane", "General Hospital", "W 1000  L 2000", RESEARCH_USE_ONLY):
        assert text in lines
    viewer.one_to_one()
    assert "zoom 100%  film 3/12" in texts(viewer)


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([], EdgeLetters("R", "H", "L", "F")),
        (["flip_horizontal"], EdgeLetters("L", "H", "R", "F")),
        (["flip_vertical"], EdgeLetters("R", "F", "L", "H")),
        (["turn"], EdgeLetters("F", "R", "H", "L")),
        (["turn", "flip_horizontal"], EdgeLetters("H", "R", "F", "L")),
        (["flip_horizontal", "turn"], EdgeLetters("F", "L", "H", "R")),
    ],
)
def test_that_the_letters_move_with_the_film(
    viewer: FilmViewer, moves: list[str], expected: EdgeLetters
) -> None:
    for move in moves:
        viewer.rotate(1) if move == "turn" else getattr(viewer, move)()
    assert part(viewer, CornerLayer).letters == expected


@pytest.mark.parametrize("size", [(320, 240), (600, 500), (1280, 800)])
@pytest.mark.parametrize("score", [0.93, 0.07])
def test_that_texts_do_not_overlap(viewer: FilmViewer, size: tuple[int, int], score: float) -> None:
    viewer.resize(*size)
    viewer.show_film(replace(film(), warnings=("incomplete: 12 of 40 MB are there",)), (3, 12))
    viewer.set_heat_map(heat_map(film(), score=score), "paediatric-pneumonia 1.2")
    layer, bar = part(viewer, CornerLayer), part(viewer, ColourBar)
    metrics = QFontMetricsF(layer.text_font())
    boxes = [ink(line, metrics) for line in layer.current_layout().lines]
    if bar.isVisible():
        boxes.append(QRectF(bar.geometry()))
    assert not [pair for pair in combinations(boxes, 2) if pair[0].intersects(pair[1])]
    assert all(QRectF(layer.rect()).contains(box) for box in boxes)


def ink(line: Line, metrics: QFontMetricsF) -> QRectF:
    """Return the rectangle of a line's letters inside the box that they are aligned in."""
    width = min(metrics.horizontalAdvance(line.text), line.box.width())
    share = {"AlignLeft": 0.0, "AlignRight": 1.0}.get(line.align.name, 0.5)
    start = line.box.left() + share * (line.box.width() - width)
    return QRectF(start, line.box.top(), width, line.box.height())


@pytest.mark.parametrize("size", [(320, 240), (600, 500)])
def test_that_research_use_only_is_never_shortened(
    viewer: FilmViewer, size: tuple[int, int]
) -> None:
    viewer.resize(*size)
    assert fits(viewer, RESEARCH_USE_ONLY)


@pytest.mark.parametrize("size", [(320, 240), (1280, 800)])
def test_that_a_warning_is_shown_in_full(viewer: FilmViewer, size: tuple[int, int]) -> None:
    warning = "incomplete: 12 of 40 MB of the pixel data are there, the rest is shown black"
    viewer.resize(*size)
    viewer.show_film(replace(film(), warnings=(warning,)), (3, 12))
    lines = [line for line in part(viewer, CornerLayer).current_layout().lines if line.is_warning]
    assert " ".join(line.text for line in lines) == "I" + warning[1:]
    assert all(fits(viewer, line.text) for line in lines)
    shown = colour(viewer.picture())
    box = lines[0].box.toRect()
    assert shown[box.top() : box.bottom(), box.left() : box.right()].max() > 60  # amber, not grey
    viewer.show_film(film(), (4, 12))
    assert not any(line.is_warning for line in part(viewer, CornerLayer).current_layout().lines)


def test_that_research_use_only_is_shown_without_a_film_too(viewer: FilmViewer) -> None:
    viewer.show_empty("Open a folder")
    assert texts(viewer) == [RESEARCH_USE_ONLY]


def test_that_a_long_caption_keeps_its_warning(viewer: FilmViewer) -> None:
    viewer.resize(320, 240)
    viewer.set_heat_map(heat_map(film(), evidence=0.0, score=0.07), "paediatric-pneumonia 1.2")
    assert fits(viewer, "no positive evidence")
    assert fits(viewer, "below its operating point (0.50)")


def test_that_hidden_identity_is_in_no_text_and_in_no_picture(viewer: FilmViewer) -> None:
    with_name, without = viewer.picture(identity=True), viewer.picture()
    assert with_name != without
    assert "Doe, Jane" in texts(viewer)  # the screen itself is unchanged
    viewer.set_identity_hidden(True)
    assert viewer.picture() == without
    assert viewer.picture(identity=True) == without
    assert not [text for text in texts(viewer) if "Doe" in text or "7f3a" in text]


def test_that_hidden_identity_hides_the_file_name_of_an_error(viewer: FilmViewer) -> None:
    viewer.set_identity_hidden(True)
    error = UnreadableFilm("no pixels", code=StatusCode.NO_PIXELS, path=Path("Doe_Jane.dcm"))
    viewer.show_error(film("Doe_Jane.dcm").ref, error)
    assert part(viewer, MessagePage).text() == "No pixels"
    viewer.set_identity_hidden(False)
    assert "Doe_Jane.dcm" in part(viewer, MessagePage).text()


@pytest.mark.parametrize("moves", [[], ["flip_horizontal"], ["turn"], ["turn", "flip_vertical"]])
def test_that_the_heat_map_of_an_oblong_film_is_at_the_right_position(
    viewer: FilmViewer, moves: list[str]
) -> None:
    viewer.set_heat_map(heat_map(film()), "model 1.0")
    for move in moves:
        viewer.rotate(1) if move == "turn" else getattr(viewer, move)()
    shown = film_colour(viewer)
    assert shown.max() > 60
    y, x = np.average(np.argwhere(shown > 0), axis=0, weights=shown[shown > 0])
    expected = viewer.placement.to_view().map(HOT_PLACE)
    assert (x + 0.5, y + 0.5) == pytest.approx(expected.toTuple(), abs=1.5)


def test_that_no_positive_evidence_is_stated_and_not_drawn(viewer: FilmViewer) -> None:
    viewer.set_heat_map(heat_map(film(), evidence=0.0), "model 1.0")
    assert film_colour(viewer).max() == 0
    assert not part(viewer, ColourBar).isVisible()
    assert any("no positive evidence" in text for text in texts(viewer))


def test_that_a_map_below_its_operating_point_says_so(viewer: FilmViewer) -> None:
    viewer.set_heat_map(heat_map(film(), score=0.07), "model 1.0")
    assert any("below its operating point" in text for text in texts(viewer))


def test_that_a_heat_map_of_another_film_is_not_shown(viewer: FilmViewer) -> None:
    viewer.set_heat_map(heat_map(film("another.dcm")), "model 1.0")
    assert film_colour(viewer).max() == 0
    assert not any("Pneumonia" in text for text in texts(viewer))


def test_that_a_new_film_is_shown_without_the_old_map(viewer: FilmViewer) -> None:
    viewer.set_heat_map(heat_map(film()), "model 1.0")
    viewer.show_film(film("next.dcm"), (4, 12))
    assert film_colour(viewer).max() == 0
    assert not part(viewer, ColourBar).isVisible()


def test_that_a_hidden_map_comes_back_unchanged(viewer: FilmViewer) -> None:
    viewer.set_heat_map(heat_map(film()), "model 1.0")
    shown = viewer.picture()
    viewer.set_heat_visible(False)
    assert film_colour(viewer).max() == 0
    assert not part(viewer, ColourBar).isVisible()
    assert not any("Pneumonia" in text for text in texts(viewer))
    viewer.set_heat_visible(True)
    assert viewer.picture() == shown


def test_that_opacity_and_cut_off_reduce_the_colour(viewer: FilmViewer) -> None:
    viewer.set_heat_map(heat_map(film()), "model 1.0")
    full = film_colour(viewer)
    viewer.set_heat_opacity(0.3)
    assert 0 < film_colour(viewer).max() < full.max()
    viewer.set_heat_opacity(0.6)
    viewer.set_heat_cutoff(0.8)
    cut = film_colour(viewer)
    assert 0 < np.count_nonzero(cut) < np.count_nonzero(full) / 2


def test_that_the_colour_bar_is_right_of_the_film(viewer: FilmViewer) -> None:
    viewer.set_heat_map(heat_map(film()), "model 1.0")
    bar = part(viewer, ColourBar)
    assert bar.isVisible()
    shown = viewer.placement.to_view().mapRect(viewer.placement.film_rect())
    assert bar.geometry().left() > shown.right()
    assert bar.geometry().right() < viewer.width() - MARGIN_PX


@pytest.mark.parametrize("size", [(210, 700), (260, 640)])
def test_that_the_colour_bar_does_not_cover_the_film_in_a_narrow_view(
    viewer: FilmViewer, size: tuple[int, int]
) -> None:
    viewer.setMinimumSize(1, 1)
    viewer.resize(*size)
    viewer.set_heat_map(heat_map(film()), "model 1.0")
    bar = part(viewer, ColourBar)
    shown = viewer.placement.to_view().mapRect(viewer.placement.film_rect())
    assert bar.isVisible()
    assert not QRectF(bar.geometry()).intersects(shown)


# Small views


@pytest.fixture
def wordy(viewer: FilmViewer) -> FilmViewer:
    """Return a viewer with every possible corner text, all of them long."""
    ref = replace(
        film().ref,
        patient_name="Lindqvist-Oberhauser^Marie Antoinette",
        patient_id="HOSP-70000",
        institution="Universitätsklinikum Heidelberg",
    )
    window = Window(2048, 4096, explanation="SOFTER CONTRAST")
    spacing = Spacing(0.139, 0.139, SpacingKind.ESTIMATED)
    shown = replace(
        film(), ref=ref, lossy="lossy 12:1", for_processing=True, spacing=spacing,
        greyscale=replace(film().greyscale, windows=(window,)),
    )  # fmt: skip
    viewer.show_film(shown, (3, 12))
    viewer.setMinimumSize(1, 1)  # one of several views may be smaller than a single one
    return viewer


ESSENTIAL = (
    RESEARCH_USE_ONLY, "W 4096  L 2048", "film 3/12", "ID HOSP-70000", "PA", "lossy 12:1",
    "FOR PROCESSING", "0.139 mm/px",
)  # fmt: skip


@pytest.mark.parametrize("size", [(210, 700), (210, 350), (300, 350), (400, 350), (640, 480)])
def test_that_essential_texts_are_complete_in_a_view_of_any_width(
    wordy: FilmViewer, size: tuple[int, int]
) -> None:
    wordy.resize(*size)
    metrics = QFontMetricsF(part(wordy, CornerLayer).text_font())
    lines = part(wordy, CornerLayer).current_layout().lines
    whole = [line for line in lines if metrics.horizontalAdvance(line.text) <= line.box.width()]
    read = " ".join(word for line in whole for word in line.text.split())
    assert [texts for texts in ESSENTIAL if " ".join(texts.split()) not in read] == []


@pytest.mark.parametrize("size", [(210, 700), (210, 350), (300, 220)])
def test_that_broken_lines_do_not_overlap(wordy: FilmViewer, size: tuple[int, int]) -> None:
    wordy.resize(*size)
    layer = part(wordy, CornerLayer)
    metrics = QFontMetricsF(layer.text_font())
    boxes = [ink(line, metrics) for line in layer.current_layout().lines]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].intersects(pair[1])]
    assert all(QRectF(layer.rect()).contains(box) for box in boxes)


def test_that_optional_parts_are_dropped_one_after_the_other_in_a_low_view(
    wordy: FilmViewer,
) -> None:
    optional = ["Heidelberg", "zoom", "SOFTER", "2004-01-19"]
    variants: list[list[str]] = []
    for height in range(420, 100, -10):
        wordy.resize(300, height)
        lines = " ".join(texts(wordy))
        present = [word for word in optional if word in lines]
        if present not in variants:
            variants.append(present)
    assert variants[0] == optional
    assert variants[-1] == []
    assert all(present == optional[len(optional) - len(present) :] for present in variants)
    assert "film 3/12" in lines
    assert "Universitätsklinikum Heidelberg" in part(wordy, CornerLayer).accessibleDescription()


def test_that_hidden_identity_is_in_no_optional_part(wordy: FilmViewer) -> None:
    wordy.set_identity_hidden(True)
    assert "Heidelberg" not in str(part(wordy, CornerLayer).texts)
