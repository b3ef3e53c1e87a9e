"""The question which films to classify while a filter hides some of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from xrayview.domain.film import FilmRef
from xrayview.domain.sentences import counted

Chosen = frozenset[str] | None
"""Relative paths of films; None: all files of the folder."""


class WhichFilms(QMessageBox):
    """Asks: all files of the folder, or the films listed.

    Args:
        listed: the films that pass the filter.
        then: called with the choice; not called where the user cancels.
    """

    def __init__(
        self,
        listed: Sequence[FilmRef],
        then: Callable[[Chosen], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Classify folder")
        self.setIcon(QMessageBox.Icon.Question)
        self.setText("Classify all films, or only those listed?")
        matches = "1 film matches" if len(listed) == 1 else f"{len(listed):,} films match"
        self.setInformativeText(f"{matches} the filter of the film list.")
        accept = QMessageBox.ButtonRole.AcceptRole
        self.listed_button = self.addButton(counted(len(listed), "listed film"), accept)
        self.listed_button.setEnabled(bool(listed))
        self.all_button = self.addButton("All films of the folder", accept)
        self.cancel_button = self.addButton(QMessageBox.StandardButton.Cancel)
        self.setDefaultButton(self.listed_button if listed else self.all_button)
        self.setEscapeButton(self.cancel_button)
        paths = frozenset(film.relative_path for film in listed)
        self.listed_button.clicked.connect(lambda: then(paths))
        self.all_button.clicked.connect(lambda: then(None))
