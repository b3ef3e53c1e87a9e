"""Export pictures of all films of the folder."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QFormLayout, QWidget

from xrayview.batch.render import FilmRendered, render_folder
from xrayview.batch.source_files import lies_in
from xrayview.display.corners import voi_text
from xrayview.domain.events import FilmFinished
from xrayview.domain.figure import FigureStyle
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Window
from xrayview.engine.client import Engine
from xrayview.engine.protocol import RenderFilm
from xrayview.engine.scan import root_of
from xrayview.services.tasks import Tasks
from xrayview.ui.export.folder_job import INSIDE_SOURCE, Events, FolderJob
from xrayview.ui.export.heat_map_choice import HeatMapChoice, HeatMapOffer
from xrayview.ui.export.shown_film import ShownFilm
from xrayview.ui.export.stored_choices import StoredChoices
from xrayview.ui.widgets.form_fields import FolderField, check, combo, label

_FORMATS = (("png", "PNG"), ("tiff", "TIFF"), ("svg", "SVG"))
_DEPTHS = (("8", "8 bits"), ("16", "16 bits"))
_ON_SCREEN, _OWN, _AUTO = "mine", "own", "auto"
_AS_FIGURES = "Like saved figures, without identity and with “research use only”"
_NO_COLOUR = "16-bit pictures have no colour"
_SKIPPED = (
    "{:,} existing pictures were left as they are, whatever options they were made with. "
    "To renew them, select “Replace existing pictures”."
)
_WITH_CAPTION = "Pictures with a heat map always have a caption"


class FolderPictures(FolderJob):
    """Leaves existing pictures alone by default, so that a stopped export can be continued."""

    slot = "folder pictures"
    start_text = "Export"

    def __init__(
        self,
        source: Path,
        shown: ShownFilm | None,
        engine: Engine,
        tasks: Tasks,
        choices: StoredChoices,
        parent: QWidget | None = None,
        offer: HeatMapOffer | None = None,
    ) -> None:
        self._engine, self._choices = engine, choices
        voi = shown.look.voi if shown else None
        self._window = voi if isinstance(voi, Window) else None
        self._inverted = shown is not None and shown.look.invert
        self._burned_in: Counter[str] = Counter()
        self._skipped = 0
        self.folder = FolderField("Folder for the pictures")
        self.windows = combo("Window", self._windows(), choices.text("pictures_window", _OWN))
        self.kind = combo("File format", _FORMATS, choices.text("pictures_format", "png"))
        self.bits = combo("Grey depth", _DEPTHS, choices.text("pictures_bits", "8"))
        self.invert = check("Inverted", "Swap black and white", self._inverted)
        self.figure = check(
            "With orientation letters, scale bar and caption",
            _AS_FIGURES,
            choices.flag("pictures_figure", False),
        )
        self.heat = HeatMapChoice(offer, choices.flag("pictures_heat_map", False))
        self.replace = check(
            "Replace existing pictures",
            "Otherwise they are left alone, so that an interrupted export can be continued",
            False,
        )
        super().__init__("Export pictures of the folder", source, tasks, parent)
        self._fill()
        self.folder.changed.connect(self.refresh)
        self.heat.changed.connect(self._on_choice)
        self.bits.currentIndexChanged.connect(self._on_choice)
        self._on_choice()
        self.refresh()
        self.remember_answers()

    def _windows(self) -> tuple[tuple[str, str], ...]:
        shown = ((_ON_SCREEN, f"As on screen: {voi_text(self._window)}"),) if self._window else ()
        return (*shown, (_OWN, "Each film's own"), (_AUTO, "Automatic for each film"))

    def problem(self) -> str:
        if self.folder.path is None:
            return "Choose a folder for the pictures"
        return INSIDE_SOURCE if lies_in(self.folder.path, root_of(self.source)) else ""

    def target(self) -> Path | None:
        return self.folder.path

    def prepare(self) -> None:
        self._burned_in.clear()
        self._skipped = 0
        self._choices.store(
            pictures_window=self.windows.currentData(),
            pictures_format=self.kind.currentData(),
            pictures_bits=self.bits.currentData(),
            pictures_figure=self.figure.isChecked(),
            pictures_heat_map=self.heat.box.isChecked(),
        )

    def request(self) -> RenderFilm:
        """The options as a request, which is repeated for each film."""
        window = self.windows.currentData()
        return RenderFilm(
            film=FilmRef(self.source, ""),
            window=replace(self._window) if window == _ON_SCREEN and self._window else None,
            auto=window == _AUTO,
            invert=self.invert.isChecked(),
            square=True,
            format=self.kind.currentData(),
            bits=16 if self.bits.currentData() == "16" else 8,
            style=FigureStyle() if self.figure.isChecked() or self.heat.selection else None,
        )

    def work(self) -> Callable[[threading.Event], Events]:
        out, request, engine, source = self.folder.path, self.request(), self._engine, self.source
        skip, heat_maps = not self.replace.isChecked(), self.heat.selection
        assert out is not None  # `problem` checks it
        return lambda stop: render_folder(
            engine, source, out, request, stop, skip_existing=skip, heat_maps=heat_maps
        )

    def count(self, event: FilmFinished) -> None:
        if isinstance(event, FilmRendered) and event.output is not None:
            self._skipped += event.kept
            self._burned_in[event.burned_in] += not event.kept

    def summary(self) -> str:
        likely, no = self._burned_in["YES"], self._burned_in["NO"]
        unsure = self._burned_in.total() - likely - no
        warnings = []
        if likely:
            warnings.append(f"{likely:,} have text burned into the film, possibly a name.")
        if unsure:
            warnings.append(f"{unsure:,} may have a name burned in: their files do not say.")
        if warnings:
            warnings.append("Check them before you share them.")
        skipped = _SKIPPED.format(self._skipped) if self._skipped else ""
        return "\n".join(text for text in (skipped, " ".join(warnings)) if text)

    def _on_choice(self) -> None:
        self.heat.set_available(_NO_COLOUR if self.bits.currentData() == "16" else "")
        captioned = self.heat.selection is not None
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
                "Pictures are named after their films and folders; those names may identify the "
                "patient.",
                "quiet",
            ),
        )
