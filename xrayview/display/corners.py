"""What is written on the film: corner texts and orientation letters; plain text, no drawing."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.display.voi import Voi, VoiKind
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Lut, Radiograph, Spacing, VoiFunction

RESEARCH_USE_ONLY = "RESEARCH USE ONLY"
IDENTITY_HIDDEN = "identity hidden"
BETWEEN_WORDS = "  "
"""Joins what stands in one line and may stand in two."""


@dataclass(frozen=True, eq=False)
class ViewState:
    """How a film is looked at now."""

    voi: Voi
    zoom: float
    """Screen pixels per film pixel."""
    number: int
    """Place of the film in its list, from 1."""
    total: int
    invert: bool = False
    overlays: bool = True
    """Overlay planes are drawn, where the file has any."""
    shutter: bool = True
    """The shutter is applied, where the file has one."""


@dataclass(frozen=True)
class CornerTexts:
    """The lines of each corner, from top to bottom; never an empty line."""

    top_left: tuple[str, ...]
    top_right: tuple[str, ...]
    bottom_left: tuple[str, ...]
    bottom_right: tuple[str, ...]
    optional: tuple[str, ...] = ()
    """Words of these lines that a view too small for all leaves out, the first ones first."""


@dataclass(frozen=True)
class EdgeLetters:
    """Where the patient's sides are on screen; empty where the film does not say."""

    left: str
    top: str
    right: str
    bottom: str


def corner_texts(radiograph: Radiograph, state: ViewState, *, hide_identity: bool) -> CornerTexts:
    """The four corners of a film.

    Hidden identity leaves out name, ID, institution and study date, on screen as in pictures that
    leave the app: dates and places are identifiers too (HIPAA 45 CFR 164.514(b)(2)(i)), and
    together they name a patient to anyone with access to the archive. Sex, age (to 89), view and
    laterality stay: they are needed to read the film.
    """
    film = radiograph.ref
    return CornerTexts(
        top_left=_lines(*_patient(film, hide_identity)),
        top_right=_lines(*_study(film, hide_identity)),
        bottom_left=_lines(voi_text(state.voi, state.invert), _place(film, state)),
        bottom_right=_lines(
            radiograph.lossy,
            "FOR PROCESSING" if radiograph.for_processing else "",
            *_left_out(radiograph, state),
            spacing_text(radiograph.spacing),
            RESEARCH_USE_ONLY,
        ),
        optional=_lines(
            *(() if hide_identity else (film.institution,)),
            _zoom(state),
            state.voi.explanation,
            *(() if hide_identity else (_date(film.study_date),)),
        ),
    )


def voi_text(voi: Voi, invert: bool = False) -> str:
    """Width and centre, or the VOI LUT in force, so that a switch between them is seen."""
    inverted = "inverted" if invert else ""
    if isinstance(voi, Lut):
        # A LUT without an explanation may bear the name of its kind, and its place among others.
        kind = "" if voi.explanation.startswith(VoiKind.LUT) else VoiKind.LUT
        return _words(kind, voi.explanation, inverted)
    decimals = 0 if voi.width >= 100 else 1 if voi.width >= 10 else 3
    numbers = f"W {voi.width:.{decimals}f}  L {voi.center:.{decimals}f}"
    function = "sigmoid" if voi.function is VoiFunction.SIGMOID else ""
    return _words(numbers, voi.explanation, function, inverted)


def spacing_text(spacing: Spacing) -> str:
    """Millimetres per pixel with the kind of spacing; `px` where no millimetre is known."""
    if spacing.row_mm is None or spacing.column_mm is None:
        return "px"
    row, column = f"{spacing.row_mm:.3g}", f"{spacing.column_mm:.3g}"
    size = row if row == column else f"{row} × {column}"
    return f"{size} mm/px {spacing.kind}"


def edge_letters(
    orientation: tuple[str, str],
    quarter_turns: int = 0,
    flip_h: bool = False,
    flip_v: bool = False,
) -> EdgeLetters:
    """Orientation letters of a film that was first flipped, then turned.

    Args:
        orientation: Patient Orientation (0020,0020), PS3.3 C.7.6.1.1.1: the side of the patient
            that the rows run to, then the side that the columns run to.
        quarter_turns: clockwise, any integer.
        flip_h: left and right of the film exchanged, before it is turned.
        flip_v: top and bottom of the film exchanged, before it is turned.
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
    """The opposite side, `PF` -> `AH`; empty for letters that are none of a biped's."""
    letters = [_OPPOSITES.get(letter, "") for letter in side]
    return "".join(letters) if all(letters) else ""


def _patient(film: FilmRef, hidden: bool) -> tuple[str, ...]:
    age = film.patient_age.lstrip("0")
    if hidden:
        return IDENTITY_HIDDEN, _words(film.patient_sex, _common_age(age))
    identifier = f"ID {film.patient_id}" if film.patient_id else ""
    return _person(film.patient_name), _words(identifier, film.patient_sex, age)


def _common_age(age: str) -> str:
    # PS3.5 6.2: AS is nnnD, nnnW, nnnM or nnnY.
    years = age.removesuffix("Y")
    very_old = years != age and years.isdigit() and int(years) >= 90
    return "90Y or older" if very_old else age


def _study(film: FilmRef, hidden: bool) -> tuple[str, ...]:
    view = _words(film.view_position, film.laterality)
    if hidden:
        return (view,)
    return film.institution, _date(film.study_date), view


def _left_out(radiograph: Radiograph, state: ViewState) -> tuple[str, ...]:
    """What the file asks for and the user has switched off: never a silent change."""
    return (
        "shutter off" if radiograph.shutter is not None and not state.shutter else "",
        "overlays off" if radiograph.has_graphics and not state.overlays else "",
    )


def _place(film: FilmRef, state: ViewState) -> str:
    number = f"film {state.number}/{state.total}"
    return _words(_zoom(state), number, film.frame_text)


def _zoom(state: ViewState) -> str:
    return f"zoom {state.zoom:.0%}"


def _person(name: str) -> str:
    # PS3.5 6.2.1.1: Family^Given^Middle^Prefix^Suffix.
    family, _, rest = name.partition("^")
    given = " ".join(rest.replace("^", " ").split())
    return f"{family}, {given}" if given else family


def _date(date: str) -> str:
    # PS3.5 6.2: DA is YYYYMMDD; whatever else stands there is shown as it is.
    if len(date) == 8 and date.isdigit():
        return f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return date


def _words(*words: str) -> str:
    return BETWEEN_WORDS.join(word for word in words if word)


def _lines(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
