"""Texts of measurements, beside drawings and in lists: short, with the kind of spacing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from xrayview.display.corners import spacing_text
from xrayview.domain.inspection import Attribute, states_spacing
from xrayview.domain.measurement import Annotation, Mark, MeasuredValue, Probe
from xrayview.domain.radiograph import Spacing, SpacingKind

NO_VALUE = "–"
"""Shown where there is nothing to measure."""
LENGTHS_IN_PIXELS = "Lengths in pixels (no spacing in this file)"
UNUSABLE_SPACING = "Lengths in pixels (no usable spacing in this file)"
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


def lengths_text(spacing: Spacing, attributes: Iterable[Attribute] = ()) -> str:
    """Say which unit lengths are in and why: `Lengths in mm: 0.139 mm/px at detector`.

    `attributes`: those of the file from which a spacing may follow.
    """
    if spacing.row_mm is None or spacing.column_mm is None:
        return UNUSABLE_SPACING if states_spacing(attributes) else LENGTHS_IN_PIXELS
    return f"Lengths in mm: {spacing_text(spacing)}"


def label_lines(annotation: Annotation, values: tuple[MeasuredValue, ...]) -> tuple[str, ...]:
    """Return the label of a drawing: the user's own text, then the values; no line is empty."""
    by_name = {value.name: value for value in values}
    lines = _LINES.get(annotation.kind, _no_lines)(by_name) if by_name else ()
    return tuple(line for line in (annotation.text, *lines) if line)


def value_text(measured: MeasuredValue) -> str:
    """Return a value with its unit and the kind of spacing: `83.4 mm at detector`, `412.0 px`."""
    number = f"{number_text(measured)}{_unit(measured.unit)}"
    kind = measured.spacing
    return f"{number} {kind.suffix}" if kind and _names_its_kind(measured) else number


def number_text(measured: MeasuredValue) -> str:
    """Return the number only, with the precision that the mouse allows."""
    value = measured.value
    if value is None:
        return NO_VALUE
    if measured.unit == "":
        return grey_text(value) if measured.spacing is None else f"{value:.2f}"
    if measured.unit in {"mm²", "px²"}:
        return f"{value:.1f}" if value < 100 else f"{value:.0f}"
    return f"{value:.2f}" if measured.unit == "mm" and value < 10 else f"{value:.1f}"


def probe_text(pixel: Probe) -> str:
    """Describe a pixel in one line: (row, column), stored, after the Modality LUT, displayed."""
    parts = (
        f"({pixel.row}, {pixel.column})",
        f"stored {grey_text(pixel.stored)}",
        f"modality {grey_text(pixel.modality)}",
        "padding" if pixel.is_padding else f"displayed {pixel.displayed}",
    )
    return " · ".join(parts)


def grey_text(value: float) -> str:
    """Format a grey value: an integer in most films, a fraction in some."""
    if value == round(value) and abs(value) < 1e7:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.4g}"


def _unit(unit: str) -> str:
    return unit if unit in {"", "°"} else f" {unit}"


def _names_its_kind(measured: MeasuredValue) -> bool:
    known = measured.spacing not in (None, SpacingKind.UNKNOWN)
    return known and measured.unit.startswith("mm") and measured.value is not None


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
    if "mean" not in values:  # still being computed
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
