"""A figure as SVG: film and heat map as embedded pictures, lines and text as vectors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from xrayview.domain.figure import Colour, Figure, Label, Line, Patch
from xrayview.io.export import encode

_FAMILY = "Rubik, 'Helvetica Neue', Arial, sans-serif"


def svg(figure: Figure) -> bytes:
    """The figure as a self-contained UTF-8 document; one unit is one pixel of the film."""
    size = f'width="{figure.width}" height="{figure.height}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {figure.width} {figure.height}" font-family={quoteattr(_FAMILY)}>'
    )
    parts = (head, *_body(figure), "</svg>\n")
    return "\n".join(parts).encode()


def _body(figure: Figure) -> Iterator[str]:
    yield f"<title>{_printable(figure.title)}</title>"
    yield f'<rect width="{figure.width}" height="{figure.height}" fill="#000"/>'
    rows, columns = figure.film_HW.shape
    yield _image(encode(figure.film_HW, "png"), (*figure.film_at, columns, rows))
    yield from map(_patch, figure.patches)
    yield from map(_line, figure.lines)
    yield from map(_label, figure.labels)


def _patch(patch: Patch) -> str:
    return _image(encode(patch.rgba_HW4, "png"), (*patch.corner, *patch.size))


def _image(png: bytes, box: tuple[float, ...]) -> str:
    x, y, width, height = (f"{side:g}" for side in box)
    return (
        f'<image x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{b64encode(png).decode()}"/>'
    )


def _line(line: Line) -> str:
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in line.points)
    shared = f'points="{points}" fill="none" stroke-linejoin="round" stroke-linecap="round"'
    return (
        f'<polyline {shared} stroke="#000" stroke-width="{line.width * 2.4:.2f}"/>\n'
        f'<polyline {shared} stroke="{_hex(line.colour)}" stroke-width="{line.width:.2f}"/>'
    )


def _label(label: Label) -> str:
    """A black outline, then the text itself, since many programs do not support `paint-order`."""
    x, y = label.position
    weight = ' font-weight="600"' if label.bold else ""
    shared = (
        f'x="{x:.2f}" y="{y:.2f}" font-size="{label.size:.1f}" text-anchor="{label.anchor}"{weight}'
    )
    text = _printable(label.text)
    return (
        f'<text {shared} fill="#000" stroke="#000" stroke-width="{label.size / 6:.2f}" '
        f'stroke-linejoin="round" aria-hidden="true">{text}</text>\n'
        f'<text {shared} fill="{_hex(label.colour)}">{text}</text>'
    )


def _hex(colour: Colour) -> str:
    return "#" + bytes(colour).hex()


def _printable(text: str) -> str:
    """Without control codes, which a header may contain and XML does not allow."""
    return escape("".join(c for c in text if c.isprintable()))
