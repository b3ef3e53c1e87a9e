"""The pipeline inspector as a page to read; every text of the file is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from xrayview.display.corners import spacing_text
from xrayview.domain.inspection import Attribute, Origin, Step
from xrayview.domain.radiograph import Spacing, SpacingKind
from xrayview.ui.style.colours import C

ORIGINS: dict[Origin, tuple[str, str]] = {
    "file": ("from the file", "quiet"),
    "default": ("the standard's default", "quiet"),
    "computed": ("from the pixels", "ok"),
    "user": ("set by you", "accent"),
}
"""The words for where a step comes from, and their ink in the theme."""
NO_LENGTH = "px: the file gives no length in mm that can be used"


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
    """Steps in their order with value, origin and attributes; then the spacing and its kind.

    `spacing` is what lengths rest on, which may be the user's; the attributes are the file's.
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
    word, ink = ORIGINS[step.origin]
    colour = getattr(C, ink)
    tags = f"<tr><td></td><td colspan='2'>{_tags(step.attributes)}</td></tr>"
    return (
        f"<tr><td class='number' width='22'>{number}</td>"
        f"<td class='name'>{escape(step.name)}</td>"
        f"<td align='right' style='color:{colour}'>{escape(word)}</td></tr>"
        f"<tr><td></td><td colspan='2'>{escape(step.value)}</td></tr>"
        f"{tags if step.attributes else ''}"
        "<tr><td colspan='3' style='font-size:6px'>&nbsp;</td></tr>"
    )


def _spacing(spacing: Spacing, attributes: tuple[Attribute, ...]) -> str:
    text = spacing_text(spacing) if spacing.row_mm is not None else NO_LENGTH
    by_user = f", <span style='color:{C.accent}'>{ORIGINS['user'][0]}</span>"
    said = by_user if spacing.kind is SpacingKind.USER else ""
    return f"<p style='margin-top:8px'>{escape(text)}{said}<br>{_tags(attributes)}</p>"


def _tags(attributes: tuple[Attribute, ...]) -> str:
    lines = (f"{a.tag} {a.keyword} = {a.value}" for a in attributes)
    return f"<span class='tags'>{'<br>'.join(map(escape, lines))}</span>"
