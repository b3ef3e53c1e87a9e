"""Plots as SVG text: no fonts or scripts from elsewhere, the same look in browser and paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

WIDTH, HEIGHT = 360, 320
"""Of a plot in CSS pixels."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 30, 44
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_COLOURS = ("#1f5fa8", "#c0561c", "#3b7d3b", "#7a4a9e")
_LETTER = 6.2
"""Mean width of a letter of the legend, rounded up."""
_STYLE = "font-family:system-ui,sans-serif;font-size:11px"


@dataclass(frozen=True)
class Line:
    """Points joined in order; `band` is low and high y at the same x."""

    x: Sequence[float]
    y: Sequence[float]
    name: str = ""
    band: tuple[Sequence[float], Sequence[float]] | None = None
    dashed: bool = False
    kind: Literal["line", "points", "bars"] = "line"
    radius: float = 4
    """Of points, in CSS pixels."""


def plot(lines: Sequence[Line], x_title: str, y_title: str, y_max: float = 1.0) -> str:
    """Draw lines, points or bars over 0..1 (x) and 0..`y_max` (y), with axes and a legend."""
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" style="{_STYLE}">',
        f"<title>{escape(y_title)} by {escape(x_title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *_axes(x_title, y_title, y_max),
    ]
    solid, x = 0, float(_LEFT)
    for line in lines:
        colour = "#888" if line.dashed else _COLOURS[solid % len(_COLOURS)]
        parts += _drawn(line, colour, y_max)
        if line.name:
            parts.append(_text(x, _TOP - 12, line.name, "start", f' fill="{colour}"'))
            x += 16 + _LETTER * len(line.name)
        solid += not line.dashed
    return "\n".join([*parts, "</svg>"])


def _x(value: float) -> float:
    return _LEFT + value * (WIDTH - _LEFT - _RIGHT)


def _y(value: float, y_max: float) -> float:
    return HEIGHT - _BOTTOM - value / (y_max or 1.0) * (HEIGHT - _TOP - _BOTTOM)


def _axes(x_title: str, y_title: str, y_max: float) -> list[str]:
    parts = []
    for tick in _TICKS:
        x, y = _x(tick), _y(tick * y_max, y_max)
        parts.append(
            f'<path d="M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" '
            'stroke="#e3e3e3"/>'
        )
        parts.append(_text(x, HEIGHT - _BOTTOM + 15, f"{tick:g}", "middle"))
        parts.append(_text(_LEFT - 6, y + 4, f"{tick * y_max:.3g}", "end"))
    middle = (HEIGHT - _BOTTOM + _TOP) / 2
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 10, x_title, "middle"))
    turned = f' transform="rotate(-90 14 {middle:.1f})"'
    parts.append(_text(14, middle, y_title, "middle", turned))
    return parts


def _drawn(line: Line, colour: str, y_max: float) -> list[str]:
    points = [(_x(x), _y(y, y_max)) for x, y in zip(line.x, line.y, strict=True)]
    if line.kind == "bars":
        width = 0.8 * (points[1][0] - points[0][0]) if len(points) > 1 else 10.0
        base = _y(0, y_max)
        return [
            f'<rect x="{x - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{base - y:.1f}" fill="{colour}" fill-opacity=".45"/>'
            for x, y in points
        ]
    if line.kind == "points":
        low, high = line.band or ((), ())
        bars = [
            f'<path d="M{x:.1f} {_y(a, y_max):.1f}V{_y(b, y_max):.1f}" stroke="{colour}"/>'
            for (x, _), a, b in zip(points, low, high, strict=bool(line.band))
        ]
        return bars + [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{line.radius:g}" fill="{colour}"/>'
            for x, y in points
        ]
    parts = []
    if line.band:
        low, high = line.band
        edge = [(_x(x), _y(y, y_max)) for x, y in zip(line.x, high, strict=True)]
        back = [(_x(x), _y(y, y_max)) for x, y in zip(line.x, low, strict=True)][::-1]
        outline = _path(edge + back)
        parts.append(f'<path d="{outline}Z" fill="{colour}" fill-opacity=".15" stroke="none"/>')
    dash = ' stroke-dasharray="4 4"' if line.dashed else ""
    parts.append(
        f'<path d="{_path(points)}" fill="none" stroke="{colour}" stroke-width="1.8"{dash}/>'
    )
    return parts


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'
