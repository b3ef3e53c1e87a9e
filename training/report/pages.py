"""HTML pages from the Jinja templates beside this module; all text is escaped."""

from __future__ import annotations

import math
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from xrayview.evaluation.intervals import Estimate

_NUMBER = re.compile(r"-|[\d.]+%?( \([\d.-]+\))?")
"""A cell that is aligned to the right: a number, with or without its interval."""


def interval(estimate: Estimate | None) -> str:
    """Format as `0.913 (0.881-0.942)`; a dash if the value is undefined."""
    if estimate is None or math.isnan(estimate.value):
        return "-"
    if math.isnan(estimate.low):
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"


def _number(value: float, pattern: str = "{:.3f}") -> str:
    return "-" if math.isnan(value) else pattern.format(value)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) or _NUMBER.fullmatch(str(cell)) is not None


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {"interval": interval, "number": _number}
_ENVIRONMENT.tests["a_number"] = _is_number


def render(template: str, **values: object) -> str:
    """Render a template as a page that is complete in itself."""
    return _ENVIRONMENT.get_template(template).render(values)


def write_page(text: str, out: Path) -> Path:
    """Write a page whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(out)
    return out
