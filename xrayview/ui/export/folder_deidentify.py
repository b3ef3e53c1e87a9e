"""De-identified DICOM copies of the open folder or of the film on screen."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from xrayview.batch.deidentify import DeidentifyOptions, FilmCopied, deidentify_folder
from xrayview.batch.source_files import lies_in
from xrayview.domain.events import FilmFinished
from xrayview.engine.client import Engine
from xrayview.engine.scan import root_of
from xrayview.services.tasks import Tasks
from xrayview.ui.export.folder_job import INSIDE_SOURCE, Events, FolderJob
from xrayview.ui.export.found_elements import FoundElements
from xrayview.ui.export.stored_choices import StoredChoices
from xrayview.ui.widgets.form_fields import FolderField, ask_for_file, check, combo, label

_FOLDER, _FILM = "folder", "film"


class FolderDeidentify(FolderJob):
    """Copies films into a new folder; the originals are never changed."""

    slot = "deidentify"
    start_text = "Write copies"

    def __init__(
        self,
        source: Path,
        film: Path | None,
        engine: Engine,
        tasks: Tasks,
        choices: StoredChoices,
        parent: QWidget | None = None,
    ) -> None:
        self._engine, self._choices, self._film = engine, choices, film
        self._copies = 0
        self._found_in: Counter[str] = Counter()
        self.found = FoundElements()
        whole = ((_FOLDER, "All films of the folder"),)
        one = ((_FILM, "Only the film on screen"),) if film is not None else ()
        self.what = combo("Films to copy", whole + one, _FOLDER)
        self.folder = FolderField("New or empty folder for the copies")
        self.keep = check(
            "Keep age (up to 89), sex, size and weight",
            "Retain Patient Characteristics Option of PS3.15; otherwise these are removed",
            choices.flag("deidentify_keep", False),
        )
        self.burned_in = check(
            "Also copy films with text burned into their pixels",
            "Otherwise films whose BurnedInAnnotation is YES are left out",
            False,
        )
        self.maps = check(
            "Write a table of old and new identifiers",
            "The table identifies the patients, so it must not be stored among the copies",
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
        self.remember_answers()

    def problem(self) -> str:
        out = self.folder.path
        if out is None:
            return "Choose a folder for the copies"
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            return "This folder is not empty: choose a new or empty one"
        if lies_in(out, root_of(self.source)):
            return INSIDE_SOURCE
        missing = self.maps.isChecked() and not self.mapping.text().strip()
        return "Choose a file for the table" if missing else ""

    def target(self) -> Path | None:
        return self.folder.path

    def prepare(self) -> None:
        self._copies = 0
        self._found_in.clear()
        self._choices.store(deidentify_keep=self.keep.isChecked())

    def options(self) -> DeidentifyOptions:
        """The user's choices."""
        mapping = Path(self.mapping.text().strip()) if self.maps.isChecked() else None
        return DeidentifyOptions(
            self.keep.isChecked(), self.burned_in.isChecked(), mapping, self.found.allowed
        )

    def work(self) -> Callable[[threading.Event], Events]:
        only_film = self.what.currentData() == _FILM
        source = self._film if only_film and self._film is not None else self.source
        out, options, engine = self.folder.path, self.options(), self._engine
        assert out is not None  # `problem` checks it
        return lambda stop: deidentify_folder(engine, source, out, options, stop)

    def count(self, event: FilmFinished) -> None:
        if isinstance(event, FilmCopied):
            self._copies += event.output is not None
            self._found_in.update(event.found_in)

    def show_outcome(self) -> None:
        self.found.show_found(dict(self._found_in.most_common()))

    def summary(self) -> str:
        return f"{self._copies:,} copies. Check them before you share them: no program finds all."

    def refresh(self) -> None:
        self.mapping.setEnabled(self.maps.isChecked())
        super().refresh()

    def _choose_mapping(self) -> None:
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
        browse.setToolTip("Choose the file for the table of old and new identifiers")
        browse.clicked.connect(self._choose_mapping)
        mapping = QWidget()
        row = QHBoxLayout(mapping)
        row.setContentsMargins(20, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.mapping, 1)
        row.addWidget(browse)
        form.addRow("Films", self.what)
        form.addRow("Folder", self.folder)
        for widget in (self.keep, self.burned_in, self.maps, mapping):
            form.addRow("", widget)
        text = (
            "Basic Profile of DICOM PS3.15: names, numbers, dates, places, free text and private "
            "tags are removed; UIDs and the patient ID are replaced, consistently in all copies. "
            "What is left is searched for the film's own names and numbers. The picture is copied "
            "unchanged, with any text burned into it."
        )
        form.addRow("", label(text, "quiet"))
        form.addRow("", self.found)
