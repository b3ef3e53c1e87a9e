"""Theme, colours and icons: contrast, switching, and no missing or unused icon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from xrayview.domain.events import FilmFinished, FilmResult
from xrayview.errors import Status, StatusCode
from xrayview.services.resources import resource
from xrayview.ui.batch.line import BatchLine
from xrayview.ui.style import icons, theme
from xrayview.ui.style.colours import DARK, INKS, LIGHT, STATUS_COLOUR, STATUS_ICON, C, Colours
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.widgets.icon_label import IconLabel

SOURCES = Path(theme.__file__).parents[1]
ICONS = sorted(path.stem for path in resource("icons").glob("*.svg"))
OWN_COLOURS = {"xrayview", "chevron_down_grey", "chevron_up_grey", "check_dark", "check_light"}


@pytest.mark.parametrize("name", [name for name in ICONS if name not in OWN_COLOURS])
def test_that_an_icon_is_drawn_in_the_given_colour(qtbot: QtBot, name: str) -> None:
    image = icons.pixmap(name, 48, "#ff0000").toImage()
    inked = [
        image.pixelColor(x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    ]
    assert inked
    assert set(map(QColor.name, inked)) == {"#ff0000"}


def test_that_no_icon_is_unused() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    assert [name for name in ICONS if not re.search(rf'"{name}(\.svg)?"', text)] == []


def test_that_every_status_has_a_colour_and_an_icon() -> None:
    assert set(STATUS_COLOUR) == set(STATUS_ICON) == set(Status)
    assert set(STATUS_ICON.values()) <= set(ICONS)


@pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize(
    ("ink", "ground"), [(ink, ground) for ink, grounds in INKS for ground in grounds]
)
def test_that_text_has_enough_contrast(colours: Colours, ink: str, ground: str) -> None:
    """Contrast of WCAG 2.1, 1.4.3: at least 4.5 for text."""
    assert contrast(getattr(colours, ink), getattr(colours, ground)) >= 4.5


@pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])
def test_that_icons_and_frames_have_enough_contrast(colours: Colours) -> None:
    """WCAG 2.1, 1.4.11: at least 3 for anything but text; disabled controls are exempt."""
    for ink in ("accent", "quiet", "warn", "error", "ok"):
        assert contrast(getattr(colours, ink), colours.hover) >= 3, ink


def test_that_no_colour_has_two_names_because_icons_look_names_up_by_colour() -> None:
    for one in (DARK, LIGHT):
        assert len(set(asdict(one).values())) == len(asdict(one))
    shared = set(asdict(DARK).items()) & set(asdict(LIGHT).items())
    assert shared == {("film", "#000000")}
    assert set(asdict(DARK).values()) & set(asdict(LIGHT).values()) == {"#000000"}


@pytest.fixture
def dark(qapp: QApplication) -> Iterator[None]:
    theme.apply(qapp, "dark")
    yield
    theme.use("dark")


@pytest.mark.usefixtures("dark")
def test_that_a_theme_changes_widgets_on_screen(qtbot: QtBot) -> None:
    panel, button, sign = QFrame(), QToolButton(), IconLabel("fit", 48, "accent")
    panel.setProperty("panel", True)
    button.setIcon(icons.icon("fit", C.quiet))
    button.setIconSize(QSize(48, 48))  # thick enough for a pixel of the full colour
    row = QHBoxLayout(panel)
    for part in (button, sign):
        row.addWidget(part)
    qtbot.addWidget(panel)
    panel.show()
    for choice, colours in (("dark", DARK), ("light", LIGHT), ("dark", DARK)):
        theme.use(choice)
        shown = colours_of(panel)
        assert {colours.panel, colours.quiet, colours.accent} <= shown
        assert STATUS_COLOUR[Status.ERROR] == colours.error


@pytest.mark.usefixtures("dark")
def test_that_the_surround_of_the_film_is_black_in_each_theme(qtbot: QtBot) -> None:
    viewer = FilmViewer()
    qtbot.addWidget(viewer)
    viewer.resize(300, 200)
    viewer.show_empty("Choose a film at the left.")
    viewer.show()
    for choice in ("dark", "light"):
        theme.use(choice)
        image = viewer.grab().toImage()
        assert image.pixelColor(4, 100).name() == "#000000"
        # Text on it must be light.
        assert max(luminance(colour) for colour in colours_of(viewer)) > 0.3


@pytest.mark.usefixtures("dark")
def test_that_the_frame_bar_uses_the_text_colour_of_panels(qtbot: QtBot) -> None:
    viewer = FilmViewer()
    qtbot.addWidget(viewer)
    viewer.frames.show_film(12)
    for choice, colours in (("dark", DARK), ("light", LIGHT)):
        theme.use(choice)
        viewer.frames.count.ensurePolished()
        assert viewer.frames.count.palette().windowText().color().name() == colours.text


@pytest.mark.usefixtures("dark")
def test_that_the_counts_of_a_batch_follow_the_theme(qtbot: QtBot) -> None:
    line = BatchLine()
    qtbot.addWidget(line)
    line.show_event(FilmFinished(FilmResult("a.dcm", Status.WARN, StatusCode.OK, ""), 1, 2))
    theme.use("light")
    (counted,) = (
        label.text() for label in line.findChildren(QLabel) if "Caution 1" in label.text()
    )
    assert LIGHT.warn in counted


@pytest.mark.usefixtures("dark")
def test_that_a_system_without_a_preference_gets_the_dark_theme(qtbot: QtBot) -> None:
    theme.use("light")
    theme.use("system")
    assert C.window == DARK.window


@pytest.mark.usefixtures("dark")
def test_that_a_widget_is_notified_of_a_theme_as_long_as_it_exists(qtbot: QtBot) -> None:
    class Keeper(QWidget):
        def note(self) -> None:
            notified.append(C.text)

    notified: list[str] = []
    keeper = Keeper()
    theme.on_switch(keeper.note)
    theme.use("light")
    assert notified == [LIGHT.text]
    keeper.deleteLater()
    QApplication.sendPostedEvents(keeper, QEvent.Type.DeferredDelete)
    theme.use("dark")
    assert len(notified) == 1


def test_that_icons_are_sharp_on_a_high_resolution_screen(qtbot: QtBot) -> None:
    picture = icons.icon("fit").pixmap(QSize(20, 20), 2.0)
    assert (picture.width(), picture.devicePixelRatio()) == (40, 2.0)


def colours_of(widget: QWidget) -> set[str]:
    image = widget.grab().toImage()
    return {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
