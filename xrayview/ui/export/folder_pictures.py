"""Pictures of all films of the folder, with the window on screen or with each film's own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QFormLayout, QWidget

from xrayview.batch.render import FilmRendered, render_folder
from xrayview.display.corners import voi_text
from xrayview.domain.events import FilmFinished
from xrayview.domain.figure import FigureStyle
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Window
from xrayview.engine.client import Engine
from xrayview.engine.protocol import RenderFilm
from xrayview.services.tasks import Tasks
from xrayview.ui.export.folder_job import Events, FolderJob
from xrayview.ui.export.heat_map_choice import HeatMapChoice, OfferedHeatMaps
from xrayview.ui.export.remembered import Remembered
from xrayview.ui.export.shown_film import ShownFilm
from xrayview.ui.widgets.form_fields import FolderField, check, combo, label

_FORMATS = (("png", "PNG"), ("tiff", "TIFF"), ("svg", "SVG"))
_DEPTHS = (("8", "8 bits"), ("16", "16 bits"))
_MINE, _OWN, _AUTO = "mine", "own", "auto"
_AS_FIGURES = "As figures; without identity, and with “research use only”"
_NO_COLOUR = "16 bits are for pictures without colour"
_LEFT = "{:,} were there and are as they were, perhaps made otherwise: “Replace …” makes them anew."
_WITH_CAPTION = "A heat map goes with its caption"


class FolderPictures(FolderJob):
    """Goes on where it stopped: pictures that are there are left unless asked otherwise."""

    slot = "folder pictures"
    start_text = "Export"

    def __init__(
        self,
        source: Path,
        shown: ShownFilm | None,
        engine: Engine,
        tasks: Tasks,
        remembered: Remembered,
        parent: QWidget | None = None,
        offer: OfferedHeatMaps | None = None,
    ) -> None:
        self._engine, self._remembered = engine, remembered
        voi = shown.look.voi if shown else None
        self._window = voi if isinstance(voi, Window) else None
        self._inverted = shown is not None and shown.look.invert
        self._burned_in: Counter[str] = Counter()
        self._left = 0
        self.folder = FolderField("Folder for the pictures")
        self.windows = combo("Window", self._windows(), remembered.text("pictures_window", _OWN))
        self.kind = combo("File format", _FORMATS, remembered.text("pictures_format", "png"))
        self.bits = combo("Depth of grey", _DEPTHS, remembered.text("pictures_bits", "8"))
        self.invert = check("Inverted", "Black and white exchanged", self._inverted)
        self.figure = check(
            "With orientation letters, scale bar and caption",
            _AS_FIGURES,
            remembered.flag("pictures_figure", False),
        )
        self.heat = HeatMapChoice(offer, remembered.flag("pictures_heat_map", False))
        self.replace = check(
            "Replace pictures that are there",
            "Otherwise they are left as they were made, and an interrupted export goes on",
            False,
        )
        super().__init__("Export pictures of the folder", source, tasks, parent)
        self._fill()
        self.folder.changed.connect(self.refresh)
        self.heat.changed.connect(self._on_choice)
        self.bits.currentIndexChanged.connect(self._on_choice)
        self._on_choice()
        self.refresh()

    def _windows(self) -> tuple[tuple[str, str], ...]:
        mine = ((_MINE, f"As on screen: {voi_text(self._window)}"),) if self._window else ()
        return (*mine, (_OWN, "Each film's own"), (_AUTO, "Automatic, for each film"))

    def problem(self) -> str:
        if self.folder.path is None:
            return "Choose a folder for the pictures"
        same = self.folder.path.absolute() == self.source.absolute()
        return "Pictures and films in one folder: choose another one" if same else ""

    def target(self) -> Path | None:
        return self.folder.path

    def remember(self) -> None:
        self._burned_in.clear()
        self._left = 0
        self._remembered.keep(
            pictures_window=self.windows.currentData(),
            pictures_format=self.kind.currentData(),
            pictures_bits=self.bits.currentData(),
            pictures_figure=self.figure.isChecked(),
            pictures_heat_map=self.heat.box.isChecked(),
        )

    def request(self) -> RenderFilm:
        """How each film becomes a picture."""
        window = self.windows.currentData()
        return RenderFilm(
            film=FilmRef(self.source, ""),
            window=replace(self._window) if window == _MINE and self._window else None,
            auto=window == _AUTO,
            invert=self.invert.isChecked(),
            square=True,
            format=self.kind.currentData(),
            bits=16 if self.bits.currentData() == "16" else 8,
            style=FigureStyle() if self.figure.isChecked() or self.heat.wanted else None,
        )

    def work(self) -> Callable[[threading.Event], Events]:
        out, how, engine, source = self.folder.path, self.request(), self._engine, self.source
        skip, heat_maps = not self.replace.isChecked(), self.heat.wanted
        assert out is not None  # `problem` says so
        return lambda stop: render_folder(
            engine, source, out, how, stop, skip_existing=skip, heat_maps=heat_maps
        )

    def took(self, event: FilmFinished) -> None:
        if isinstance(event, FilmRendered) and event.output is not None:
            self._left += event.kept
            self._burned_in[event.burned_in] += not event.kept

    def summary(self) -> str:
        likely, no = self._burned_in["YES"], self._burned_in["NO"]
        unsure = self._burned_in.total() - likely - no
        said = (
            f"{likely:,} show text in the film itself, perhaps a name." if likely else "",
            f"{unsure:,} may show a name in the film itself: their files do not say."
            if unsure
            else "",
        )
        words = " ".join(text for text in said if text)
        look = f"{words} Look before you pass them on." if words else ""
        left = _LEFT.format(self._left) if self._left else ""
        return "\n".join(text for text in (left, look) if text)

    def _on_choice(self) -> None:
        self.heat.allow(_NO_COLOUR if self.bits.currentData() == "16" else "")
        captioned = self.heat.wanted is not None
        self.figure.setEnabled(not captioned)
        self.figure.setToolTip(_WITH_CAPTION if captioned else _AS_FIGURES)

    def _fill(self) -> None:
        form = QFormLayout(self.form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Folder", self.folder)
        form.addRow("Window", self.windows)
        form.addRow("", self.invert)
        form.addRow("Format", self.kind)
        form.addRow("Depth", self.bits)
        form.addRow("", self.figure)
        form.addRow("", self.heat)
        form.addRow("", self.replace)
        form.addRow(
            "",
            label(
                "Pictures keep the names of films and folders, which may name the patient.", "quiet"
            ),
        )
