"""The colours of the window in both themes, and those in force.

In the dark theme the film is the brightest thing on screen: panels are dark grey, black is used
only around films, and one accent colour marks what is active.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from xrayview.errors import Status


@dataclass
class Colours:
    """The colours of a theme; the defaults are those of the dark theme."""

    film: str = "#000000"
    """Around the film, in every theme, because the eye adapts to it."""
    window: str = "#1b1d20"
    panel: str = "#212427"
    stripe: str = "#25282b"
    field: str = "#17191c"
    """Background of input fields."""
    raised: str = "#2b2e32"
    hover: str = "#34383d"
    line: str = "#3a3e43"
    text: str = "#d4d7da"
    quiet: str = "#9aa0a6"
    faint: str = "#6d737a"
    """Icons and disabled controls; never for text that must be read."""
    strong: str = "#ffffff"
    """Text on `accent_dim`, and text that stands out in a list."""
    accent: str = "#58a6d6"
    accent_hover: str = "#6db4e0"
    accent_dim: str = "#2b4d63"
    on_accent: str = "#08131b"
    warn: str = "#d9a94e"
    error: str = "#e5847a"
    ok: str = "#7fae8b"


DARK = Colours()
LIGHT = Colours(
    window="#e4e7ea",
    panel="#eef0f2",
    stripe="#e8ebee",
    field="#fbfcfc",
    raised="#f9fafb",
    hover="#d8dde2",
    line="#bcc2c9",
    text="#22262b",
    quiet="#4d545c",
    faint="#868d95",
    strong="#0a0d10",
    accent="#0d5c96",
    accent_hover="#0b4e80",
    accent_dim="#b7d7ee",
    on_accent="#fdfeff",
    warn="#7a4f00",
    error="#a62b21",
    ok="#22633a",
)
C = replace(DARK)
"""The colours in force. `put_in_force` changes them, so read them only when drawing."""

INKS = (
    ("text", ("window", "panel", "stripe", "field", "raised", "hover")),
    ("quiet", ("window", "panel", "stripe", "field", "raised")),
    ("warn", ("window", "panel", "stripe", "raised")),
    ("error", ("window", "panel", "stripe", "raised")),
    ("ok", ("window", "panel", "stripe", "raised")),
    ("accent", ("window", "panel", "stripe", "raised")),
    ("strong", ("window", "panel", "raised", "accent_dim")),
    ("text", ("accent_dim",)),
    ("on_accent", ("accent", "accent_hover")),
)
"""Text colours with their backgrounds; each pair meets WCAG 2.1, 1.4.3 (contrast 4.5 to 1)."""

_STATUS = {Status.OK: "ok", Status.WARN: "warn", Status.REFUSED: "quiet", Status.ERROR: "error"}
STATUS_COLOUR = {status: getattr(C, ink) for status, ink in _STATUS.items()}
STATUS_ICON = {
    Status.OK: "ok",
    Status.WARN: "warn",
    Status.REFUSED: "refused",
    Status.ERROR: "error",
}


def put_in_force(colours: Colours) -> None:
    """Set the colours in force, `C` and `STATUS_COLOUR`, to those of a theme."""
    for name, colour in asdict(colours).items():
        setattr(C, name, colour)
    STATUS_COLOUR.update((status, getattr(C, ink)) for status, ink in _STATUS.items())
