"""Export tags of all files of the folder as a CSV with chosen columns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from xrayview.batch.tag_table import write_tag_table
from xrayview.engine.client import Engine
from xrayview.io.tables.predictions import IdentityMode
from xrayview.io.tags.columns import DEFAULT_COLUMNS
from xrayview.io.tags.known_columns import KnownColumn
from xrayview.io.tags.table import tag_table
from xrayview.services.identity import identity_key
from xrayview.services.tasks import Tasks
from xrayview.ui.export.column_chooser import ColumnChooser
from xrayview.ui.export.folder_job import Events, FolderJob
from xrayview.ui.export.stored_choices import StoredChoices
from xrayview.ui.widgets.form_fields import ask_for_file, check, combo

_IDENTITIES = (("hash", "Keyed hash"), ("none", "Empty"), ("full", "As in the file"))


class FolderTags(FolderJob):
    """Offers identifying columns such as names only on request, which is not stored."""

    slot = "tag table"
    start_text = "Write CSV …"

    def __init__(
        self,
        source: Path,
        known: Sequence[KnownColumn],
        engine: Engine,
        tasks: Tasks,
        choices: StoredChoices,
        parent: QWidget | None = None,
    ) -> None:
        self._engine, self._choices = engine, choices
        self._path: Path | None = None
        stored = choices.text("tag_columns")
        self.columns = ColumnChooser(known, stored.split(",") if stored else DEFAULT_COLUMNS)
        self.identity = combo("PatientID", _IDENTITIES[:2], choices.text("tag_identity", "hash"))
        self.identifying = check(
            "Also offer columns that may identify the patient",
            "Names, dates, places and free text; protect such a table like the films",
            False,
        )
        super().__init__("Tags of the folder", source, tasks, parent)
        self.resize(860, 680)
        self._fill()
        self.identifying.toggled.connect(self._on_identifying)
        self.columns.changed.connect(self.refresh)
        self.refresh()
        self.remember_answers()

    def problem(self) -> str:
        return "" if self.columns.chosen else "Choose at least one column"

    def target(self) -> Path | None:
        return self._path.parent if self._path else None

    def prepare(self) -> None:
        safe = {c.keyword for c in self.columns.model.safe()}
        names = [name for name in self.columns.chosen if name in safe]
        self._choices.store(tag_columns=",".join(names))
        if self.identity.currentData() != "full":
            self._choices.store(tag_identity=self.identity.currentData())

    def start(self) -> None:
        """Ask for a file, then write the table to it."""
        if self.running or self.problem():
            return
        path = ask_for_file(self, "Tags of the folder", "tags", "csv")
        if path is not None:
            self.write(path)

    def write(self, path: Path) -> None:
        """Write the table to `path`."""
        self._path = path
        super().start()

    def work(self) -> Callable[[threading.Event], Events]:
        path, engine, source = self._path, self._engine, self.source
        names = self.columns.chosen
        identity: IdentityMode = self.identity.currentData()
        assert path is not None  # `write` sets it

        def events(stop: threading.Event) -> Events:
            key = identity_key() if identity == "hash" else b""
            yield from write_tag_table(engine, source, path, tag_table(names, identity, key), stop)

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
        default = QPushButton("Default columns")
        default.setToolTip("Columns that are common in research, without identity")
        default.setAutoDefault(False)
        default.clicked.connect(lambda: self.columns.choose(DEFAULT_COLUMNS))
        row.addWidget(default)
        column.addLayout(row)
