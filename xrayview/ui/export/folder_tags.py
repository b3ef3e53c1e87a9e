"""The tags of all files of the folder as a CSV, with columns that the user chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from xrayview.batch.tag_table import write_tag_table
from xrayview.engine.client import Engine
from xrayview.io.tags.columns import DEFAULT_COLUMNS
from xrayview.io.tags.known_columns import KnownColumn
from xrayview.io.tags.table import tag_table
from xrayview.services.identity import identity_key
from xrayview.services.tasks import Tasks
from xrayview.ui.export.column_chooser import ColumnChooser
from xrayview.ui.export.folder_job import Events, FolderJob
from xrayview.ui.export.remembered import Remembered
from xrayview.ui.widgets.form_fields import ask_for_file, check, combo

_IDENTITIES = (("hash", "a keyed hash"), ("none", "left empty"), ("full", "as it is"))


class FolderTags(FolderJob):
    """Names and birth dates are no columns unless they are asked for, each time anew."""

    slot = "tag table"
    start_text = "Write CSV …"

    def __init__(
        self,
        source: Path,
        known: Sequence[KnownColumn],
        engine: Engine,
        tasks: Tasks,
        remembered: Remembered,
        parent: QWidget | None = None,
    ) -> None:
        self._engine, self._remembered = engine, remembered
        self._path: Path | None = None
        kept = tuple(remembered.text("tag_columns").split(","))
        self.columns = ColumnChooser(known, kept if kept != ("",) else DEFAULT_COLUMNS)
        self.identity = combo("PatientID", _IDENTITIES[:2], remembered.text("tag_identity", "hash"))
        self.identifying = check(
            "Offer columns that may say who the patient is",
            "Names, dates, places and free text; the table is then to be kept like the films",
            False,
        )
        super().__init__("Tags of the folder", source, tasks, parent)
        self.resize(860, 680)
        self._fill()
        self.identifying.toggled.connect(self._on_identifying)
        self.columns.changed.connect(self.refresh)
        self.refresh()

    def problem(self) -> str:
        return "" if self.columns.chosen else "Choose a column"

    def target(self) -> Path | None:
        return self._path.parent if self._path else None

    def remember(self) -> None:
        safe = {c.keyword for c in self.columns.model.safe()}
        names = [name for name in self.columns.chosen if name in safe]
        self._remembered.keep(tag_columns=",".join(names))
        if self.identity.currentData() != "full":
            self._remembered.keep(tag_identity=self.identity.currentData())

    def start(self) -> None:
        """Ask for the file, then write it."""
        if self.running or self.problem():
            return
        path = ask_for_file(self, "Tags of the folder", "tags", "csv")
        if path is not None:
            self.write(path)

    def write(self, path: Path) -> None:
        """Write the table there."""
        self._path = path
        super().start()

    def work(self) -> Callable[[threading.Event], Events]:
        path, engine, source = self._path, self._engine, self.source
        names = self.columns.chosen
        asked: Any = self.identity.currentData()
        assert path is not None  # `write` sets it

        def events(stop: threading.Event) -> Events:
            key = identity_key() if asked == "hash" else b""
            yield from write_tag_table(engine, source, path, tag_table(names, asked, key), stop)

        return events

    def summary(self) -> str:
        return f"{self._path.name}: {len(self.columns.chosen)} columns" if self._path else ""

    def _on_identifying(self, shown: bool) -> None:
        self.columns.set_identifying(shown)
        self.identity.clear()
        for value, text in _IDENTITIES[2:] if shown else _IDENTITIES[:2]:
            self.identity.addItem(text, value)

    def _fill(self) -> None:
        column = QVBoxLayout(self.form)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.columns, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.identifying, 1)
        row.addWidget(QLabel("PatientID"))
        row.addWidget(self.identity)
        usual = QPushButton("Usual columns")
        usual.setToolTip("What research asks of a radiograph, without identity")
        usual.setAutoDefault(False)
        usual.clicked.connect(lambda: self.columns.choose(DEFAULT_COLUMNS))
        row.addWidget(usual)
        column.addLayout(row)
