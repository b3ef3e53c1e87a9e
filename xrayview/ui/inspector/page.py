"""The pipeline inspector as HTML; all text from the file is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from xrayview.display.measure_text import lengths_text
from xrayview.domain.inspection import Attribute, Origin, Step
from xrayview.domain.radiograph import Spacing, SpacingKind
from xrayview.ui.style.colours import C

ORIGINS: dict[Origin, tuple[str, str]] = {
    "file": ("from the file", "quiet"),
    "default": ("DICOM default", "quiet"),
    "computed": ("from the pixels", "ok"),
    "user": ("set by you", "accent"),
}
"""Text and theme colour for the origin of a step."""


def _style() -> str:
    return (
        "<style>"
        f".head{{font-size:12px;font-weight:600;color:{C.quiet}}}"
        ".steps{margin-top:8px}"
        f".number{{color:{C.quiet}}} .name{{font-weight:600}}"
        f".tags{{color:{C.quiet};font-size:12px}}"
        f".note{{color:{C.quiet}}} .warn{{color:{C.warn}}}"
        "</style>"
    )


def pipeline_html(
    steps: Iterable[Step],
    spacing: Spacing,
    spacing_attributes: tuple[Attribute, ...],
    warnings: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> str:
    """Return a page with the steps (value, origin, attributes) and the spacing with its kind.

    `spacing` is the one in use, which may be the user's; the attributes are the file's.
    """
    body = "".join(_step(number, step) for number, step in enumerate(steps, 1))
    return "".join(
        (
            _style(),
            _head("From stored values to displayed grey"),
            f"<table width='100%' cellspacing='0' cellpadding='2' class='steps'>{body}</table>",
            _head("Spacing"),
            _spacing(spacing, spacing_attributes),
            *(f"<p class='warn'>{escape(text)}</p>" for text in warnings),
            *(f"<p class='note'>{escape(text)}</p>" for text in notes),
        )
    )


def _head(text: str) -> str:
    return f"<p class='head'>{escape(text.upper())}</p>"


def _step(number: int, step: Step) -> str:
    origin, colour_name = ORIGINS[step.origin]
    colour = getattr(C, colour_name)
    tags = f"<tr><td></td><td colspan='2'>{_tags(step.attributes)}</td></tr>"
    return (
        f"<tr><td class='number' width='22'>{number}</td>"
        f"<td class='name'>{escape(step.name)}</td>"
        f"<td align='right' style='color:{colour}'>{escape(origin)}</td></tr>"
        f"<tr><td></td><td colspan='2'>{escape(step.value)}</td></tr>"
        f"{tags if step.attributes else ''}"
        "<tr><td colspan='3' style='font-size:6px'>&nbsp;</td></tr>"
    )


def _spacing(spacing: Spacing, attributes: tuple[Attribute, ...]) -> str:
    by_user = f", <span style='color:{C.accent}'>{ORIGINS['user'][0]}</span>"
    origin = by_user if spacing.kind is SpacingKind.USER else ""
    text = escape(lengths_text(spacing, attributes))
    return f"<p style='margin-top:8px'>{text}{origin}<br>{_tags(attributes)}</p>"


def _tags(attributes: tuple[Attribute, ...]) -> str:
    lines = (f"{a.tag} {a.keyword} = {a.value}" for a in attributes)
    return f"<span class='tags'>{'<br>'.join(map(escape, lines))}</span>"
