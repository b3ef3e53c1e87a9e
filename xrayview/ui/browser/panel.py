"""The browser: a filter field over the tree of films."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QTreeView, QVBoxLayout, QWidget

from xrayview.domain.film import FilmRef, Patient, RejectedFile
from xrayview.services.session import FilmList
from xrayview.ui import theme
from xrayview.ui.browser import nodes
from xrayview.ui.browser.chip import Chip
from xrayview.ui.browser.delegate import FilmDelegate
from xrayview.ui.browser.thumbnails import Thumbnails
from xrayview.ui.browser.tree_model import NODE, FilmFilter, FilmTree

_OPEN_ALL_UP_TO = 200
"""Films up to which every group is shown open."""


class Browser(QFrame):
    """Lists what the folder holds; says which film the user chose."""

    film_chosen = Signal(object)

    def __init__(
        self,
        thumbnails: Thumbnails,
        chip_of: Callable[[FilmRef], Chip | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._model = FilmTree(self)
        self._filter = FilmFilter(self)
        self._filter.setSourceModel(self._model)
        self._closed: set[str] = set()
        self._opened: set[str] = set()
        self._hidden = False
        self._text = "No folder is open"
        self._content: tuple[Path, tuple[Patient, ...], tuple[RejectedFile, ...]] | None = None
        self._delegate = FilmDelegate(thumbnails, chip_of)
        thumbnails.arrived.connect(self._model.refresh)
        self.field = self._make_field()
        self.tree = self._make_tree()
        self.state = QLabel(self._text)
        self.state.setProperty("role", "quiet")
        self.state.setContentsMargins(8, 4, 8, 8)
        self.state.setWordWrap(True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 8, 0, 0)
        rows.setSpacing(8)
        head = QVBoxLayout()
        head.setContentsMargins(8, 0, 8, 0)
        head.addWidget(self.field)
        rows.addLayout(head)
        rows.addWidget(self.tree, 1)
        rows.addWidget(self.state)

    def show_folder(
        self, folder: Path, patients: tuple[Patient, ...], rejected: tuple[RejectedFile, ...]
    ) -> None:
        """List the folder; what was folded, selected and scrolled stays so."""
        self._content = (folder, patients, rejected)
        self._rebuild()

    def show_state(self, text: str) -> None:
        """The line below the tree: how much is listed, or what is going on."""
        self._text = text
        self._say()

    def select(self, film: FilmRef) -> None:
        """Mark the film that is on screen, and bring its row into view."""
        index = self._filter.mapFromSource(self._model.index_of(film.film_id))
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.tree.selectionModel().setCurrentIndex(index, flags)
            self.tree.scrollTo(index)

    def refresh(self, film_id: str) -> None:
        """Draw one film's row again: what is known of it changed."""
        self._model.refresh(film_id)

    def refresh_all(self) -> None:
        """Draw every row again: another model is in force."""
        self.tree.viewport().update()

    def films(self) -> FilmList:
        """The films that pass the filter, in order: what Up and Down walk through."""
        return self._filter.films()

    def set_identity_hidden(self, hidden: bool) -> None:
        """Show numbers in place of IDs, dates, folders and file names."""
        self._hidden = hidden
        self._rebuild()

    def _say(self) -> None:
        count = f"{len(self.films()):,} match" if self.field.text() else ""
        self.state.setText(" · ".join(text for text in (self._text, count) if text))

    def _rebuild(self) -> None:
        if self._content is None:
            return
        folder, patients, rejected = self._content
        chosen = self.tree.currentIndex().data(NODE)
        scrolled = self.tree.verticalScrollBar().value()
        self._model.replace(nodes.build(folder, patients, rejected, identity_hidden=self._hidden))
        self._unfold(QModelIndex(), open_all=len(self.films()) <= _OPEN_ALL_UP_TO)
        if chosen is not None and chosen.film is not None:
            self.select(chosen.film)
        self.tree.verticalScrollBar().setValue(scrolled)

    def _unfold(self, parent: QModelIndex, *, open_all: bool) -> None:
        for row in range(self._filter.rowCount(parent)):
            index = self._filter.index(row, 0, parent)
            node = index.data(NODE)
            if not node.children:
                return  # films: a group holds either films or groups
            usual = (open_all or row == 0) and not node.is_list_of_rejected
            unfold = node.key in self._opened or (usual and node.key not in self._closed)
            self.tree.blockSignals(True)  # only the user's own folding is remembered
            self.tree.setExpanded(index, unfold)
            self.tree.blockSignals(False)
            self._unfold(index, open_all=open_all)

    def _make_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText("Filter")
        field.setAccessibleName("Filter the films")
        field.setClearButtonEnabled(True)
        sign = QAction(theme.icon("search", theme.C.faint), "", field)
        field.addAction(sign, QLineEdit.ActionPosition.LeadingPosition)
        field.textChanged.connect(self._on_filter)
        field.returnPressed.connect(self._on_filter_return)
        return field

    def _make_tree(self) -> QTreeView:
        tree = QTreeView()
        tree.setModel(self._filter)
        tree.setItemDelegate(self._delegate)
        tree.setHeaderHidden(True)
        tree.setIndentation(8)
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(False)
        tree.setMouseTracking(True)
        tree.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.setAccessibleName("Films")
        tree.clicked.connect(self._on_click)
        tree.collapsed.connect(lambda index: self._remember(index, opened=False))
        tree.expanded.connect(lambda index: self._remember(index, opened=True))
        return tree

    def _on_click(self, index: QModelIndex) -> None:
        node = index.data(NODE)
        if node.film is not None:
            self.film_chosen.emit(node.film)
        elif node.children:
            self.tree.setExpanded(index, not self.tree.isExpanded(index))

    def _remember(self, index: QModelIndex, *, opened: bool) -> None:
        key = index.data(NODE).key
        (self._opened if opened else self._closed).add(key)
        (self._closed if opened else self._opened).discard(key)

    def _on_filter(self, text: str) -> None:
        self._filter.setFilterFixedString(text)
        self._say()
        if text:
            self.tree.expandAll()
        else:
            self._unfold(QModelIndex(), open_all=len(self.films()) <= _OPEN_ALL_UP_TO)

    def _on_filter_return(self) -> None:
        film = next(iter(self.films().films), None)
        if film is not None:
            self.tree.setFocus()
            self.film_chosen.emit(film)
