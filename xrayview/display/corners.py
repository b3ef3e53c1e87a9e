"""The text written on a film: corner texts and orientation letters, without any drawing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xrayview.display.voi import Voi, VoiKind
from xrayview.domain.age import RARE_YEARS, age_in_years
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Lut, Radiograph, Spacing, VoiFunction

RESEARCH_USE_ONLY = "RESEARCH USE ONLY"
IDENTITY_HIDDEN = "identity hidden"
PART_SEPARATOR = "  "
"""Joins the parts of a line; the line may be broken here."""


@dataclass(frozen=True, eq=False)
class ViewState:
    """How a film is currently displayed."""

    voi: Voi
    zoom: float
    """Screen pixels per film pixel."""
    position: int
    """Of the film in its list, from 1."""
    total: int
    """Films in that list; 0 where the position is not shown."""
    invert: bool = False
    overlays: bool = True
    """Overlay planes are drawn, where the file has any."""
    shutter: bool = True
    """The shutter is applied, where the file has one."""


@dataclass(frozen=True)
class CornerTexts:
    """The lines of each corner, from top to bottom; no line is empty."""

    top_left: tuple[str, ...]
    top_right: tuple[str, ...]
    bottom_left: tuple[str, ...]
    bottom_right: tuple[str, ...]
    optional: tuple[str, ...] = ()
    """Parts of these lines that a view too small for all of them drops, in this order."""


@dataclass(frozen=True)
class EdgeLetters:
    """The patient's side at each edge of the screen; empty where the film does not give it."""

    left: str
    top: str
    right: str
    bottom: str


def corner_texts(radiograph: Radiograph, state: ViewState, *, hide_identity: bool) -> CornerTexts:
    """Return the texts of a film's four corners.

    Hiding identity leaves out name, ID, institution and study date, on screen and in exported
    pictures: dates and places are identifiers too (HIPAA 45 CFR 164.514(b)(2)(i)), and together
    they identify a patient to anyone with access to the archive. Sex, age (to 89), view and
    laterality stay: they are needed to read the film.
    """
    film = radiograph.ref
    return CornerTexts(
        top_left=_lines(*_patient(film, hide_identity)),
        top_right=_lines(*_study(film, hide_identity)),
        bottom_left=_lines(voi_text(state.voi, state.invert), _position_text(film, state)),
        bottom_right=_lines(
            radiograph.lossy,
            "FOR PROCESSING" if radiograph.for_processing else "",
            *_switched_off(radiograph, state),
            spacing_text(radiograph.spacing),
            RESEARCH_USE_ONLY,
        ),
        optional=_lines(
            *(() if hide_identity else (film.institution,)),
            _zoom_text(state),
            state.voi.explanation,
            *(() if hide_identity else (_date(film.study_date),)),
        ),
    )


def voi_text(voi: Voi, invert: bool = False) -> str:
    """Return width and centre, or the name of the VOI LUT, so that a switch between them shows."""
    inverted = "inverted" if invert else ""
    if isinstance(voi, Lut):
        # A LUT without an explanation may be named by its kind and its index.
        kind = "" if voi.explanation.startswith(VoiKind.LUT) else VoiKind.LUT
        return _join(kind, voi.explanation, inverted)
    decimals = 0 if voi.width >= 100 else 1 if voi.width >= 10 else 3
    numbers = f"W {voi.width:.{decimals}f}  L {voi.center:.{decimals}f}"
    function = "sigmoid" if voi.function is VoiFunction.SIGMOID else ""
    return _join(numbers, voi.explanation, function, inverted)


def spacing_text(spacing: Spacing) -> str:
    """Return millimetres per pixel with the kind of spacing; `px` where the file gives no mm."""
    if spacing.row_mm is None or spacing.column_mm is None:
        return "px"
    row, column = f"{spacing.row_mm:.3g}", f"{spacing.column_mm:.3g}"
    size = row if row == column else f"{row} × {column}"
    return f"{size} mm/px {spacing.kind.suffix}"


def edge_letters(
    orientation: tuple[str, str],
    quarter_turns: int = 0,
    flip_h: bool = False,
    flip_v: bool = False,
) -> EdgeLetters:
    """Return the orientation letters of a film that is first flipped, then turned.

    Args:
        orientation: Patient Orientation (0020,0020), PS3.3 C.7.6.1.1.1: the side of the patient
            that the rows run to, then the side that the columns run to.
        quarter_turns: clockwise, any integer.
        flip_h: swap left and right before turning.
        flip_v: swap top and bottom before turning.
    """
    right, bottom = orientation
    left, top = opposite(right), opposite(bottom)
    if flip_h:
        left, right = right, left
    if flip_v:
        top, bottom = bottom, top
    clockwise = (left, top, right, bottom)
    turned = tuple(clockwise[(edge - quarter_turns) % 4] for edge in range(4))
    return EdgeLetters(*turned)


_OPPOSITES = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}


def opposite(side: str) -> str:
    """Return the opposite side, `PF` -> `AH`; empty for letters that are not those of a biped."""
    letters = [_OPPOSITES.get(letter, "") for letter in side]
    return "".join(letters) if all(letters) else ""


def _patient(film: FilmRef, hidden: bool) -> tuple[str, ...]:
    age = re.sub(r"^0+(?=[0-9])", "", film.patient_age.strip())
    if hidden:
        return IDENTITY_HIDDEN, _join(film.patient_sex, _age_up_to_89(age))
    identifier = f"ID {film.patient_id}" if film.patient_id else ""
    return _person_name(film.patient_name), _join(identifier, film.patient_sex, age)


def _age_up_to_89(age: str) -> str:
    years = age_in_years(age)
    return f"{RARE_YEARS}Y or older" if years is not None and years >= RARE_YEARS else age


def _study(film: FilmRef, hidden: bool) -> tuple[str, ...]:
    view = _join(film.view_position, film.laterality)
    if hidden:
        return (view,)
    return film.institution, _date(film.study_date), view


def _switched_off(radiograph: Radiograph, state: ViewState) -> tuple[str, ...]:
    """Name what the file asks for and the user has switched off: no change is silent."""
    return (
        "shutter off" if radiograph.shutter is not None and not state.shutter else "",
        "overlays off" if radiograph.has_graphics and not state.overlays else "",
    )


def _position_text(film: FilmRef, state: ViewState) -> str:
    position = f"film {state.position or '–'}/{state.total}" if state.total else ""
    return _join(_zoom_text(state), position, film.frame_text)


def _zoom_text(state: ViewState) -> str:
    return f"zoom {state.zoom:.0%}"


def _person_name(name: str) -> str:
    # PS3.5 6.2.1.1: Family^Given^Middle^Prefix^Suffix.
    family, _, rest = name.partition("^")
    given = " ".join(rest.replace("^", " ").split())
    return f"{family}, {given}" if given else family


def _date(date: str) -> str:
    # PS3.5 6.2: DA is YYYYMMDD; any other text is shown unchanged.
    if len(date) == 8 and date.isdigit():
        return f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return date


def _join(*parts: str) -> str:
    return PART_SEPARATOR.join(part for part in parts if part)


def _lines(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
