"""The texts on the film."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xrayview.display.corners import (
    EdgeLetters,
    ViewState,
    corner_texts,
    edge_letters,
    opposite,
    spacing_text,
    voi_text,
)
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import (
    Greyscale,
    Lut,
    Radiograph,
    Spacing,
    SpacingKind,
    VoiFunction,
    Window,
)

REF = FilmRef(
    Path("film.dcm"),
    "film.dcm",
    patient_name="Muster^Anna Maria^^Dr",
    patient_id="7f3a",
    patient_sex="F",
    patient_age="041Y",
    institution="Hospital",
    study_date="20040119",
    view_position="PA",
    laterality="L",
)
STATE = ViewState(Window(877, 1204), zoom=0.42, position=3, total=12)
IDENTIFYING = ("Muster", "Anna", "7f3a", "Hospital", "2004")


def film(ref: FilmRef = REF, **fields: Any) -> Radiograph:
    return Radiograph(ref, np.zeros((2, 2), np.uint8), Greyscale(), **fields)


def test_that_the_corners_name_patient_study_window_and_spacing() -> None:
    radiograph = film(
        spacing=Spacing(0.14, 0.14, SpacingKind.DETECTOR), lossy="lossy 12:1", for_processing=True
    )
    corners = corner_texts(radiograph, STATE, hide_identity=False)
    assert corners.top_left == ("Muster, Anna Maria Dr", "ID 7f3a  F  41Y")
    assert corners.top_right == ("Hospital", "2004-01-19", "PA  L")
    assert corners.bottom_left == ("W 1204  L 877", "zoom 42%  film 3/12")
    assert corners.bottom_right == (
        "lossy 12:1",
        "FOR PROCESSING",
        "0.14 mm/px at detector",
        "RESEARCH USE ONLY",
    )


def test_that_hidden_identity_leaves_nothing_that_identifies_the_patient() -> None:
    corners = corner_texts(film(), STATE, hide_identity=True)
    text = " ".join(line for corner in astuple(corners) for line in corner)
    assert not [word for word in IDENTIFYING if word in text]
    assert "identity hidden" in text
    assert corners.top_left[1] == "F  41Y"
    assert corners.top_right == ("PA  L",)


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        ("089Y", "F  89Y"),
        ("090Y", "F  90Y or older"),
        ("103Y", "F  90Y or older"),
        ("95", "F  90Y or older"),
        (" 095 y ", "F  90Y or older"),
        ("1100M", "F  90Y or older"),
        ("000D", "F  0D"),
    ],
)
def test_that_hidden_identity_does_not_tell_the_very_old_apart(age: str, shown: str) -> None:
    radiograph = film(replace(REF, patient_age=age))
    assert corner_texts(radiograph, STATE, hide_identity=True).top_left[1] == shown
    assert (
        age.strip().lstrip("0") in corner_texts(radiograph, STATE, hide_identity=False).top_left[1]
    )


@pytest.mark.parametrize("hide", [False, True])
def test_that_a_film_without_attributes_has_no_empty_lines(hide: bool) -> None:
    corners = corner_texts(film(FilmRef(Path("a.png"), "a.png")), STATE, hide_identity=hide)
    assert all(line for corner in astuple(corners) for line in corner)
    assert corners.top_right == ()
    assert corners.bottom_right == ("px", "RESEARCH USE ONLY")


def test_that_a_film_of_several_frames_names_the_frame() -> None:
    corners = corner_texts(film(replace(REF, frame=1, frames=30)), STATE, hide_identity=True)
    assert corners.bottom_left[1].endswith("frame 2/30")


def test_that_an_invalid_date_is_shown_unchanged() -> None:
    corners = corner_texts(film(replace(REF, study_date="ca. 2004")), STATE, hide_identity=False)
    assert "ca. 2004" in corners.top_right


@pytest.mark.parametrize(
    ("voi", "invert", "text"),
    [
        (Window(877, 1204), False, "W 1204  L 877"),
        (Window(877, 1204), True, "W 1204  L 877  inverted"),
        (Window(300, 900, explanation="BONE"), False, "W 900  L 300  BONE"),
        (Window(0.5, 0.25, VoiFunction.SIGMOID), False, "W 0.250  L 0.500  sigmoid"),
        (Lut(0, np.zeros(2, np.uint16), 8, "CHEST"), False, "VOI LUT  CHEST"),
        (Lut(0, np.zeros(2, np.uint16), 8, "VOI LUT"), True, "VOI LUT  inverted"),
        (Lut(0, np.zeros(2, np.uint16), 8, "VOI LUT 3"), False, "VOI LUT 3"),
    ],
)
def test_that_the_window_in_use_is_named(voi: Window | Lut, invert: bool, text: str) -> None:
    assert voi_text(voi, invert) == text


@pytest.mark.parametrize("kind", [kind for kind in SpacingKind if kind is not SpacingKind.UNKNOWN])
def test_that_millimetres_are_never_shown_without_their_kind(kind: SpacingKind) -> None:
    assert spacing_text(Spacing(0.143, 0.143, kind)) == f"0.143 mm/px {kind.suffix}"


def test_that_spacing_that_differs_by_axis_shows_both() -> None:
    assert spacing_text(Spacing(0.1, 0.2, SpacingKind.USER)) == "0.1 × 0.2 mm/px (user-calibrated)"


def test_that_millimetres_are_never_made_up() -> None:
    assert spacing_text(Spacing()) == "px"


def letters(*args: Any, **kwargs: Any) -> tuple[str, ...]:
    return astuple(edge_letters(*args, **kwargs))


def test_that_the_rows_run_to_the_right_edge_and_the_columns_to_the_bottom() -> None:
    assert edge_letters(("L", "F")) == EdgeLetters(left="R", top="H", right="L", bottom="F")


def test_that_flips_swap_opposite_edges() -> None:
    assert letters(("L", "F"), flip_h=True) == ("L", "H", "R", "F")
    assert letters(("L", "F"), flip_v=True) == ("R", "F", "L", "H")


def test_that_a_turn_to_the_right_moves_the_top_to_the_right() -> None:
    assert letters(("L", "F"), 1) == ("F", "R", "H", "L")


@pytest.mark.parametrize("flip_h", [False, True])
@pytest.mark.parametrize("flip_v", [False, True])
@pytest.mark.parametrize("turns", [-1, 0, 1, 2, 3, 7])
def test_that_letters_move_with_the_pixels(turns: int, flip_h: bool, flip_v: bool) -> None:
    picture = np.full((3, 3), "", dtype=object)
    picture[1, 0], picture[0, 1], picture[1, 2], picture[2, 1] = "R", "H", "L", "F"
    picture = picture[:, ::-1] if flip_h else picture
    picture = picture[::-1] if flip_v else picture
    picture = np.rot90(picture, -turns)
    edges = (picture[1, 0], picture[0, 1], picture[1, 2], picture[2, 1])
    assert letters(("L", "F"), turns, flip_h, flip_v) == edges


def test_that_oblique_sides_have_their_opposites() -> None:
    assert opposite("PF") == "AH"


@pytest.mark.parametrize("side", ["", "RT", "X"])
def test_that_an_unknown_side_has_no_opposite(side: str) -> None:
    assert opposite(side) == ""
    assert letters((side, "F")) == ("", "H", side, "F")
