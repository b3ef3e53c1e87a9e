"""De-identified DICOM copies of the open folder or of the film on screen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from xrayview.batch.deidentify import DeidentifyOptions, FilmCopied, deidentify_folder
from xrayview.domain.events import FilmFinished
from xrayview.engine.client import Engine
from xrayview.services.tasks import Tasks
from xrayview.ui.export.folder_job import Events, FolderJob
from xrayview.ui.export.remembered import Remembered
from xrayview.ui.widgets.form_fields import FolderField, ask_for_file, check, combo, label

_FOLDER, _FILM = "folder", "film"


class FolderDeidentify(FolderJob):
    """Writes into a new folder only; the films stay as they are."""

    slot = "deidentify"
    start_text = "Write copies"

    def __init__(
        self,
        source: Path,
        film: Path | None,
        engine: Engine,
        tasks: Tasks,
        remembered: Remembered,
        parent: QWidget | None = None,
    ) -> None:
        self._engine, self._remembered, self._film = engine, remembered, film
        self._copies = 0
        whole = ((_FOLDER, "All films of the folder"),)
        one = ((_FILM, "The film on screen"),) if film is not None else ()
        self.what = combo("What is copied", whole + one, _FOLDER)
        self.folder = FolderField("A new or empty folder for the copies")
        self.keep = check(
            "Keep age (to 89), sex, size and weight",
            "Retain Patient Characteristics Option of PS3.15; they are removed otherwise",
            remembered.flag("deidentify_keep", False),
        )
        self.burned_in = check(
            "Copy films too that have text written into their pixels",
            "Films whose BurnedInAnnotation is YES are left out otherwise",
            False,
        )
        self.maps = check(
            "Write a table of old and new identifiers",
            "Whoever has it knows the patients; it may not lie among the copies",
            False,
        )
        self.mapping = QLineEdit()
        self.mapping.setPlaceholderText("mapping.csv")
        self.mapping.setAccessibleName("Table of old and new identifiers")
        super().__init__("De-identified copies", source, tasks, parent)
        self._fill()
        self.folder.changed.connect(self.refresh)
        self.mapping.textChanged.connect(self.refresh)
        self.maps.toggled.connect(self.refresh)
        self.refresh()

    def problem(self) -> str:
        out = self.folder.path
        if out is None:
            return "Choose a folder for the copies"
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            return "This folder is not empty: nothing is ever written over"
        missing = self.maps.isChecked() and not self.mapping.text().strip()
        return "Choose where the table goes" if missing else ""

    def target(self) -> Path | None:
        return self.folder.path

    def remember(self) -> None:
        self._copies = 0
        self._remembered.keep(deidentify_keep=self.keep.isChecked())

    def how(self) -> DeidentifyOptions:
        """The user's decisions."""
        mapping = Path(self.mapping.text().strip()) if self.maps.isChecked() else None
        return DeidentifyOptions(self.keep.isChecked(), self.burned_in.isChecked(), mapping)

    def work(self) -> Callable[[threading.Event], Events]:
        only_film = self.what.currentData() == _FILM
        source = self._film if only_film and self._film is not None else self.source
        out, how, engine = self.folder.path, self.how(), self._engine
        assert out is not None  # `problem` says so
        return lambda stop: deidentify_folder(engine, source, out, how, stop)

    def took(self, event: FilmFinished) -> None:
        self._copies += isinstance(event, FilmCopied) and event.output is not None

    def summary(self) -> str:
        return f"{self._copies:,} copies. No program sees all: look at them before you share them."

    def refresh(self) -> None:
        self.mapping.setEnabled(self.maps.isChecked())
        super().refresh()

    def _ask_mapping(self) -> None:
        path = ask_for_file(self, "Table of old and new identifiers", "mapping", "csv")
        if path is not None:
            self.maps.setChecked(True)
            self.mapping.setText(str(path))

    def _fill(self) -> None:
        form = QFormLayout(self.form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        browse = QPushButton("Browse …")
        browse.setToolTip("Where the table of old and new identifiers goes")
        browse.clicked.connect(self._ask_mapping)
        mapping = QWidget()
        row = QHBoxLayout(mapping)
        row.setContentsMargins(20, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.mapping, 1)
        row.addWidget(browse)
        form.addRow("What", self.what)
        form.addRow("Folder", self.folder)
        for widget in (self.keep, self.burned_in, self.maps, mapping):
            form.addRow("", widget)
        text = (
            "Basic Profile of DICOM PS3.15: names, numbers, dates, places, free text and private "
            "tags are taken out; UIDs and the patient's ID are replaced, alike in all copies. "
            "Pixels stay bit for bit, so that what is written into them stays too."
        )
        form.addRow("", label(text, "quiet"))
