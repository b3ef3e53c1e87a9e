"""HTML in which every text is escaped: a name in a table can never become markup."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence

from xrayview.evaluation.intervals import Estimate


class Markup(str):
    """Text that is HTML already; anything else is escaped where it is put in."""

    __slots__ = ()


Content = str | int | float | None

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2126; --quiet: #5d6670;
  --line: #d5dae0; --accent: #3a7bc8; --warn: #a05a00; }
@media (prefers-color-scheme: dark) { :root { --paper: #16191d; --ink: #e4e8ec;
  --quiet: #9aa4af; --line: #343b43; --accent: #6aa6ea; --warn: #e0a050; } }
body { background: var(--paper); color: var(--ink); font: 14px/1.5 system-ui, sans-serif;
  max-width: 1000px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 18px; margin: 40px 0 8px; }
h3 { font-size: 15px; margin: 20px 0 4px; }
p { margin: 6px 0; max-width: 75ch; } .quiet { color: var(--quiet); }
.warn { color: var(--warn); }
table { border-collapse: collapse; margin: 8px 0; }
th, td { border-bottom: 1px solid var(--line); padding: 3px 12px 3px 0; text-align: left;
  vertical-align: top; }
th { font-weight: 600; } .number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.share { background: color-mix(in srgb, var(--accent) calc(var(--share) * 70%), transparent); }
.wide { overflow-x: auto; } .row { display: flex; flex-wrap: wrap; gap: 16px; }
figure { margin: 8px 0; } figcaption { color: var(--quiet); font-size: 12px;
  overflow-wrap: anywhere; }
.map { width: 256px; } .map img { width: 256px; display: block; }
.film { width: 150px; } .film img { width: 150px; display: block; background: #000; }
svg { max-width: 100%; height: auto; font-family: system-ui, sans-serif; }
code { font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
"""

_NUMBER = re.compile(r"-|[\d.]+( \([\d.-]+\))?")
"""What is set to the right: a figure, with or without its interval."""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def escaped(content: Content) -> Markup:
    """Content as it may stand in HTML; markup stays what it is."""
    if isinstance(content, Markup):
        return content
    return Markup(html.escape("" if content is None else str(content), quote=True))


def element(tag: str, *children: Content, **attributes: str) -> Markup:
    """`<tag class="...">children</tag>`; a trailing _ of an attribute's name is dropped."""
    shown = "".join(
        f' {name.rstrip("_")}="{html.escape(value, quote=True)}"'
        for name, value in attributes.items()
    )
    return Markup(f"<{tag}{shown}>{joined(children)}</{tag}>")


def joined(parts: Iterable[Content]) -> Markup:
    """Parts one after another."""
    return Markup("".join(escaped(part) for part in parts))


def paragraph(text: Content, kind: str = "") -> Markup:
    """A paragraph; `kind` is quiet or warn."""
    return element("p", text, class_=kind) if kind else element("p", text)


def image(picture: str, alt: str) -> Markup:
    """A picture given as a data URI."""
    source, text = html.escape(picture, quote=True), html.escape(alt, quote=True)
    return Markup(f'<img src="{source}" alt="{text}">')


def table(header: Sequence[Content], rows: Iterable[Sequence[Content]]) -> Markup:
    """A table; numbers are set to the right."""
    head = element("tr", *(element("th", cell) for cell in header))
    body = (element("tr", *(_cell(cell) for cell in row)) for row in rows)
    return element("div", element("table", head, *body), class_="wide")


def facts(rows: Iterable[tuple[str, Content]]) -> Markup:
    """Names and what they are; those without content are left out."""
    kept = [(name, content) for name, content in rows if content not in (None, "")]
    lines = (element("tr", element("th", name), element("td", value)) for name, value in kept)
    return element("table", *lines)


def interval(estimate: Estimate | None) -> str:
    """`0.913 (0.881-0.942)`; a dash where there is no figure."""
    if estimate is None or math.isnan(estimate.value):
        return "-"
    if math.isnan(estimate.low):
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"


def stacked(estimate: Estimate) -> Markup:
    """The figure and, below it, its interval: a cell for a table of many columns."""
    value, _, bounds = interval(estimate).partition(" ")
    below = element("div", bounds.strip("()"), class_="quiet") if bounds else None
    return element("td", value, below, class_="number")


def shaded(content: Content, share: float) -> Markup:
    """A cell whose colour grows with a share of 0..1."""
    style = f"--share: {min(1.0, max(0.0, share)):.3f}"
    return Markup(f'<td class="number share" style="{style}">{escaped(content)}</td>')


def section(title: str, *parts: Content) -> Markup:
    """A heading and what stands below it."""
    return element("section", element("h2", title), *parts)


def page(title: str, *parts: Content) -> str:
    """A whole document that may fetch nothing."""
    head = joined(
        [
            Markup('<meta charset="utf-8">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
            element("title", title),
            element("style", Markup(_STYLE)),
        ]
    )
    body = element("body", *parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>{body}</html>\n'


def _cell(content: Content) -> Markup:
    if isinstance(content, Markup) and content.startswith("<td"):
        return content
    number = isinstance(content, int | float) or (
        isinstance(content, str) and _NUMBER.fullmatch(content) is not None
    )
    return element("td", content, class_="number") if number else element("td", content)
