"""The browser: a filter line, the list of films, and a status line below them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from xrayview.domain.film import FilmRef, RejectedFile, row_of
from xrayview.domain.folder import FolderTree
from xrayview.services.film_list import FilmList
from xrayview.ui.browser.chip import Chip
from xrayview.ui.browser.delegate import FilmDelegate
from xrayview.ui.browser.filter import FilmLookup, Filter
from xrayview.ui.browser.filter_line import FilterLine
from xrayview.ui.browser.outline import (
    Content,
    Folding,
    Layout,
    Rows,
    groups_above,
    key_of,
    outline,
)
from xrayview.ui.browser.row_model import NODE, Row, RowModel
from xrayview.ui.browser.row_view import RowView
from xrayview.ui.browser.thumbnails import Thumbnails

_DONE = object()
_NO_MATCH = "No film matches this filter."
_RESULTS_EVERY_MS = 250
"""How often the rows are laid out again while results arrive that the filter depends on."""


class Browser(QFrame):
    """Lists the films of the folder and reports which one the user chose."""

    film_chosen = Signal(FilmRef)
    films_changed = Signal()
    """Other films are listed, or in another order."""

    def __init__(
        self,
        thumbnails: Thumbnails,
        chip_of: Callable[[FilmRef], Chip | None],
        lookup: FilmLookup,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._thumbnails = thumbnails
        self._lookup = lookup
        self._content: Content | None = None
        self._folding = Folding()
        self._identity_hidden = False
        self._selected_row_id = ""
        self._text = "No folder is open"
        self._films: FilmList | None = FilmList()
        self._layout: Layout | None = None
        self._steps: Iterator[None] = iter(())
        self._is_stale = False
        """The content changed while a layout was under way."""
        self._scrolls_to_selected = False
        """Scroll to the row of the selected film after the next layout."""
        self._model = RowModel(self)
        thumbnails.arrived.connect(self._model.refresh)
        self._delegate = FilmDelegate(thumbnails, chip_of, lookup.is_starred)
        self.filter = FilterLine()
        self.field = self.filter.field
        self.filter.changed.connect(self._on_filter)
        self.filter.confirmed.connect(self._on_confirmed)
        self.tree = self._make_view()
        self.state = QLabel(self._text)
        self.state.setProperty("role", "quiet")
        self.state.setContentsMargins(8, 4, 8, 8)
        self.state.setWordWrap(True)
        self._results_timer = QTimer(self)
        self._results_timer.setSingleShot(True)
        self._results_timer.timeout.connect(self._lay_out)
        self._step_timer = QTimer(self)
        self._step_timer.setSingleShot(True)
        self._step_timer.timeout.connect(self._run_step)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 8, 0, 0)
        rows.setSpacing(8)
        head = QVBoxLayout()
        head.setContentsMargins(8, 0, 8, 0)
        head.addWidget(self.filter)
        rows.addLayout(head)
        rows.addWidget(self.tree, 1)
        rows.addWidget(self.state)

    def show_folder(self, folder: Path, tree: FolderTree, rejected: Sequence[RejectedFile]) -> None:
        """List the folder; folding, selection and scroll position of the same folder stay."""
        earlier = self._content
        is_same = earlier is not None and earlier.tree is tree
        if not is_same:
            self._folding = Folding()
        self._content = Content(folder, tree, rejected, self._identity_hidden)
        if is_same and self._layout is not None:
            self._is_stale = True  # restarting for each film of a scan would never finish
        else:
            self._lay_out()

    def show_state(self, text: str) -> None:
        """Show in the line below the films how much is listed, or what is going on."""
        self._text = text
        self._update_state()

    def show_findings(self, findings: Sequence[str]) -> None:
        """Offer these findings in the filter."""
        self.filter.show_findings(findings)

    def select(self, film: FilmRef) -> None:
        """Mark the film that is on screen, and bring its row into view."""
        self._selected_row_id = film.row_id
        content = self._content
        if content is not None and not self._has_row(film) and self.films().position(film):
            for key in groups_above(content.tree, film):
                self._folding = self._folding.with_group(key, opened=True)
            self._scrolls_to_selected = True
            self._lay_out()
        else:
            self.tree.scrollTo(self._mark())

    def refresh(self, film_id: str) -> None:
        """Redraw the row of a film whose result changed."""
        self._model.refresh(row_of(film_id))
        if self.filter.criteria.needs_results and not self._results_timer.isActive():
            self._results_timer.start(_RESULTS_EVERY_MS)

    def refresh_stars(self, film_id: str = "") -> None:
        """Redraw the star of one film, or of all."""
        if self.filter.criteria.starred:
            self._lay_out()
        elif film_id:
            self._model.refresh(film_id)
        else:
            self.tree.viewport().update()

    def refresh_all(self) -> None:
        """Redraw every row, after the model or an operating point changed."""
        if self.filter.criteria.needs_results:
            self._lay_out()
        self.tree.viewport().update()

    def films(self) -> FilmList:
        """The films that pass the filter, in the order in which Up and Down go through them."""
        if self._films is None:
            self._films = FilmList(self._model.rows.films)
        return self._films

    def filtered_films(self) -> FilmList | None:
        """The films that pass the filter as it is at this moment; None without a filter."""
        if self.filter.criteria.is_empty or self._content is None:
            return None
        rows = outline(self._content, self._folding, self.filter.criteria, self._lookup)
        return FilmList(rows.films)

    def set_identity_hidden(self, hidden: bool) -> None:
        """Show numbers in place of IDs, dates, folders and file names."""
        self._identity_hidden = hidden
        if self._content is not None:
            content = self._content
            self._content = Content(content.folder, content.tree, content.rejected, hidden)
            self._model.replace(self._model.rows, self._content)  # at once, before the next paint
            self._lay_out()

    def set_open(self, key: str, *, opened: bool) -> None:
        """Unfold a group, or fold it."""
        self._folding = self._folding.with_group(key, opened=opened)
        self._lay_out()

    def _has_row(self, film: FilmRef) -> bool:
        return film.row_id in self._model.rows.by_key

    def _update_state(self) -> None:
        criteria = self.filter.criteria
        count = "" if criteria.is_empty else f"{len(self._model.rows.films):,} match"
        parts = (self._text, count, *criteria.conditions())
        self.state.setText(" · ".join(part for part in parts if part))

    def _lay_out(self) -> None:
        """Start a new layout; the rows on screen stay until it is complete."""
        content = self._content
        if content is not None:
            self._is_stale = False
            self._layout = Layout(content, self._folding, self.filter.criteria, self._lookup)
            self._steps = self._layout.steps()
            self._run_step()

    def _run_step(self) -> None:
        """Run one step of the layout in each turn of the event loop."""
        if self._layout is not None and next(self._steps, _DONE) is not _DONE:
            self._step_timer.start(0)
        elif self._layout is not None:
            rows, self._layout = self._layout.rows, None
            self._show(rows)
            if self._is_stale:
                self._step_timer.start(0)
        elif self._is_stale:
            self._lay_out()

    def _show(self, rows: Rows) -> None:
        assert self._content is not None
        anchor, below_px = self._anchor()
        is_same = rows.films == self._model.rows.films
        self._films = None
        self.tree.empty_text = "" if self.filter.criteria.is_empty else _NO_MATCH
        self._model.replace(rows, self._content)
        marked = self._mark()
        if self._scrolls_to_selected:
            self._scrolls_to_selected = False
            self.tree.scrollTo(marked)
        elif anchor in rows.by_key:
            top = self.tree.top_px(rows.by_key[anchor])
            self.tree.verticalScrollBar().setValue(top + below_px)
        self._update_state()
        if not is_same:
            self.films_changed.emit()

    def _anchor(self) -> tuple[str, int]:
        """The key of the top row and how far it is scrolled out, to keep it in place."""
        top = self.tree.verticalOffset()
        row = self.tree.row_at_px(top)
        if row < 0 or not top:
            return "", 0
        return key_of(self._model.rows.items[row]), top - self.tree.top_px(row)

    def _mark(self) -> QModelIndex:
        index = self._model.index_of(self._selected_row_id)
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.tree.selectionModel().setCurrentIndex(index, flags)
        return index

    def _make_view(self) -> RowView:
        view = RowView(self._model)
        view.setItemDelegate(self._delegate)
        view.setAccessibleName("Films")
        view.setAutoScroll(False)  # or each new layout would scroll to the current row
        view.clicked.connect(self._on_click)
        view.visible_rows_changed.connect(self._on_visible_rows)
        return view

    def _on_visible_rows(self, first: int, last: int) -> None:
        """Request the thumbnails of the rows on screen, then of one more screen below."""
        items = self._model.rows.items[first : last + (last - first)]
        self._thumbnails.request(item for item in items if isinstance(item, FilmRef))

    def _on_click(self, index: QModelIndex) -> None:
        row: Row = index.data(NODE)
        if row.film is not None:
            self.film_chosen.emit(row.film)
        elif row.is_group:
            self.set_open(key_of(row.item), opened=not row.is_open)

    def _on_filter(self, _criteria: Filter) -> None:
        self._lay_out()

    def _on_confirmed(self) -> None:
        film = next(iter(self.films().films), None)
        if film is not None:
            self.tree.setFocus()
            self.film_chosen.emit(film)
