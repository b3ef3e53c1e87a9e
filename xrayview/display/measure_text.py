"""How a measurement reads beside its drawing and in lists: short, with the kind of its spacing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xrayview.domain.measurement import Annotation, Mark, MeasuredValue, Probe
from xrayview.domain.radiograph import SpacingKind

NOTHING = "–"
"""Where there is nothing to measure."""
TITLES: Mapping[Mark, str] = {
    Mark.LENGTH: "Length",
    Mark.ANGLE: "Angle",
    Mark.COBB: "Cobb angle",
    Mark.RECTANGLE: "Rectangle",
    Mark.ELLIPSE: "Ellipse",
    Mark.POLYGON: "Polygon",
    Mark.CARDIOTHORACIC: "Cardiothoracic ratio",
    Mark.PROFILE: "Profile",
    Mark.ARROW: "Arrow",
    Mark.TEXT: "Text",
}


def label_lines(annotation: Annotation, figures: tuple[MeasuredValue, ...]) -> tuple[str, ...]:
    """What stands beside a drawing: the user's own words, then its figures; never an empty line."""
    values = {figure.name: figure for figure in figures}
    lines = _LINES.get(annotation.kind, _no_lines)(values) if values else ()
    return tuple(line for line in (annotation.text, *lines) if line)


def value_text(figure: MeasuredValue) -> str:
    """A value with its unit and the kind of its spacing: `83.4 mm at detector`, `412.0 px`."""
    number = f"{number_text(figure)}{_unit(figure.unit)}"
    return f"{number} {figure.spacing}" if _names_its_kind(figure) else number


def number_text(figure: MeasuredValue) -> str:
    """The value alone, as exact as a hand with a mouse is."""
    value = figure.value
    if value is None:
        return NOTHING
    if figure.unit == "":
        return grey_text(value) if figure.spacing is None else f"{value:.2f}"
    if figure.unit in {"mm²", "px²"}:
        return f"{value:.1f}" if value < 100 else f"{value:.0f}"
    return f"{value:.2f}" if figure.unit == "mm" and value < 10 else f"{value:.1f}"


def probe_text(pixel: Probe) -> str:
    """One pixel in one line: (row, column), as stored, after the Modality LUT, as displayed."""
    words = (
        f"({pixel.row}, {pixel.column})",
        f"stored {grey_text(pixel.stored)}",
        f"modality {grey_text(pixel.modality)}",
        "padding" if pixel.is_padding else f"displayed {pixel.displayed}",
    )
    return " · ".join(words)


def grey_text(value: float) -> str:
    """A grey value: a whole number in most films, a fraction of one in some."""
    if value == round(value) and abs(value) < 1e7:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.4g}"


def _unit(unit: str) -> str:
    return unit if unit in {"", "°"} else f" {unit}"


def _names_its_kind(figure: MeasuredValue) -> bool:
    known = figure.spacing not in (None, SpacingKind.UNKNOWN)
    return known and figure.unit.startswith("mm") and figure.value is not None


_Values = Mapping[str, MeasuredValue]


def _length(values: _Values) -> tuple[str, ...]:
    return (value_text(values["length"]),)


def _angle(values: _Values) -> tuple[str, ...]:
    return (value_text(values["angle"]),)


def _cobb(values: _Values) -> tuple[str, ...]:
    return (f"Cobb {value_text(values['cobb angle'])}",)


def _cardiothoracic(values: _Values) -> tuple[str, ...]:
    return (
        f"CTR {value_text(values['cardiothoracic ratio'])}",
        f"heart {value_text(values['heart'])}",
        f"thorax {value_text(values['thorax'])}",
    )


def _region(values: _Values) -> tuple[str, ...]:
    area = value_text(values["area"])
    if "mean" not in values:  # still being counted
        return (area,)
    mean, sd, low, high = (number_text(values[n]) for n in ("mean", "SD", "minimum", "maximum"))
    return (f"mean {mean}  SD {sd}", f"min {low}  max {high}", area)


def _no_lines(_values: _Values) -> tuple[str, ...]:
    return ()


_LINES: dict[Mark, Callable[[_Values], tuple[str, ...]]] = {
    Mark.LENGTH: _length,
    Mark.ANGLE: _angle,
    Mark.COBB: _cobb,
    Mark.CARDIOTHORACIC: _cardiothoracic,
    Mark.RECTANGLE: _region,
    Mark.ELLIPSE: _region,
    Mark.POLYGON: _region,
}
