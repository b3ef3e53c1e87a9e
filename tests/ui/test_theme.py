"""The look: every icon that is named is there, tinted, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from xrayview.errors import Status
from xrayview.services.resources import resource
from xrayview.ui import theme

SOURCES = Path(theme.__file__).parent
ICONS = sorted(path.stem for path in resource("icons").glob("*.svg"))
OWN_COLOURS = {"xrayview", "chevron_down_grey", "chevron_up_grey"}


@pytest.mark.parametrize("name", [name for name in ICONS if name not in OWN_COLOURS])
def test_that_an_icon_is_drawn_in_the_colour_it_is_asked_for(qtbot: QtBot, name: str) -> None:
    image = theme.pixmap(name, 48, "#ff0000").toImage()
    inked = [
        image.pixelColor(x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    ]
    assert inked
    assert set(map(QColor.name, inked)) == {"#ff0000"}


def test_that_no_icon_lies_about_unused() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    assert [name for name in ICONS if not re.search(rf'"{name}(\.svg)?"', text)] == []


def test_that_every_status_has_a_colour_and_an_icon() -> None:
    assert set(theme.STATUS_COLOUR) == set(theme.STATUS_ICON) == set(Status)
    assert set(theme.STATUS_ICON.values()) <= set(ICONS)


def test_that_text_stands_out_from_every_ground() -> None:
    """Contrast of WCAG 2.1, 1.4.3: at least 4.5 for text."""
    grounds = (theme.C.window, theme.C.panel, theme.C.raised)
    for ink in (theme.C.text, theme.C.quiet, theme.C.warn, theme.C.error, theme.C.accent):
        assert min(contrast(ink, ground) for ground in grounds) > 4.5, ink


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
